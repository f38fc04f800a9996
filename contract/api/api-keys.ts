import { z } from 'zod'
import { decimalInput } from '../decimal.ts'
import { endpoint } from '../endpoint.ts'
import { budgetFields, budgetInput } from './budgets.ts'
import { idParams, limitFields, limitInput, listSchema, messageAnswer, pageQuery, time } from './common.ts'

/** A key without its secret (contract.md 2.4). */
export const apiKeyWire = z.strictObject({
  id: z.int(),
  name: z.string(),
  key_prefix: z.string(),
  /** Always "": the secret is shown once, at its making (W11). */
  api_key: z.literal(''),
  allowed_models: z.array(z.string()),
  allowed_user_channels: z.array(z.int()),
  allowed_ips: z.array(z.string()),
  quota_limit: z.string(),
  quota_remaining: z.string().optional(),
  ...budgetFields,
  enabled: z.boolean(),
  /** Requests a minute: null means the site's own limit. */
  ...limitFields,
  expires_at: time.nullable(),
  usage_reset_at: time.nullable(),
  usage: z.strictObject({
    request_count: z.int(),
    input_tokens: z.int(),
    output_tokens: z.int(),
    cached_input_tokens: z.int(),
    total_tokens: z.int(),
    total_cost: z.string(),
  }),
  last_used_at: time.nullable(),
  created_at: time,
  updated_at: time,
})

export type ApiKeyWire = z.input<typeof apiKeyWire>

/** More entries than any use has; bounds what a look-up compares. */
const MAX_ENTRIES = 500

/** Body of create and update. Lists that are absent are cleared, as the contract has it. */
export const apiKeyBody = z.object({
  name: z.string().trim().max(100).nullish(),
  /** Names; `*` stands for any text. Empty: every model. */
  allowed_models: z.array(z.string().trim().min(1).max(200)).max(MAX_ENTRIES).nullish(),
  /** Tried in this order; at least one. */
  allowed_user_channels: z.array(z.int().positive()).max(MAX_ENTRIES).nullish(),
  /** Addresses and CIDR ranges. Empty: from everywhere. */
  allowed_ips: z.array(z.string().trim().min(1).max(60)).max(MAX_ENTRIES).nullish(),
  quota_limit: decimalInput.refine((limit) => limit >= 0n, { error: 'API key quota limit cannot be negative' }).nullish(),
  ...budgetInput,
  enabled: z.boolean().nullish(),
  /** Requests a minute, instead of the site's limit (null: the site's); tokens a minute and calls at once (null: no limit). */
  ...limitInput,
  expires_at: z.iso.datetime({ offset: true }).nullish(),
})

const secretAnswer = z.strictObject({ api_key: z.string(), key: apiKeyWire })

export const listApiKeys = endpoint({
  method: 'GET',
  path: '/api/user/api-keys',
  access: 'user',
  summary: 'Own keys, newest first',
  query: pageQuery,
  response: listSchema(apiKeyWire),
})
export const createApiKey = endpoint({
  method: 'POST',
  path: '/api/user/api-keys',
  access: 'user',
  summary: 'Makes a key; its secret is shown this once',
  body: apiKeyBody,
  response: secretAnswer,
})
export const updateApiKey = endpoint({
  method: 'PUT',
  path: '/api/user/api-keys/:id',
  access: 'user',
  summary: 'Changes a key; lists are replaced',
  params: idParams('Invalid API key id'),
  body: apiKeyBody,
  response: apiKeyWire,
})
export const deleteApiKey = endpoint({
  method: 'DELETE',
  path: '/api/user/api-keys/:id',
  access: 'user',
  summary: 'Deletes a key; it stops working at once',
  params: idParams('Invalid API key id'),
  response: messageAnswer,
})
export const rotateLegacyKey = endpoint({
  method: 'POST',
  path: '/api/user/api-key/rotate',
  access: 'user',
  summary: 'Gives `Default key` a new secret, or makes it, bound to every enabled user channel',
  response: secretAnswer,
})
export const rotateApiKey = endpoint({
  method: 'POST',
  path: '/api/user/api-keys/:id/rotate',
  access: 'user',
  summary: 'Gives a key a new secret; the old one works for `grace_seconds` more (default 0)',
  params: idParams('Invalid API key id'),
  body: z
    .object({
      grace_seconds: z
        .int()
        .min(0)
        .max(7 * 86_400)
        .nullish(),
    })
    .optional(),
  response: secretAnswer,
})
export const resetApiKeyUsage = endpoint({
  method: 'POST',
  path: '/api/user/api-keys/:id/reset-usage',
  access: 'user',
  summary: 'Counts usage and quota of a key from now on',
  params: idParams('Invalid API key id'),
  response: apiKeyWire,
})
