import { routingAlgorithmOf } from '../../../contract/api/user-channels.ts'
import { protocolOfType } from '../../../contract/channel-types.ts'
import { money, MONEY_ONE, type Money } from '../../../contract/money.ts'
import { decodeCard, isPriced, type PriceCard } from '../../../contract/quote.ts'
import { vendorOf } from '../../../contract/vendors.ts'
import { limitsOf } from '../../lib/limit-fields.ts'
import type { Candidate, CatalogChannel, CatalogModel, CatalogUserChannel, Snapshot } from './snapshot.ts'
import { metaModelsOf } from './metas.ts'
import type { ChannelModelRow, ModelRow, OverrideRow, RoutingRows } from './store.ts'

/** What the builder asks of outside. Each may throw; then that one row is left out, the rest goes on. */
export interface Readers {
  /** The keys of a channel: at least one, "" where it has none. */
  openKeys(sealed: string): readonly string[]
  /** Told which row cannot be used, and why. */
  broken(what: string, id: number, error: unknown): void
}

const NO_OVERRIDES: ReadonlyMap<number, Money> = new Map()
const NO_PRICES: PriceCard = { prices: {}, tiers: {}, quotaType: 0 }

/** Builds a snapshot in time linear in the number of rows. */
export function buildSnapshot(rows: RoutingRows, version: number, readers: Readers): Snapshot {
  const userChannels = new Map<number, CatalogUserChannel>()
  const allowed = new Map<number, Set<number>>()
  for (const { user_channel_id: id, group_id: group } of rows.userChannelGroups) allowed.set(id, (allowed.get(id) ?? new Set()).add(group))
  for (const row of rows.userChannels) {
    userChannels.set(row.id, {
      id: row.id,
      name: row.name,
      description: row.description,
      multiplier: factorOf(row.multiplier),
      routingAlgorithm: routingAlgorithmOf(row.routing_algorithm),
      enabled: row.enabled === 1,
      hedgeDelayMs: row.hedge_delay_ms,
      allowedGroups: allowed.get(row.id),
    })
  }
  const models = new Map<string, Building>()
  const byId = new Map<number, Building>()
  for (const row of rows.models) {
    const model = modelOf(row, readers)
    models.set(row.model_name, model)
    byId.set(row.id, model)
  }
  addCandidates(rows, userChannels, byId, readers)
  const groups = new Map(
    rows.groups.map((row) => [row.id, { id: row.id, name: row.name, multiplier: factorOf(row.multiplier), limits: limitsOf(row) }]),
  )
  return { version, models, metaModels: metaModelsOf(rows.metaModels, models, readers), userChannels, groups }
}

/** A model whose candidates are still being collected. */
interface Building extends CatalogModel {
  readonly byUserChannel: Map<number, Candidate[]>
  readonly all: Candidate[]
}

function modelOf(row: ModelRow, readers: Readers): Building {
  let card = NO_PRICES
  try {
    card = decodeCard(row.price_card)
  } catch (error) {
    // A price must never be guessed: the model is unpriced until someone prices it anew.
    readers.broken('model', row.id, error)
  }
  return {
    id: row.id,
    name: row.model_name,
    provider: row.provider,
    providerIconUrl: row.provider_icon_url,
    enabled: row.enabled === 1,
    card,
    cardText: row.price_card,
    priced: isPriced(card),
    free: row.free === 1 && card !== NO_PRICES,
    maxOutputTokens: row.max_output_tokens,
    byUserChannel: new Map(),
    all: [],
  }
}

