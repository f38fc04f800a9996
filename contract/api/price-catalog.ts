import { z } from 'zod'
import { endpoint } from '../endpoint.ts'
import { cardOutput } from '../prices.ts'
import { MAX_MODEL_NAME } from './models.ts'

/** More than a site sells. */
const MAX_NAMES = 1_000
const name = z.string().trim().min(1, { error: 'Model is required' }).max(MAX_MODEL_NAME)

/** List price of a model in the catalog that comes with the server. */
export const suggestion = z.strictObject({
  model_name: z.string(),
  /** `exact`: by its own name there; `alias`: by another name of it; null: not known. */
  match: z.enum(['exact', 'alias']).nullable(),
  catalog_provider: z.string(),
  catalog_model: z.string(),
  ...cardOutput,
  quota_type: z.literal(0),
  /** What has no place in a card: `unmapped:<price>`, `varies_by_hour`. */
  notes: z.array(z.string()),
})
export type Suggestion = z.input<typeof suggestion>

export const suggestPrice = endpoint({
  method: 'GET',
  path: '/api/price-catalog',
  access: 'support',
  summary: 'List price of a model in the built-in catalog; works offline, changes nothing',
  query: z.object({ model: z.string({ error: 'Model is required' }).pipe(name) }),
  response: suggestion,
})
export const suggestPrices = endpoint({
  method: 'POST',
  path: '/api/price-catalog/suggest',
  access: 'admin',
  summary: 'The same for many models; without names all that have no price yet',
  body: z.object({ models: z.array(name).max(MAX_NAMES).nullish() }).optional(),
  response: z.strictObject({ suggestions: z.array(suggestion) }),
})
