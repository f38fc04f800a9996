import * as catalogApi from '../../../contract/api/price-catalog.ts'
import * as api from '../../../contract/api/sync.ts'
import type { SyncResult } from '../../../contract/api/sync.ts'
import { AppError } from '../../../contract/errors.ts'
import type { Json } from '../../../contract/json.ts'
import { bind, type Route } from '../../http/bind.ts'
import type { Deps } from '../../http/deps.ts'
import type { Actor } from '../catalog/change.ts'
import { enabledChannelIds } from '../channels/price-sync.ts'
import { listModelWires } from '../models/service.ts'
import { applyModels, applyPrices, discover } from './apply.ts'
import { suggest } from './catalog.ts'
import { readNames } from './formats/names.ts'
import { readPrices } from './formats/prices.ts'
import { channelNameOf, fetchNames, fetchPrices, namesPreview, pricesPreview, targetOf } from './preview.ts'
import { keptPreview, priceSyncList } from './schedule.ts'

/** Channels that are asked at the same time. */
const MAX_AT_ONCE = 8

/** Model lists, price lists, and the built-in price catalog. */
export function syncRoutes(deps: Deps): Route[] {
  return [
    bind(api.syncChannels, async ({ caller, ip }) => ({
      message: 'Sync finished' as const,
      results: await syncAll(deps, await enabledChannelIds(deps.db.query), { userId: caller.userId, ip }),
    })),
    bind(api.syncModels, async ({ body, caller, ip }) => {
      const asked = [...new Set(body?.channel_ids ?? [])]
      const ids = asked.length > 0 ? asked : await enabledChannelIds(deps.db.query)
      return { results: await syncAll(deps, ids, { userId: caller.userId, ip }) }
    }),
    bind(api.previewModels, async ({ body }) => {
      const target = await targetOf(deps, body.channel_id)
      const { source, names } = await fetchNames(deps, target, body.format ?? 'auto', body.path ?? '')
      return namesPreview(deps, target, source, names)
    }),
    bind(api.previewModelsBrowser, async ({ body }) => {
      const name = await channelNameOf(deps, body.channel_id)
      return namesPreview(deps, { id: body.channel_id, name }, body.source || 'browser', readNames(body.payload as Json))
    }),
    bind(api.applyModels, async ({ body, caller, ip }) => ({
      results: [await applyModels(deps, body, { userId: caller.userId, ip })],
    })),
    bind(api.previewPrices, async ({ body }) => {
      const target = await targetOf(deps, body.channel_id)
      const { source, feed } = await fetchPrices(deps, target, body.format ?? 'auto', body.path ?? '')
      return pricesPreview(deps, target, source, { items: feed.items.values(), skipped: feed.skipped })
    }),
    bind(api.previewPricesBrowser, async ({ body }) => {
      const name = await channelNameOf(deps, body.channel_id)
      const feed = readPrices(body.payload as Json)
      const from = { id: body.channel_id, name }
      return pricesPreview(deps, from, body.source || 'browser', { items: feed.items.values(), skipped: feed.skipped })
    }),
    bind(api.applyPrices, async ({ body, caller, ip }) => ({
      results: [await applyPrices(deps, body, { userId: caller.userId, ip })],
    })),
    bind(api.listPriceSyncs, () => priceSyncList(deps)),
    bind(api.getPriceSync, ({ params }) => keptPreview(deps, params.id)),
    bind(catalogApi.suggestPrice, ({ query }) => suggest(query.model, deps.clock.now())),
    bind(catalogApi.suggestPrices, async ({ body }) => {
      const names = body?.models ?? (await unpricedModels(deps))
      const suggestions = []
      for (const name of new Set(names)) suggestions.push(await suggest(name, deps.clock.now()))
      return { suggestions }
    }),
  ]
}

/** One result a channel; what fails for one is said there and stops nobody else. */
async function syncAll(deps: Deps, ids: readonly number[], actor: Actor): Promise<SyncResult[]> {
  const results = new Map<number, SyncResult>()
  const next = ids.values()
  await Promise.all(
    Array.from({ length: Math.min(MAX_AT_ONCE, ids.length) }, async () => {
      for (const id of next) results.set(id, await syncOne(deps, id, actor))
    }),
  )
  return ids.flatMap((id) => results.get(id) ?? [])
}

async function syncOne(deps: Deps, id: number, actor: Actor): Promise<SyncResult> {
  const result: SyncResult = { channel_id: id, channel_name: '', source: '', created: 0, updated: 0 }
  try {
    const target = await targetOf(deps, id)
    result.channel_name = target.name
    const { source, names } = await fetchNames(deps, target, 'auto', '')
    result.source = source
    return await discover(deps, result, names, actor)
  } catch (error) {
    if (!(error instanceof AppError)) throw error
    return { ...result, error: error.message }
  }
}

async function unpricedModels(deps: Deps): Promise<string[]> {
  const models = await listModelWires(deps, undefined)
  return Array.isArray(models) ? models.flatMap((model) => (model.priced || model.free ? [] : [model.model_name])) : []
}
