// long file: the whole schema in one place is what a reader looks for
import type { Generated, Insertable } from 'kysely'
import type { Money } from '../../contract/money.ts'

/** Limits of what can be limited: a minute, a minute, at once; null: none. */
interface Limited {
  rate_limit_rpm: number | null
  rate_limit_tpm: number | null
  rate_limit_concurrency: number | null
}

/** Epoch milliseconds, UTC. */
type Time = number
/** 0 or 1. */
type Flag = number
/** JSON text, read and written through zod by the table's owner. */
type JsonText = string

interface Dated {
  created_at: Time
  updated_at: Time
}

export interface GroupTable extends Dated, Limited {
  id: Generated<number>
  name: string
  multiplier: Money
  is_default: Flag
}

export interface UserTable extends Dated, Limited {
  id: Generated<number>
  username: string
  /** Lower-case; unique. */
  email: string
  oidc_sub: string | null
  /** Whose subject `oidc_sub` is; null for imported accounts until their next sign-in. */
  oidc_issuer: string | null
  email_verified: Flag
  avatar_url: string
  password_hash: string | null
  group_id: number
  referral_code: string
  referrer_id: number | null
  /** owner | admin | finance | support | user */
  role: string
  disabled_at: Time | null
  /** Sessions issued before this instant are over (password change, demotion, "log out everywhere"). */
  sessions_valid_from: Time
  preferences: JsonText
}

export interface MembershipTable extends Dated {
  id: Generated<number>
  user_id: number
  group_id: number
  expires_at: Time | null
}

/** The owner of money: today one per user; an id of its own so that organisations can come. */
/** What may be spent in a day and a month of the site's time zone, and what was. */
interface Budgeted {
  /** null: no budget. */
  budget_daily: Money | null
  budget_monthly: Money | null
  /** The day that `spent_day` counts, YYYYMMDD; `spent_month` counts its month. */
  budget_day: Generated<number>
  spent_day: Generated<Money>
  spent_month: Generated<Money>
}

export interface AccountTable extends Dated, Budgeted {
  id: Generated<number>
  user_id: number
  balance: Money
  held: Money
  /** The part of `balance` that was given, not paid; charges take it first. */
  gifted: Money
  /** Balance and gifted part before the last change: lets one conditional update tell how much it really took. */
  balance_before: Money
  gifted_before: Money
  /** How far below zero a settlement may take the balance; the account is blocked until it is paid. */
  debt_limit: Money
  request_count: number
  spent: Money
}

export interface LedgerEntryTable {
  id: Generated<number>
  account_id: number
  /** usage | recharge | adjustment | check_in | commission | refund | opening | redeem */
  kind: string
  /** Unique per kind: the request id, order number ... */
  reference: string
  amount: Money
  /** The part of `amount` that is gifted money. */
  gifted: Money
  balance_after: Money
  actor_user_id: number | null
  reason: string
  note: string
  created_at: Time
}

/** Money set aside for a call that runs; the row is written before the upstream is asked. */
export interface HoldTable {
  /** The request id. */
  id: string
  account_id: number
  /** The key whose quota is reserved by the same amount; null: none is. */
  api_key_id: number | null
  /** The process that runs the call; its holds are orphans once it is gone. */
  instance: string
  amount: Money
  created_at: Time
  deadline_at: Time
  /** What a log row needs if this process dies: who, what, price snapshot. */
  context: JsonText
}

/** Processes on this database; one that stops beating is dead and its holds are freed. */
export interface InstanceTable {
  id: string
  started_at: Time
  heartbeat_at: Time
}

export interface ApiKeyTable extends Dated, Budgeted, Limited {
  id: Generated<number>
  user_id: number
  name: string
  /** SHA-256 hex of the whole key. */
  key_hash: string
  key_prefix: string
  allowed_models: JsonText
  allowed_user_channels: JsonText
  allowed_ips: JsonText
  quota_limit: Money
  quota_used: Money
  quota_held: Money
  enabled: Flag
  expires_at: Time | null
  /** After a rotation the old secret works until then. */
  previous_key_hash: string | null
  previous_expires_at: Time | null
  request_count: number
  input_tokens: number
  output_tokens: number
  cached_input_tokens: number
  total_cost: Money
  usage_reset_at: Time | null
  last_used_at: Time | null
}

export interface UserChannelTable extends Dated {
  id: Generated<number>
  name: string
  description: string
  multiplier: Money
  routing_algorithm: string
  enabled: Flag
  /** After this long without the first content of a stream a second channel is asked as well; null: never. */
  hedge_delay_ms: number | null
}

