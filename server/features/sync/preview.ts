import type { SyncItem, SyncPreview } from '../../../contract/api/sync.ts'
import { AppError } from '../../../contract/errors.ts'
import { parseMoney, MONEY_ONE, money, type Money } from '../../../contract/money.ts'
import { cardWire } from '../../../contract/prices.ts'
import { providerOf } from '../../../contract/providers.ts'
import { decodeCard, type PriceCard } from '../../../contract/quote.ts'
import type { Json } from '../../../contract/json.ts'
import type { Deps } from '../../http/deps.ts'
import { bindingsByModel } from '../channel-models/bind.ts'
import { openChannel, type ChannelAccess } from '../channels/health.ts'
import { channelNames } from '../channels/service.ts'
import { modelRowsByName, type ModelRow } from '../models/service.ts'
import { compare, needsConfirmation } from './compare.ts'
import type { Feed, FeedItem } from './feed.ts'
import { readNames } from './formats/names.ts'
import { readPrices } from './formats/prices.ts'
import { modelSources, priceSources } from './sources.ts'
import { readSource, SourceSilent, type Source } from './upstream.ts'

type PreviewDeps = Pick<Deps, 'db' | 'fetch' | 'secrets' | 'settings'>

/** A channel as its lists are read. */
export interface Target {
  id: number
  name: string
  access: ChannelAccess
}

/** @throws AppError sync_channel_unknown */
export async function targetOf(deps: Pick<Deps, 'db' | 'secrets'>, id: number): Promise<Target> {
  const name = await channelNameOf(deps, id)
  return { id, name, access: await openChannel(deps, id) }
}

/** @throws AppError sync_channel_unknown */
export async function channelNameOf(deps: Pick<Deps, 'db'>, id: number): Promise<string> {
  const name = (await channelNames(deps.db.query, [id])).get(id)
  if (name === undefined) throw new AppError('sync_channel_unknown', { param: 'channel_id' })
  return name
}

/** Names a channel lists. @throws AppError sync_* when none of the sources has any */
export function fetchNames(deps: PreviewDeps, target: Target, format: string, path: string): Promise<{ source: string; names: string[] }> {
  return firstOf(deps, modelSources(target.access, format, path), 'all model list sources failed', (bodies) => {
    const names = [...new Set(bodies.flatMap(readNames))]
    return names.length > 0 ? { names } : undefined
  })
}

/** The prices a channel lists. @throws AppError sync_* when none of the sources has any */
export async function fetchPrices(
  deps: PreviewDeps,
  target: Target,
  format: string,
  path: string,
  signal?: AbortSignal,
): Promise<{ source: string; feed: Feed }> {
  return firstOf(
    deps,
    priceSources(target.access, format, path),
    'all price sources failed',
    (bodies) => {
      const feed = readPrices(bodies.length === 1 ? (bodies[0] ?? null) : bodies)
      return feed.items.size > 0 ? { feed } : undefined
    },
    signal,
  )
}

/** The first source that has something; what was wrong with each when none has. */
async function firstOf<T extends object>(
  deps: PreviewDeps,
  sources: readonly Source[],
  failure: string,
  read: (bodies: Json[]) => T | undefined,
  signal?: AbortSignal,
): Promise<T & { source: string }> {
  const reasons: string[] = []
  const silent = new Set<string>()
  for (const source of sources) {
    const { origin } = new URL(source.url)
    if (silent.has(origin)) continue
    try {
      const found = read(await readSource(deps, source, signal))
      if (found) return { ...found, source: source.label }
      reasons.push(`${source.label} names no models`)
    } catch (error) {
      if (!(error instanceof AppError)) throw error
      reasons.push(error.message)
      if (signal?.aborted) break
      if (error instanceof SourceSilent) silent.add(origin)
    }
  }
  const message = reasons.length === 1 ? reasons[0] : `${failure}: ${reasons.join('; ')}`
  throw new AppError('sync_source_failed', message === undefined ? {} : { message })
}

const NO_CARD: PriceCard = { prices: {}, tiers: {}, quotaType: 0 }

