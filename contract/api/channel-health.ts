import { z } from 'zod'
import { endpoint } from '../endpoint.ts'
import { idParams, messageAnswer, time } from './common.ts'

/** closed: in use. open: left out until `retry_at`. half_open: the next call is its trial. */
const breakerState = z.enum(['closed', 'open', 'half_open'])

const breaker = {
  state: breakerState,
  /** Why it opened; "" when closed. */
  reason: z.string(),
  retry_at: time.nullable(),
  /** Failures in a row. */
  consecutive_failures: z.int(),
}

/** What the traffic of this process says of an upstream since its start or its last reset. */
export const channelHealthWire = z.strictObject({
  channel_id: z.int(),
  name: z.string(),
  user_channel_id: z.int(),
  ...breaker,
  /** No key works: out of service until one does, whatever the owner's switch says. */
  auto_disabled: z.boolean(),
  auto_disabled_reason: z.string(),
  in_flight: z.int(),
  calls: z.int(),
  failures: z.int(),
  /** Tokens read, and the part of them that came from the upstream's prompt cache. */
  input_tokens: z.int(),
  cached_input_tokens: z.int(),
  /** Cached part of the input, 0 to 1; null before any. */
  cache_hit_rate: z.number().nullable(),
  /** In the order they are stored; never more than their last four characters. */
  keys: z.array(z.strictObject({ key: z.string(), ...breaker })),
  models: z.array(
    z.strictObject({
      model_config_id: z.int(),
      model_name: z.string(),
      ...breaker,
      /** Smoothed over the last calls; null: not measured yet. */
      first_token_ms: z.number().nullable(),
      tokens_per_second: z.number().nullable(),
    }),
  ),
})
export type ChannelHealthWire = z.input<typeof channelHealthWire>

export const listChannelHealth = endpoint({
  method: 'GET',
  path: '/api/channel-health',
  access: 'support',
  summary: 'Upstreams in use that had traffic or are left out: breakers, keys, speed, load, cache hits',
  response: z.array(channelHealthWire),
})
export const getChannelHealth = endpoint({
  method: 'GET',
  path: '/api/channels/:id/health',
  access: 'support',
  summary: 'What the traffic says of one upstream',
  params: idParams('Invalid channel id'),
  response: channelHealthWire,
})
export const resetChannelHealth = endpoint({
  method: 'POST',
  path: '/api/channels/:id/health/reset',
  access: 'admin',
  summary: 'Forgets what speaks against an upstream: it is used again at once',
  params: idParams('Invalid channel id'),
  response: messageAnswer,
})