/** Which groups may use a user channel; one without a row is open to all. */
export interface AllowedGroupTable extends Dated {
  id: Generated<number>
  user_channel_id: number
  group_id: number
}

export interface ChannelTable extends Dated, Limited {
  id: Generated<number>
  user_channel_id: number | null
  name: string
  type: string
  base_url: string
  /** Encrypted (lib/secret-box.ts); never on the wire. */
  api_key_sealed: string
  /** The last four characters, for the mask. */
  api_key_hint: string
  multiplier: Money
  priority: number
  weight: number
  enabled: Flag
  price_sync_enabled: Flag
  price_sync_cron: string
  price_sync_last_at: Time | null
  consecutive_failures: number
  last_failure_at: Time | null
  last_failure_reason: string
  auto_disabled_at: Time | null
  auto_disabled_reason: string
  last_health_checked_at: Time | null
  last_health_status: string
  /** In the place of `reliability_first_byte_timeout_seconds`; null: the site's. */
  first_byte_timeout_seconds: number | null
}

export interface ChannelGroupMultiplierTable extends Dated {
  id: Generated<number>
  channel_id: number
  group_id: number
  multiplier: Money
}
export interface ChannelModelGroupMultiplierTable extends Dated {
  id: Generated<number>
  channel_model_id: number
  group_id: number
  multiplier: Money
}

export interface ModelTable extends Dated {
  id: Generated<number>
  model_name: string
  provider: string
  provider_icon_url: string
  /** A PriceCard (contract/quote.ts) as JSON. */
  price_card: JsonText
  /** 0 per token, 1 per call or item. */
  quota_type: number
  /** Sold for nothing on purpose; without it a model without prices is refused (W43). */
  free: Flag
  /** The model's own ceiling of output tokens, for the hold; null: the default. */
  max_output_tokens: number | null
  enabled: Flag
}

/** Prices are dated records: what was asked for when, and who changed it (W46). */
export interface PriceVersionTable {
  id: Generated<number>
  model_id: number
  price_card: JsonText
  quota_type: number
  free: Flag
  actor_user_id: number | null
  source: string
  created_at: Time
}

export interface ChannelModelTable extends Dated, Limited {
  id: Generated<number>
  channel_id: number
  model_id: number
  upstream_model_name: string
  /** What the upstream asks for, a PriceCard; null: unknown, never taken as 0. */
  cost_card: JsonText | null
  enabled: Flag
  /** In the place of the channel's; null: the channel's. */
  first_byte_timeout_seconds: number | null
}

export interface LogTable {
  id: Generated<number>
  request_id: string
  user_id: number
  account_id: number
  api_key_id: number | null
  user_channel_id: number | null
  channel_id: number | null
  channel_model_id: number | null
  model_name: string
  upstream_model_name: string
  protocol: string
  upstream_protocol: string
  endpoint: string
  stream: Flag
  /** HTTP status the customer got. */
  status: number
  end_reason: string
  usage_source: string
  input_tokens: number
  output_tokens: number
  cached_input_tokens: number
  cache_write_input_tokens: number
  cache_write_1h_input_tokens: number
  image_input_tokens: number
  image_output_tokens: number
  audio_input_tokens: number
  audio_output_tokens: number
  reasoning_tokens: number
  /** Items answered, for models sold per call or per item. */
  items: number
  cost: Money
  base_cost: Money
  /** The part of the cost the account could not pay (bounded debt). */
  uncollected: Money
  /** What the upstream asks for this call; null: unknown. */
  upstream_cost: Money | null
  group_multiplier: Money
  /** group | channel | model: where the multiplier came from. */
  group_source: string
  user_channel_multiplier: Money
  price_snapshot: JsonText
  hold: Money
  /** Why the charge differs from usage x price; empty when it does not. */
  charge_note: string
  losses: JsonText
  attempts: JsonText
  /** How its channels were chosen, compact (relay/routing/trace.ts); "" where there was nothing to choose. */
  plan: Generated<string>
  error: string
  ip: string
  user_agent: string
  first_response_time_ms: number | null
  response_time_ms: number
  /** api | playground | test */
  source: string
  /** The meta model that was asked for; "": none was. */
  meta_model: Generated<string>
  /** answer | judge | candidate; "" without a meta model. */
  meta_role: Generated<string>
  /** `option audit_label` of its program. */
  audit_label: Generated<string>
  /** The call this one is a part of; null: it is the customer's own. */
  parent_request_id: Generated<string | null>
  created_at: Time
}