/** Names against what the channel carries. */
export async function namesPreview(
  deps: PreviewDeps,
  target: { id: number; name: string },
  source: string,
  names: readonly string[],
): Promise<SyncPreview> {
  if (names.length === 0) throw new AppError('sync_nothing_found')
  const models = await modelRowsByName(deps.db.query)
  const bindings = await bindingsByModel(deps.db.query, target.id)
  const listed = new Set(names)
  const gone = [...models.values()].flatMap((model) => {
    const binding = bindings.get(model.id)
    return binding && !listed.has(binding.upstream_model_name) ? [model.model_name] : []
  })
  return {
    channel_id: target.id,
    channel_name: target.name,
    source,
    models: names.map((name): SyncItem => {
      const model = models.get(name)
      const exists = model !== undefined && bindings.has(model.id)
      return {
        model_name: name,
        ...cardWire(NO_CARD),
        quota_type: 0,
        ...makerOf(name, '', model),
        exists,
        change: exists ? 'same' : 'new',
        needs_confirmation: false,
        problem: null,
        notes: [],
        current: null,
      }
    }),
    skipped: 0,
    gone: gone.sort(),
  }
}

/** Prices of a feed against those in force now. */
export async function pricesPreview(
  deps: Pick<Deps, 'db' | 'settings'>,
  target: { id: number; name: string },
  source: string,
  { items, skipped }: { items: Iterable<FeedItem>; skipped: number },
): Promise<SyncPreview> {
  const models = await modelRowsByName(deps.db.query)
  const maxJump = maxJumpOf(deps)
  const rows = [...items].map((item) => priceItem(item, models.get(item.name), maxJump))
  if (rows.length === 0) throw new AppError('sync_nothing_found')
  rows.sort((a, b) => (a.model_name < b.model_name ? -1 : 1))
  return { channel_id: target.id, channel_name: target.name, source, models: rows, skipped, gone: [] }
}

/** How far a price may change unasked, scale 10. */
export function maxJumpOf(deps: Pick<Deps, 'settings'>): Money {
  return parseMoney(deps.settings.text('price_sync_max_jump')) ?? money(2n * MONEY_ONE)
}

function priceItem({ name, provider, card, problem, notes }: FeedItem, model: ModelRow | undefined, maxJump: Money): SyncItem {
  const current = model && decodeCard(model.price_card)
  const inForce = model && current ? { card: current, free: model.free === 1 } : undefined
  const change = problem === undefined ? compare(inForce, current ? merged(current, card) : card, maxJump) : 'unusable'
  return {
    model_name: name,
    ...cardWire(card),
    quota_type: card.quotaType === 1 ? 1 : 0,
    ...makerOf(name, provider, model),
    exists: model !== undefined,
    change,
    needs_confirmation: needsConfirmation(change),
    problem: problem ?? null,
    notes,
    current: current ? cardWire(current) : null,
  }
}

/** Input, output and cached input are replaced; other meters only where the list has a price for them (contract.md 3.5). */
export function merged(before: PriceCard, after: PriceCard): PriceCard {
  if (before.quotaType !== after.quotaType || after.quotaType === 1) return after
  const card: PriceCard = { prices: { ...before.prices, ...after.prices }, tiers: { ...before.tiers, ...after.tiers }, quotaType: 0 }
  for (const meter of ['input', 'output', 'cachedInput'] as const) {
    if (after.prices[meter] === undefined) delete card.prices[meter]
    if (after.tiers[meter] === undefined) delete card.tiers[meter]
  }
  for (const meter of Object.keys(after.prices) as (keyof PriceCard['prices'])[]) {
    // Steps of another list do not go on above a new base price.
    if (after.tiers[meter] === undefined) delete card.tiers[meter]
  }
  return card
}

function makerOf(
  name: string,
  given: string,
  model: ModelRow | undefined,
): Pick<SyncItem, 'provider' | 'provider_name' | 'provider_icon_url'> {
  const maker = providerOf(given === '' ? (model?.provider ?? '') : given, name)
  return { provider: maker.id, provider_name: maker.name, provider_icon_url: model?.provider_icon_url ?? '' }
}
