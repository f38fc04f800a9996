import type { ApplyModelsBody, ApplyPricesBody, SyncResult } from '../../../contract/api/sync.ts'
import { AppError } from '../../../contract/errors.ts'
import { meters } from '../../../contract/meters.ts'
import { MONEY_ONE } from '../../../contract/money.ts'
import { cardOf } from '../../../contract/prices.ts'
import { providerOf } from '../../../contract/providers.ts'
import { decodeCard, encodeCard, isPriced, type PriceCard } from '../../../contract/quote.ts'
import type { Database } from '../../db/open.ts'
import type { Deps } from '../../http/deps.ts'
import { changeRouting, type Actor } from '../catalog/change.ts'
import { bindingsByModel, bindModel, enableBinding } from '../channel-models/bind.ts'
import { addModel, changeModel, ensureModel, modelRowsByName, type ModelRow } from '../models/service.ts'
import { compare, needsConfirmation } from './compare.ts'
import { channelNameOf, maxJumpOf, merged } from './preview.ts'

/** Where a version of a price came from, in its row. */
const SOURCE = 'sync'
/** The same bound as for what a feed says (decimals.ts). */
const MAX_PRICE = 1_000_000n * MONEY_ONE
/** Names that fit into a message. */
const SHOWN_NAMES = 5

/**
 * Binds the selected models, all or none. One that the channel carries already is put into use under its own name.
 * @throws AppError sync_channel_unknown | name_is_meta_model, with `result` as the contract has it
 */
export async function applyModels(deps: Deps, body: ApplyModelsBody, actor: Actor): Promise<SyncResult> {
  const name = await channelNameOf(deps, body.channel_id)
  const result: SyncResult = { channel_id: body.channel_id, channel_name: name, source: 'selected', created: 0, updated: 0 }
  return withResult(result, () =>
    changeRouting(deps, 'conflict', async (tx, now) => {
      const done = { ...result }
      const bindings = await bindingsByModel(tx, body.channel_id)
      for (const item of lastOfEach(body.models)) {
        const input = { name: item.model_name, provider: item.provider ?? '', iconUrl: item.provider_icon_url ?? '' }
        const model = await ensureModel(tx, input, { ...actor, source: SOURCE }, now)
        const binding = bindings.get(model.id)
        if (!binding) {
          await bindModel(tx, body.channel_id, model, true, actor, now)
          done.created += 1
        } else if (await enableBinding(tx, binding, model.model_name, actor, now)) done.updated += 1
      }
      return done
    }),
  )
}

/**
 * Binds what a channel lists and does not carry yet, switched off: discovery publishes nothing and changes nothing that
 * exists (W100).
 */
export async function discover(deps: Deps, result: SyncResult, names: readonly string[], actor: Actor): Promise<SyncResult> {
  const known = await modelRowsByName(deps.db.query)
  const carried = await bindingsByModel(deps.db.query, result.channel_id)
  const fresh = names.filter((name) => !carried.has(known.get(name)?.id ?? 0))
  if (fresh.length === 0) return result
  return changeRouting(deps, 'conflict', async (tx, now) => {
    const bindings = await bindingsByModel(tx, result.channel_id)
    let created = 0
    for (const name of fresh) {
      const model = await ensureModel(tx, { name, provider: '', iconUrl: '' }, { ...actor, source: SOURCE }, now)
      if (bindings.has(model.id)) continue
      await bindModel(tx, result.channel_id, model, false, actor, now)
      created += 1
    }
    return { ...result, created }
  })
}

type PriceItem = ApplyPricesBody['models'][number]

/**
 * Takes prices over, all or none, each change a dated version. Applied again it changes nothing.
 * @throws AppError sync_channel_unknown | sync_price_unusable | sync_unconfirmed, with `result` as the contract has it
 */