/** A log row before it has a number. */
export type NewLog = Insertable<LogTable>

export interface AnnouncementTable extends Dated {
  id: Generated<number>
  title: string
  content: string
  enabled: Flag
  sort_order: number
}

export interface ReferralCommissionTable {
  id: Generated<number>
  referrer_id: number
  referred_user_id: number
  token_log_id: number
  base_cost: Money
  rate: Money
  amount: Money
  created_at: Time
  /** When it is credited at the earliest. */
  due_at: Time
  /** null: not yet. */
  credited_at: Time | null
  /** What was taken back of it after a chargeback. */
  clawed_back: Generated<Money>
}

/** A commission, or a part of it, that is taken back because the money behind it went back. */
export interface CommissionClawbackTable {
  id: Generated<number>
  order_no: string
  commission_id: number
  referrer_id: number
  amount: Money
  /** What the referrer's balance had of it. */
  collected: Money
  created_at: Time
  /** null: not yet. */
  booked_at: Time | null
}

export interface PaymentOrderTable extends Dated {
  id: Generated<number>
  order_no: string
  user_id: number
  account_id: number
  amount: Money
  /** Hundredths of the pay currency. */
  pay_amount: number
  pay_currency: string
  exchange_rate: Money
  method: string
  provider: string
  status: string
  trade_no: string
  expires_at: Time | null
  paid_at: Time | null
  closed_reason: string
  /** The gateway's own number of the order before it is paid: Stripe's session. */
  gateway_reference: Generated<string>
  /** What a refund took off the balance, and what a chargeback could not. */
  refunded_amount: Generated<Money>
  refund_uncollected: Generated<Money>
  /** Paid usage that was not paid after all: its commissions are taken back, until `clawed_back_at` says they were. */
  clawback_base: Generated<Money>
  clawed_back_at: Time | null
}

export interface PaymentCallbackTable {
  id: Generated<number>
  order_no: string
  provider: string
  source: string
  verdict: string
  reason: string
  payload: JsonText
  created_at: Time
}

export interface CheckInTable {
  id: Generated<number>
  user_id: number
  check_in_date: string
  reward_amount: Money
  streak_days: number
  reward_kind: string
  created_at: Time
  /** The zone in which `check_in_date` was the date. */
  time_zone: string
  /** null: the reward is still to be booked. */
  credited_at: Time | null
  /** Where it was collected from: the network of one household; "" for addresses that are not public. */
  ip: Generated<string>
}

export interface PasskeyTable extends Dated {
  id: Generated<number>
  user_id: number
  name: string
  credential_id: string
  public_key: string
  sign_count: number
  transports: JsonText
  last_used_at: Time | null
}

export interface ChallengeTable {
  id: string
  purpose: string
  user_id: number | null
  payload: JsonText
  expires_at: Time
  created_at: Time
}

/** An authenticator app of a user; it counts from `confirmed_at` on. */
export interface TotpSecretTable {
  id: Generated<number>
  user_id: number
  /** Encrypted (lib/secret-box.ts). */
  sealed: string
  /** The newest 30-second step whose code was used: no code works twice. */
  last_step: number
  confirmed_at: Time | null
  created_at: Time
}

/** A recovery code that is still good; a used one is deleted. */
export interface RecoveryCodeTable {
  id: Generated<number>
  user_id: number
  code_hash: string
  created_at: Time
}

export interface EmailCodeTable {
  id: Generated<number>
  email: string
  purpose: string
  code_hash: string
  tries: number
  used_at: Time | null
  expires_at: Time
  created_at: Time
}

/** What was tried lately under one key: a JSON list of times, so that a limit holds across processes. */
export interface AttemptTable {
  key: string
  events: JsonText
  expires_at: Time
}

/** A mail that waits (`next_try_at`), or its trace; the text is sealed and gone once there is an outcome. */
export interface MailTable {
  id: Generated<number>
  kind: string
  sealed: string
  tries: number
  next_try_at: Time | null
  deadline_at: Time
  outcome: string
  error: string
  created_at: Time
}

/** A browser that is at the identity provider; the id is a hash of its state. */
export interface OidcFlowTable {
  id: string
  user_id: number | null
  sealed: string
  expires_at: Time
  created_at: Time
}

export interface SessionTable {
  id: string
  user_id: number
  ip: string
  user_agent: string
  created_at: Time
  last_seen_at: Time
  expires_at: Time
  revoked_at: Time | null
  /** When its owner last proved who he is; null: when it was opened (sessions of before this was known). */
  verified_at: Time | null
}

