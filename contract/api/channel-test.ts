import { z } from 'zod'
import { channelTypeOf } from '../channel-types.ts'
import { endpoint } from '../endpoint.ts'

/** A test of many models is run in parts by the console; one request stays short. */
const MAX_MODELS = 50
const DEFAULT_TIMEOUT_MS = 10_000
const MAX_TIMEOUT_MS = 60_000

/** What is not stored yet: the form as it stands. */
const draft = z.object({
  type: z.string().transform((type, context) => {
    const known = channelTypeOf(type)
    if (known === undefined) context.addIssue({ code: 'custom', message: 'is not a known channel type' })
    return known ?? z.NEVER
  }),
  base_url: z.string().trim(),
  api_key: z.string(),
})

export const testChannel = endpoint({
  method: 'POST',
  path: '/api/channels/test',
  access: 'admin',
  summary: 'Tests a stored or drafted channel step by step, as server-sent events: step, models, model, done',
  body: z
    .object({
      channel_id: z.int().positive().optional(),
      draft: draft.optional(),
      models: z.array(z.string().trim().min(1).max(100)).max(MAX_MODELS).default([]),
      timeout_ms: z.int().min(1_000).max(MAX_TIMEOUT_MS).default(DEFAULT_TIMEOUT_MS),
    })
    .refine((body) => (body.channel_id === undefined) !== (body.draft === undefined), { error: 'Give either channel_id or draft' }),
  response: z.string(),
})
