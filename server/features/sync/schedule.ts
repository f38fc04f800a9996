import { AppError } from '../../../contract/errors.ts'
import { isObject } from '../../../contract/json.ts'
import { decodeCard, encodeCard } from '../../../contract/quote.ts'
import type { getPriceSync, listPriceSyncs } from '../../../contract/api/sync.ts'
import type { ResponseOf } from '../../../contract/endpoint.ts'
import type { Deps } from '../../http/deps.ts'
import { isoTime, isoTimeOrNull } from '../../lib/clock.ts'
import { parseCron } from '../../lib/cron.ts'
import { describeError } from '../../lib/log.ts'
import { channelNames } from '../channels/service.ts'
import { claimPriceSync, syncableChannels, type SyncableChannel } from '../channels/price-sync.ts'
import type { FeedItem } from './feed.ts'
import { fetchPrices, pricesPreview, targetOf } from './preview.ts'
import { dropOrphans, findPreview, keepPreview, noteFailure, selectPreviews, type PricePreviewRow } from './store.ts'

/** How often plans are looked at: they are to the minute. */
export const PRICE_SYNC_MS = 60_000
/** Lists that are read at the same time, each in its own time: a slow one takes one of these places for 30 s at most. */
const MAX_AT_ONCE = 16
/** An error is a line in a table. */
const MAX_ERROR_CHARS = 500

/**
 * Reads the price lists whose time has come and keeps what they say. It never changes a price: that is what an apply is for.
 * Only one process reads a list.
 */
export class PriceSync {
  readonly #deps: Deps
  readonly #stop = new AbortController()

  constructor(deps: Deps) {
    this.#deps = deps
  }

  async run(): Promise<void> {
    const { db, clock } = this.#deps
    await dropOrphans(db.query)
    const now = clock.now()
    const due = (await syncableChannels(db.query)).filter((channel) => isDue(channel, now))
    const next = due.values()
    // As many readers as there are places; each takes the next channel when it is done with one.
    await Promise.all(
      Array.from({ length: Math.min(MAX_AT_ONCE, due.length) }, async () => {
        for (const channel of next) if (!this.#stop.signal.aborted) await this.#read(channel, now)
      }),
    )
  }

  /** Breaks off what is being read. */
  stop(): void {
    this.#stop.abort()
  }

  async #read(channel: SyncableChannel, now: number): Promise<void> {
    const deps = this.#deps
    if (!(await claimPriceSync(deps.db.query, channel, now))) return
    try {
      const target = await targetOf(deps, channel.id)
      const { source, feed } = await fetchPrices(deps, target, 'auto', '', this.#stop.signal)
      await keepPreview(deps.db.query, {
        channel_id: channel.id,
        source,
        items: itemsText(feed.items.values()),
        skipped: feed.skipped,
        error: '',
        fetched_at: now,
        tried_at: now,
      })
    } catch (error) {
      if (!(error instanceof AppError))
        deps.log.error('a price list could not be kept', { channel_id: channel.id, cause: describeError(error) })
      const reason = error instanceof AppError ? error.message : 'something went wrong on our side'
      await noteFailure(deps.db.query, channel.id, reason.slice(0, MAX_ERROR_CHARS), now)
    }
  }
}

/** A plan that cannot be read any more, or has no further time, is never due. */
function isDue({ cron, since }: SyncableChannel, now: number): boolean {
  try {
    const next = parseCron(cron).next(since)
    return next !== undefined && next <= now
  } catch (error) {
    if (error instanceof RangeError) return false
    throw error
  }
}

/** A line for each kept reading, against the prices in force now. */
export async function priceSyncList(deps: Pick<Deps, 'db' | 'settings'>): Promise<ResponseOf<typeof listPriceSyncs>> {
  const rows = await selectPreviews(deps.db.query)
  const names = await channelNames(
    deps.db.query,
    rows.map(({ channel_id: id }) => id),
  )
  const list: ResponseOf<typeof listPriceSyncs> = []
  for (const row of rows) {
    const name = names.get(row.channel_id)
    if (name === undefined) continue
    const items = itemsOf(row.items)
    const models =
      items.length === 0 ? [] : (await pricesPreview(deps, { id: row.channel_id, name }, row.source, { items, skipped: 0 })).models
    list.push({
      channel_id: row.channel_id,
      channel_name: name,
      source: row.source,
      ...triesOf(row),
      changed: models.filter(({ change, exists }) => exists && change !== 'same' && change !== 'unusable').length,
      needs_confirmation: models.filter((model) => model.needs_confirmation).length,
    })
  }
  return list
}

/** The whole kept preview of a channel. @throws AppError channel_not_found | price_sync_missing */
export async function keptPreview(deps: Pick<Deps, 'db' | 'settings'>, channelId: number): Promise<ResponseOf<typeof getPriceSync>> {
  const name = (await channelNames(deps.db.query, [channelId])).get(channelId)
  if (name === undefined) throw new AppError('channel_not_found')
  const row = await findPreview(deps.db.query, channelId)
  if (!row) throw new AppError('price_sync_missing')
  const target = { id: channelId, name }
  const items = itemsOf(row.items)
  const preview =
    items.length === 0
      ? { channel_id: channelId, channel_name: name, source: row.source, models: [], skipped: row.skipped, gone: [] }
      : await pricesPreview(deps, target, row.source, { items, skipped: row.skipped })
  return { ...preview, ...triesOf(row) }
}

function triesOf(row: PricePreviewRow): { fetched_at: string | null; tried_at: string; error: string | null } {
  return { fetched_at: isoTimeOrNull(row.fetched_at), tried_at: isoTime(row.tried_at), error: row.error === '' ? null : row.error }
}

function itemsText(items: Iterable<FeedItem>): string {
  return JSON.stringify([...items].map((item) => ({ ...item, card: encodeCard(item.card) })))
}

/** Reads what `itemsText` wrote. */
function itemsOf(text: string): FeedItem[] {
  const rows: unknown = JSON.parse(text)
  if (!Array.isArray(rows)) throw new TypeError('not a kept price list')
  return rows.map((row: unknown) => {
    if (!isObject(row) || typeof row['card'] !== 'string') throw new TypeError('not a kept price list')
    return { ...(row as unknown as FeedItem), problem: row['problem'] as FeedItem['problem'], card: decodeCard(row['card']) }
  })
}