export interface StatusMonitorTable extends Dated {
  id: Generated<number>
  name: string
  target_url: string
  check_type: string
  method: string
  interval_seconds: number
  retention_hours: number
  enabled: Flag
  last_status: string
  last_latency_ms: number
  last_status_code: number
  last_message: string
  last_checked_at: Time | null
  /** With a little chance in it, so that monitors made together do not stay together. */
  next_check_at: Generated<Time>
  /** A process checks it until then, at the longest. */
  claimed_until: Generated<Time>
  /** Checks in a row with the last status. */
  streak: Generated<number>
  /** What was said last: it takes several checks in a row to change it. */
  announced_status: Generated<string>
  mailed_at: Time | null
  /** What checks by model calls have cost the owner. */
  cost_total: Generated<Money>
}

export interface StatusCheckTable {
  id: Generated<number>
  monitor_id: number
  status: string
  latency_ms: number
  status_code: number
  message: string
  checked_at: Time
}

/** Checks of a monitor in one hour or one day (UTC): they stay when the checks themselves are dropped. */
export interface StatusSumTable {
  monitor_id: number
  span: 'hour' | 'day'
  start: Time
  up: number
  down: number
  /** Of those that were up, added up. */
  latency_ms: number
  down_seconds: number
}

export interface MetaModelTable extends Dated {
  id: Generated<number>
  name: string
  description: string
  dsl: string
  billing_mode: string
  price_card: JsonText
  provider: string
  provider_name: string
  provider_icon_url: string
  expose_referenced_models: Flag
  enabled: Flag
}

export interface RedeemCodeTable extends Dated {
  id: Generated<number>
  code: string
  amount: Money
  group_id: number | null
  group_duration_days: number
  max_uses: number
  used_count: number
  enabled: Flag
  expires_at: Time | null
}

export interface RedemptionTable {
  id: Generated<number>
  redeem_code_id: number
  user_id: number
  amount: Money
  created_at: Time
  /** null: the money is still to be booked. */
  credited_at: Time | null
}

export interface SettingTable {
  key: string
  value: string
  updated_at: Time
}

export interface AuditTable {
  id: Generated<number>
  actor_user_id: number | null
  action: string
  object_type: string
  object_id: string
  before: JsonText
  after: JsonText
  ip: string
  created_at: Time
}

/** Which channel made which response that an upstream keeps. */
export interface ResponseTable {
  response_id: string
  user_id: number
  channel_id: number
  model_name: string
  created_at: Time
}

/** Calls of one day (UTC), channel and model, added up as their rows are written; 0: no channel. */
export interface DailyTotalTable {
  id: Generated<number>
  /** Days since 1970-01-01, UTC. */
  day: number
  channel_id: number
  model_name: string
  upstream_model_name: string
  requests: number
  input_tokens: number
  cached_input_tokens: number
  cache_write_input_tokens: number
  cache_write_1h_input_tokens: number
  output_tokens: number
  cost: Money
  uncollected: Money
  /** Of the calls whose cost price is known. */
  upstream_cost: Money
  /** Sales of the calls whose cost price is not known, and how many they are. */
  unknown_cost_sales: Money
  unknown_cost_requests: number
}

/** Calls added up by quarter of an hour and by day (UTC). Columns that are not of the row's kind are 0 or "". */
export interface UsageBucketTable extends UsageCounts {
  /** site | model | channel | user | own */
  kind: string
  /** ms */
  span: number
  /** The user, in rows of kind `own`: his rows lie together. */
  owner_id: number
  started_at: Time
  user_id: number
  api_key_id: number
  user_channel_id: number
  channel_id: number
  model_name: string
}

type Place = 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9 | 10 | 11

/** Sums of calls; `first_*` and `whole_*` are the places of contract/latency.ts. */
export interface UsageCounts extends Record<`first_${Place}` | `whole_${Place}`, number> {
  requests: number
  /** Calls that a meta model made for another call. */
  parts: number
  errors: number
  abandoned: number
  input_tokens: number
  output_tokens: number
  cached_input_tokens: number
  /** Of both kinds. */
  cache_write_tokens: number
  reasoning_tokens: number
  cost: Money
  uncollected: Money
  upstream_cost: Money
  unknown_cost_sales: Money
  unknown_cost_requests: number
}

/** What was asked and answered in a call, where the owner records it: JSON, sealed. */
export interface LogPayloadTable {
  log_id: number
  user_id: number
  sealed: string
  created_at: number
}

