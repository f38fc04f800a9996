import { z } from 'zod'
import { endpoint } from '../endpoint.ts'
import { cardInput, cardOutput } from '../prices.ts'
import { idParams, time } from './common.ts'
import { iconUrl, MAX_MODEL_NAME, providerText } from './models.ts'

/** More than any list has; an apply is one transaction. */
const MAX_SELECTED = 5_000
const MAX_SOURCE = 200
const MAX_PATH = 500

/** How a price of a feed relates to the one in force. */
export const priceChanges = ['new', 'same', 'lower', 'higher', 'first_price', 'jump', 'zero', 'free', 'unit', 'unusable'] as const
export type PriceChange = (typeof priceChanges)[number]

/** A model of a preview (contract.md 3.5 SyncPreview); the prices per million tokens, or per call. */
export const syncItem = z.strictObject({
  model_name: z.string(),
  ...cardOutput,
  quota_type: z.union([z.literal(0), z.literal(1)]),
  provider: z.string(),
  provider_name: z.string(),
  provider_icon_url: z.string(),
  /** The channel carries it (model lists), or a model of this name exists (price lists). */
  exists: z.boolean(),
  change: z.enum(priceChanges),
  /** An apply changes nothing unless it names this model in `confirm`. */
  needs_confirmation: z.boolean(),
  /** Why its prices cannot be taken over; null: they can. */
  problem: z.string().nullable(),
  /** What was assumed (`output_assumed`), or has no place here (`unmapped:<member>`). */
  notes: z.array(z.string()),
  /** The prices in force; null: there is no such model, or prices were not asked for. */
  current: z.strictObject(cardOutput).nullable(),
})
export type SyncItem = z.input<typeof syncItem>

const preview = {
  channel_id: z.int(),
  channel_name: z.string(),
  /** Path that was read, or the caller's label. */
  source: z.string(),
  models: z.array(syncItem),
  /** Entries of the list that are no model. */
  skipped: z.int(),
  /** Models the channel carries whose upstream name is not in the list any more. */
  gone: z.array(z.string()),
}
export const syncPreview = z.strictObject(preview)
export type SyncPreview = z.input<typeof syncPreview>

export const syncResult = z.strictObject({
  channel_id: z.int(),
  channel_name: z.string(),
  source: z.string(),
  created: z.int(),
  updated: z.int(),
  error: z.string().optional(),
})
export type SyncResult = z.input<typeof syncResult>
const results = z.strictObject({ results: z.array(syncResult) })

const channelId = z.int({ error: 'Channel is required' }).positive({ error: 'Channel is required' })
const previewBody = z.object({
  channel_id: channelId,
  format: z.string().trim().max(50).nullish(),
  /** Of the format `custom`. */
  path: z.string().trim().max(MAX_PATH).nullish(),
})
const browserBody = z.object({
  channel_id: channelId,
  source: z.string().trim().max(MAX_SOURCE).nullish(),
  payload: z.unknown().refine((payload) => payload !== undefined && payload !== null, { error: 'Payload is required' }),
})

const modelName = z.string().trim().min(1).max(MAX_MODEL_NAME)
const selected = <T extends z.ZodRawShape>(shape: T) =>
  z
    .array(z.object({ model_name: modelName, provider: providerText.nullish(), provider_icon_url: iconUrl.nullish(), ...shape }), {
      error: 'No models selected',
    })
    .min(1, { error: 'No models selected' })
    .max(MAX_SELECTED)
const applyModelsBody = z.object({ channel_id: channelId, models: selected({}) })
export type ApplyModelsBody = z.output<typeof applyModelsBody>

/** Names of models whose unusual change is meant. */
const confirm = z.array(modelName).max(MAX_SELECTED).nullish()
const applyPricesBody = z.object({
  channel_id: channelId,
  models: selected({ ...cardInput, quota_type: z.union([z.literal(0), z.literal(1)]).nullish() }),
  confirm,
})
export type ApplyPricesBody = z.output<typeof applyPricesBody>

const admin = { method: 'POST', access: 'admin' } as const

export const syncChannels = endpoint({
  ...admin,
  path: '/api/channels/sync',
  summary: 'Reads the model lists of all enabled channels; what is new is bound switched off, nothing that exists is changed',
  response: z.strictObject({ message: z.literal('Sync finished'), results: z.array(syncResult) }),
})
export const syncModels = endpoint({
  ...admin,
  path: '/api/models/sync',
  summary: 'The same for the given channels; without ids all enabled ones',
  body: z.object({ channel_ids: z.array(z.int().positive()).max(1_000).nullish() }).optional(),
  response: results,
})
export const previewModels = endpoint({
  ...admin,
  path: '/api/models/sync/preview',
  summary: 'What the model list of a channel says; changes nothing',
  body: previewBody,
  response: syncPreview,
})
export const previewModelsBrowser = endpoint({
  ...admin,
  path: '/api/models/sync/preview/browser',
  summary: 'The same from a list that the browser fetched or somebody pasted',
  body: browserBody,
  response: syncPreview,
})
export const applyModels = endpoint({
  ...admin,
  path: '/api/models/sync/apply',
  summary: 'Binds the selected models to the channel, all or none; a new model has no price and is not for sale',
  body: applyModelsBody,
  response: results,
})
export const previewPrices = endpoint({
  ...admin,
  path: '/api/models/prices/sync/preview',
  summary: 'What the price list of a channel says against the prices in force; changes nothing',
  body: previewBody,
  response: syncPreview,
})
export const previewPricesBrowser = endpoint({
  ...admin,
  path: '/api/models/prices/sync/preview/browser',
  summary: 'The same from a list that the browser fetched or somebody pasted',
  body: browserBody,
  response: syncPreview,
})
export const applyPrices = endpoint({
  ...admin,
  path: '/api/models/prices/sync/apply',
  summary: 'Takes the selected prices over, all or none; zeros and jumps only where `confirm` names the model',
  body: applyPricesBody,
  response: results,
})

/** What the scheduled reading of a channel's price list came to. */
const keptPreview = {
  fetched_at: time.nullable(),
  tried_at: time,
  /** Of the last try; null: it went well. */
  error: z.string().nullable(),
}
export const listPriceSyncs = endpoint({
  method: 'GET',
  path: '/api/price-syncs',
  access: 'support',
  summary: 'What the scheduled readings of price lists found, a line a channel',
  response: z.array(
    z.strictObject({
      channel_id: z.int(),
      channel_name: z.string(),
      source: z.string(),
      ...keptPreview,
      /** Models whose price differs. */
      changed: z.int(),
      /** Those of them that need a confirmation. */
      needs_confirmation: z.int(),
    }),
  ),
})
export const getPriceSync = endpoint({
  method: 'GET',
  path: '/api/channels/:id/price-sync',
  access: 'support',
  summary: 'The kept preview of a channel against the prices in force now',
  params: idParams('Invalid channel id'),
  response: z.strictObject({ ...preview, ...keptPreview }),
})