/** Channels come best first, so each model's lists are in order without being sorted. */
function addCandidates(
  rows: RoutingRows,
  userChannels: ReadonlyMap<number, CatalogUserChannel>,
  models: ReadonlyMap<number, Building>,
  readers: Readers,
): void {
  const ofChannel = Map.groupBy(rows.channelModels, ({ channel_id: id }) => id)
  const channelOverrides = overridesOf(rows.channelOverrides)
  const modelOverrides = overridesOf(rows.channelModelOverrides)
  const costCards = new Map<string, PriceCard>()
  const costOf = (row: ChannelModelRow, quotaType: number): PriceCard | undefined => {
    const card = readCost(row)
    // Cost is counted as the model is sold, also when that was changed since.
    return card && card.quotaType !== quotaType ? { ...card, quotaType } : card
  }
  const readCost = (row: ChannelModelRow): PriceCard | undefined => {
    if (row.cost_card === null) return undefined
    let card = costCards.get(row.cost_card)
    if (!card) {
      try {
        card = decodeCard(row.cost_card)
      } catch (error) {
        readers.broken('channel model', row.id, error)
        return undefined
      }
      costCards.set(row.cost_card, card)
    }
    return card
  }
  for (const row of rows.channels) {
    const carried = ofChannel.get(row.id)
    const userChannelId = row.user_channel_id
    if (!carried || userChannelId === null || userChannels.get(userChannelId)?.enabled !== true) continue
    let keys: readonly string[]
    try {
      keys = readers.openKeys(row.api_key_sealed)
    } catch (error) {
      readers.broken('channel', row.id, error)
      continue
    }
    const channel: CatalogChannel = {
      id: row.id,
      name: row.name,
      type: row.type,
      protocol: protocolOfType(row.type),
      baseUrl: row.base_url,
      vendor: vendorOf(row.type, row.base_url),
      key: keys[0] ?? '',
      keys,
      costFactor: factorOf(row.multiplier),
      autoDisabledAt: row.auto_disabled_at,
      autoDisabledReason: row.auto_disabled_reason,
      priority: row.priority,
      weight: row.weight,
      limits: limitsOf(row),
      groupMultipliers: channelOverrides.get(row.id) ?? NO_OVERRIDES,
    }
    for (const binding of carried) {
      const model = models.get(binding.model_id)
      if (!model?.enabled) continue
      const candidate: Candidate = {
        channelModelId: binding.id,
        channel,
        upstreamModel: binding.upstream_model_name,
        groupMultipliers: modelOverrides.get(binding.id) ?? NO_OVERRIDES,
        costCard: costOf(binding, model.card.quotaType),
        userChannelId,
        limits: limitsOf(binding),
        firstByteTimeoutMs: milliseconds(binding.first_byte_timeout_seconds ?? row.first_byte_timeout_seconds),
      }
      model.all.push(candidate)
      const list = model.byUserChannel.get(userChannelId)
      if (list) list.push(candidate)
      else model.byUserChannel.set(userChannelId, [candidate])
    }
  }
}

function overridesOf(rows: readonly OverrideRow[]): Map<number, Map<number, Money>> {
  const owners = new Map<number, Map<number, Money>>()
  for (const { owner_id: owner, group_id: group, multiplier } of rows) {
    if (multiplier === 0n) continue
    const overrides = owners.get(owner)
    if (overrides) overrides.set(group, multiplier)
    else owners.set(owner, new Map([[group, multiplier]]))
  }
  return owners
}

/** 0 never means free: it is refused on write, and in rows from elsewhere it stands for 1 (contract.md 7.5, W47). */
function factorOf(multiplier: Money): Money {
  return multiplier === 0n ? money(MONEY_ONE) : multiplier
}

function milliseconds(seconds: number | null): number | undefined {
  return seconds === null ? undefined : seconds * 1000
}

/**
 * A channel's keys stand one a line; the same key twice is one. A cloud's key file is one key of many lines, and a list of such
 * files is a JSON array.
 */
export function keysOf(text: string): readonly string[] {
  const trimmed = text.trim()
  if (trimmed.startsWith('{')) return [trimmed]
  if (trimmed.startsWith('[')) return keyFiles(trimmed)
  const keys = [...new Set(text.split(/\r?\n/).map((line) => line.trim()))].filter((line) => line !== '')
  return keys.length > 0 ? keys : ['']
}

/** The files of a JSON array, each as its own text; what is no such array is one key as it stands. */
function keyFiles(text: string): readonly string[] {
  try {
    const files: unknown = JSON.parse(text)
    if (Array.isArray(files) && files.length > 0) return [...new Set(files.map((file) => JSON.stringify(file)))]
  } catch {
    // A key may begin with a bracket.
  }
  return [text]
}
