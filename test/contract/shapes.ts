import { decimal, each, filled, flag, id, int, nullable, object, optional, text, time, type Check, type Shape } from './fits.ts'

/** The objects of contract.md section 2, member by member; after each what Tollgate adds. */
const dated = { created_at: time, updated_at: time }
const LIMITS = 'rate_limit_rpm rate_limit_tpm rate_limit_concurrency'

/** 2.2 */
export const group = object({ id, name: filled, multiplier: decimal, ...dated }, LIMITS)

/** 2.3 */
const membership = object({ id, user_id: id, group_id: id, group, expires_at: nullable(time), ...dated })

/** 2.1; of another user id and masked name only (W10). */
const person = {
  id,
  username: filled,
  email: text,
  oidc_sub: optional(text),
  email_verified: flag,
  avatar_url: text,
  balance: decimal,
  group_id: id,
  referral_code: optional(text),
  referrer_id: optional(id),
  is_admin: flag,
  ...dated,
}
export const bareUser = object(person, 'role disabled_at')
export const user = object(
  { ...person, group, groups: optional([membership]), referrer: optional({ id, username: filled }) },
  `role disabled_at held budget_daily budget_monthly budget_daily_used budget_monthly_used ${LIMITS}`,
)

const METERS = [
  'input',
  'output',
  'cached_input',
  'cache_write_input',
  'cache_write_1h_input',
  'image_input',
  'image_output',
  'audio_input',
  'audio_output',
]
const PRICES = METERS.map((meter) => `${meter}_price`)
/** 2.8 */
export const tier = object({ min_tokens: int, price: decimal, condition: optional(filled) })
const tiers = nullable([tier])

/** Nine prices and nine tier lists, each name with what stands before it. */
export function card(before = ''): Record<string, Shape> {
  return {
    ...each(PRICES.map((name) => `${before}${name}`).join(' '), decimal),
    ...each(PRICES.map((name) => `${before}${name}_tiers`).join(' '), tiers),
  }
}

/** 2.7 */
export const model = object(
  { id, model_name: filled, provider: text, provider_icon_url: text, ...card(), enabled: flag, quota_type: int, ...dated },
  'free priced max_output_tokens',
)

const override = { id, group_id: id, group, multiplier: decimal, ...dated }
/** 2.10 */
export const channelOverride = object({ ...override, channel_id: id })
export const modelOverride = object({ ...override, model_config_id: id })

/** 2.9; the zero object `channel` is left out (1.2). */
export const channelModel = object(
  {
    id,
    channel_id: id,
    model_id: id,
    model: optional(model),
    upstream_model_name: filled,
    input_price: '0',
    output_price: '0',
    enabled: flag,
    ...dated,
    group_multipliers: optional([modelOverride]),
    model_name: filled,
    provider: optional(text),
    provider_icon_url: optional(text),
  },
  `cost first_byte_timeout_seconds ${LIMITS}`,
)

const bareUserChannel = {
  id,
  name: filled,
  description: text,
  multiplier: decimal,
  routing_algorithm: filled,
  enabled: flag,
  ...dated,
}
/** 2.6 */
export const channel = object(
  {
    id,
    user_channel_id: nullable(id),
    user_channel: optional(object(bareUserChannel, 'hedge_delay_ms')),
    name: filled,
    type: filled,
    base_url: filled,
    api_key: text,
    multiplier: decimal,
    priority: int,
    weight: int,
    enabled: flag,
    ...dated,
    models: [channelModel],
    group_multipliers: optional([channelOverride]),
    price_sync_enabled: flag,
    price_sync_cron: filled,
    price_sync_last_at: nullable(time),
    consecutive_failures: int,
    last_failure_at: nullable(time),
    last_failure_reason: text,
    auto_disabled_at: nullable(time),
    auto_disabled_reason: text,
    last_health_checked_at: nullable(time),
    last_health_status: text,
  },
  `protocol first_byte_timeout_seconds ${LIMITS}`,
)

/** 2.5 */
export const allowedGroup = object({ id, user_channel_id: id, group_id: id, group, ...dated })
export const userChannel = object({ ...bareUserChannel, channels: optional([channel]), allowed_groups: [allowedGroup] }, 'hedge_delay_ms')

/** 2.11 */
const log = {
  id,
  user_id: id,
  api_key_id: optional(id),
  user_channel_id: optional(id),
  model_name: filled,
  ...each(METERS.map((meter) => `${meter}_tokens`).join(' '), int),
  cost: decimal,
  ip: text,
  user_agent: text,
  created_at: time,
  response_time_ms: int,
  first_response_time_ms: nullable(int),
  base_cost: decimal,
  group_multiplier: decimal,
  user_channel_multiplier: decimal,
  ...each('input_price output_price cached_input_price cache_write_input_price cache_write_1h_input_price', optional(decimal)),
}
const RECEIPT =
  'request_id api_key_name user_channel_name protocol endpoint stream source status end_reason usage_source reasoning_tokens uncollected group_source charge_note losses attempt_count meta_model meta_role parent_request_id'
/** Users are not told which upstream it was (W53). */
export const userLog = object(log, RECEIPT)
export const adminLog = object(
  { ...log, channel_id: optional(id), model_config_id: optional(id) },
  `${RECEIPT} username channel_name upstream_model_name upstream_protocol upstream_cost error audit_label`,
)

/** 2.12 */
export const announcement = object({ id, title: filled, content: filled, enabled: flag, sort_order: int, ...dated })

const percent: Check = (value) =>
  typeof value === 'number' && value >= 0 && value <= 100 ? undefined : `${JSON.stringify(value)} is no percentage`
const checkState = { latency_ms: int, checked_at: time }
export const statusCheck = object({ id, status: text, status_code: optional(int), message: optional(filled), ...checkState })
export const monitor = object(
  {
    id,
    ...each('name target_url check_type method last_status', filled),
    ...each('interval_seconds retention_hours last_latency_ms last_status_code', int),
    last_message: text,
    enabled: flag,
    last_checked_at: nullable(time),
    recent_checks: nullable([statusCheck]),
    ...dated,
  },
  'cost_total',
)
export const publicMonitor = object(
  {
    id,
    name: filled,
    status: text,
    latency_ms: int,
    last_checked_at: nullable(time),
    uptime: percent,
    recent_checks: [object({ status: text, ...checkState })],
  },
  'uptimes days',
)

/** 2.13 */
export const commission = object(
  {
    id,
    referrer_id: id,
    referred_user_id: id,
    referred_user: optional({ id, username: filled }),
    token_log_id: id,
    base_cost: decimal,
    rate: decimal,
    amount: decimal,
    created_at: time,
  },
  'clawed_back due_at credited_at',
)

export const message = (said: string): Shape => ({ message: said })
export const page = (item: Shape): Shape => ({ items: [item], total: int, page: int, page_size: int })