/** Sums of calls that left the log, for checking the books. */
export interface LogArchiveTable {
  account_id: number
  /** 0: none. */
  api_key_id: number
  /** The last reset of the key's usage before them; 0: there was none; -1: they were before a reset and count for no quota. */
  reset_at: number
  requests: number
  parts: number
  input_tokens: number
  output_tokens: number
  /** Calls that cost something: so many entries have no call any more. */
  charged: number
  cost: Money
}

/** A comparison of what we wrote down with what somebody else did, or with itself. */
export interface ReconciliationTable {
  id: Generated<number>
  /** upstream: an imported usage file; books: the nightly audit. */
  kind: string
  channel_id: number | null
  file_name: string
  format: string
  from_day: number
  to_day: number
  row_count: number
  difference_count: number
  /** equal | different */
  status: string
  actor_user_id: number | null
  created_at: Time
  checked_at: Time
}

/** What the upstream says of a day and model; null: it does not say. */
export interface ReconciliationRowTable {
  id: Generated<number>
  reconciliation_id: number
  day: number
  model: string
  requests: number | null
  input_tokens: number | null
  cached_input_tokens: number | null
  cache_write_input_tokens: number | null
  output_tokens: number | null
  upstream_cost: Money | null
}

export interface ReconciliationDifferenceTable {
  id: Generated<number>
  reconciliation_id: number
  day: number | null
  subject: string
  field: string
  ours: string
  theirs: string
  rule: string
}

/** The last scheduled reading of a channel's price list. */
export interface PricePreviewTable {
  channel_id: number
  source: string
  /** JSON of what was read (features/sync/store.ts). */
  items: string
  skipped: number
  /** Of the last try; "": it went well. */
  error: string
  fetched_at: Time | null
  tried_at: Time
}

export interface Schema {
  responses: ResponseTable
  groups: GroupTable
  users: UserTable
  memberships: MembershipTable
  accounts: AccountTable
  ledger_entries: LedgerEntryTable
  holds: HoldTable
  instances: InstanceTable
  api_keys: ApiKeyTable
  user_channels: UserChannelTable
  allowed_groups: AllowedGroupTable
  channels: ChannelTable
  channel_group_multipliers: ChannelGroupMultiplierTable
  channel_model_group_multipliers: ChannelModelGroupMultiplierTable
  models: ModelTable
  price_versions: PriceVersionTable
  price_previews: PricePreviewTable
  channel_models: ChannelModelTable
  logs: LogTable
  announcements: AnnouncementTable
  referral_commissions: ReferralCommissionTable
  commission_clawbacks: CommissionClawbackTable
  payment_orders: PaymentOrderTable
  payment_callbacks: PaymentCallbackTable
  check_ins: CheckInTable
  passkeys: PasskeyTable
  challenges: ChallengeTable
  totp_secrets: TotpSecretTable
  recovery_codes: RecoveryCodeTable
  email_codes: EmailCodeTable
  attempts: AttemptTable
  mails: MailTable
  oidc_flows: OidcFlowTable
  sessions: SessionTable
  status_monitors: StatusMonitorTable
  status_checks: StatusCheckTable
  status_sums: StatusSumTable
  meta_models: MetaModelTable
  redeem_codes: RedeemCodeTable
  redemptions: RedemptionTable
  settings: SettingTable
  audit_log: AuditTable
  daily_totals: DailyTotalTable
  usage_buckets: UsageBucketTable
  log_archive: LogArchiveTable
  log_payloads: LogPayloadTable
  reconciliations: ReconciliationTable
  reconciliation_rows: ReconciliationRowTable
  reconciliation_differences: ReconciliationDifferenceTable
}

/**
 * Columns (and the names sums of them may be selected under) that hold Money: they stay `bigint`, every other
 * integer of either engine becomes a `number`.
 */
export const moneyColumns: ReadonlySet<string> = new Set([
  'multiplier',
  'balance',
  'held',
  'gifted',
  'balance_before',
  'gifted_before',
  'debt_limit',
  'spent',
  'amount',
  'balance_after',
  'budget_daily',
  'budget_monthly',
  'spent_day',
  'spent_month',
  'quota_limit',
  'quota_used',
  'quota_held',
  'total_cost',
  'cost',
  'cost_total',
  'base_cost',
  'uncollected',
  'upstream_cost',
  'group_multiplier',
  'user_channel_multiplier',
  'hold',
  'rate',
  'exchange_rate',
  'reward_amount',
  'total_amount',
  'refunded_amount',
  'refund_uncollected',
  'clawback_base',
  'clawed_back',
  'collected',
  'unknown_cost_sales',
])