export async function applyPrices(deps: Deps, body: ApplyPricesBody, actor: Actor): Promise<SyncResult> {
  const name = await channelNameOf(deps, body.channel_id)
  const result: SyncResult = { channel_id: body.channel_id, channel_name: name, source: 'prices', created: 0, updated: 0 }
  const maxJump = maxJumpOf(deps)
  const confirmed = new Set(body.confirm ?? [])
  return withResult(result, () =>
    changeRouting(deps, 'conflict', async (tx, now) => {
      const models = await modelRowsByName(tx)
      const planned = lastOfEach(body.models).map((item) => {
        const before = models.get(item.model_name)
        const current = before && decodeCard(before.price_card)
        const card = plannedCard(item, current)
        return { item, before, card, change: compare(before && current && { card: current, free: before.free === 1 }, card, maxJump) }
      })
      const open = planned.flatMap(({ item, change }) =>
        needsConfirmation(change) && !confirmed.has(item.model_name) ? [item.model_name] : [],
      )
      if (open.length > 0) throw unconfirmed(open)
      const done = { ...result }
      for (const { item, before, card } of planned) {
        if (!before) {
          await create(tx, item, card, actor, now)
          done.created += 1
        } else if (await reprice(tx, before, item, card, actor, now)) done.updated += 1
      }
      return done
    }),
  )
}

/** The card after the apply: what is absent from the item stays as it is. */
function plannedCard(item: PriceItem, current: PriceCard | undefined): PriceCard {
  const given = cardOf(item, item.quota_type ?? current?.quotaType ?? 0)
  for (const { id } of meters) {
    const dearest = [given.prices[id] ?? 0n, ...(given.tiers[id] ?? []).map(({ price }) => price)]
    if (dearest.some((price) => price > MAX_PRICE)) throw new AppError('sync_price_unusable', { param: item.model_name })
  }
  if (!current) return given
  const card = merged(current, given)
  if (card.quotaType !== current.quotaType) return card
  for (const { id, price, tiers } of meters) {
    if (item[price] === undefined || item[price] === null) {
      if (current.prices[id] !== undefined) card.prices[id] = current.prices[id]
      // Steps stay with the base they stand above, unless the item names others.
      if (item[tiers] === undefined && current.tiers[id]) card.tiers[id] = current.tiers[id]
    }
  }
  return card
}

async function create(tx: Database['query'], item: PriceItem, card: PriceCard, actor: Actor, now: number): Promise<void> {
  await addModel(
    tx,
    {
      model_name: item.model_name,
      provider: providerOf(item.provider ?? '', item.model_name).id,
      provider_icon_url: item.provider_icon_url ?? '',
      price_card: encodeCard(card),
      quota_type: card.quotaType,
      free: 0,
      max_output_tokens: null,
      enabled: 1,
    },
    { ...actor, source: SOURCE },
    now,
  )
}

/** @returns false when nothing is different */
async function reprice(
  tx: Database['query'],
  before: ModelRow,
  item: PriceItem,
  card: PriceCard,
  actor: Actor,
  now: number,
): Promise<boolean> {
  const maker = providerOf(item.provider ?? '', item.model_name).id
  const change = {
    price_card: encodeCard(card),
    quota_type: card.quotaType,
    free: isPriced(card) ? 0 : before.free,
    // A guess does not replace what is known (contract.md 3.5).
    provider: maker === 'custom' && before.provider !== '' ? before.provider : maker,
    provider_icon_url: before.provider_icon_url === '' ? (item.provider_icon_url ?? '') : before.provider_icon_url,
  }
  const keys = Object.keys(change) as (keyof typeof change)[]
  // Another order of the same prices is no change.
  const same = (key: keyof typeof change): boolean =>
    key === 'price_card' ? encodeCard(decodeCard(before.price_card)) === change.price_card : before[key] === change[key]
  if (keys.every(same)) return false
  await changeModel(tx, before, change, { ...actor, source: SOURCE }, now)
  return true
}

/** The contract's failing apply carries its result beside the error. */
async function withResult(result: SyncResult, work: () => Promise<SyncResult>): Promise<SyncResult> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof AppError)) throw error
    throw new AppError(error.code, {
      message: error.message,
      cause: error.cause,
      ...(error.param === undefined ? {} : { param: error.param }),
      details: { ...error.details, result: { ...result, error: error.message } },
    })
  }
}

function unconfirmed(names: readonly string[]): AppError {
  const more = names.length > SHOWN_NAMES ? ` and ${names.length - SHOWN_NAMES} more` : ''
  const error = new AppError('sync_unconfirmed')
  return new AppError('sync_unconfirmed', {
    message: `${error.message}: ${names.slice(0, SHOWN_NAMES).join(', ')}${more}`,
    details: { unconfirmed: [...names] },
  })
}

/** Of several items of one model the last one counts. */
function lastOfEach<T extends { model_name: string }>(items: readonly T[]): T[] {
  return [...new Map(items.map((item) => [item.model_name, item])).values()]
}
