import { z } from 'zod'
import { endpoint } from '../endpoint.ts'
import { cardInput, cardOutput } from '../prices.ts'
import { idParams, listSchema, messageAnswer, pageQuery, searchQuery, time } from './common.ts'

/** Longest model name (contract.md 2.7). */
export const MAX_MODEL_NAME = 100

/** 0: per token. 1: the output price is the price of one call or item. */
const quotaType = z.union([z.literal(0), z.literal(1)], { error: 'must be 0 (per token) or 1 (per call or item)' })

/** A model of the platform with its prices in USD per 1,000,000 tokens (contract.md 2.7). */
export const modelWire = z.strictObject({
  id: z.int(),
  model_name: z.string(),
  provider: z.string(),
  provider_icon_url: z.string(),
  ...cardOutput,
  quota_type: quotaType,
  /** Sold for nothing on purpose. */
  free: z.boolean(),
  /** Has a price. A model neither priced nor free is not for sale (W43). */
  priced: z.boolean(),
  /** The model's own ceiling of output tokens: what a call sets aside at most; null: the default. */
  max_output_tokens: z.int().nullable(),
  enabled: z.boolean(),
  created_at: time,
  updated_at: time,
})
export type ModelWire = z.input<typeof modelWire>

/** Icon addresses are shown by browsers: http(s) only, or a path of this site. */
export const iconUrl = z
  .string()
  .trim()
  .max(255)
  .refine((url) => url === '' || /^(https?:\/\/|\/(?!\/))/i.test(url), { error: 'must be an http(s) URL' })
export const providerText = z.string().trim().max(50)

const modelFields = {
  provider: providerText.nullish(),
  provider_icon_url: iconUrl.nullish(),
  ...cardInput,
  quota_type: quotaType.nullish(),
  free: z.boolean().nullish(),
  max_output_tokens: z.int().min(1).max(10_000_000).nullish(),
  enabled: z.boolean().nullish(),
}
export const modelBody = z.object({ model_name: z.string().trim().max(MAX_MODEL_NAME).nullish(), ...modelFields })
export type ModelBody = z.output<typeof modelBody>

export const listModels = endpoint({
  method: 'GET',
  path: '/api/models',
  access: 'support',
  summary: 'All models by name; as a page newest first',
  query: searchQuery,
  response: listSchema(modelWire),
})
export const getModel = endpoint({
  method: 'GET',
  path: '/api/models/:id',
  access: 'support',
  summary: 'One model',
  params: idParams('Invalid model id'),
  response: modelWire,
})
export const createModel = endpoint({
  method: 'POST',
  path: '/api/models',
  access: 'admin',
  summary: 'Makes a model; without prices and not marked free it is not for sale',
  body: modelBody.extend({
    model_name: z.string({ error: 'Model is required' }).trim().min(1, { error: 'Model is required' }).max(MAX_MODEL_NAME),
  }),
  response: modelWire,
})
export const updateModel = endpoint({
  method: 'PUT',
  path: '/api/models/:id',
  access: 'admin',
  summary: 'Changes a model: all prices and tiers are replaced (absent = 0 or none), everything else is kept when absent',
  params: idParams('Invalid model id'),
  body: modelBody,
  response: modelWire,
})
export const deleteModel = endpoint({
  method: 'DELETE',
  path: '/api/models/:id',
  access: 'admin',
  summary: 'Deletes a model and everything that binds it to channels',
  params: idParams('Invalid model id'),
  response: messageAnswer,
})

/** What was asked for from `created_at` on, until the next newer version. */
export const priceVersionWire = z.strictObject({
  id: z.int(),
  model_id: z.int(),
  ...cardOutput,
  quota_type: quotaType,
  free: z.boolean(),
  actor_user_id: z.int().nullable(),
  /** Where the change came from: `manual`, or the name of what imported it. */
  source: z.string(),
  created_at: time,
})
export type PriceVersionWire = z.input<typeof priceVersionWire>

export const modelPriceHistory = endpoint({
  method: 'GET',
  path: '/api/models/:id/price-history',
  access: 'support',
  summary: 'Price versions of a model, newest first',
  params: idParams('Invalid model id'),
  query: pageQuery,
  response: listSchema(priceVersionWire),
})
