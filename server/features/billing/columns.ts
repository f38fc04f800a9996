import type { NewLog } from '../../db/schema.ts'

/** Columns of an account that a call changes. */
export const accountColumns = ['balance', 'held', 'gifted', 'spent', 'request_count', 'budget_day', 'spent_day', 'spent_month'] as const

/** Columns of a key that a call changes. */
export const keyColumns = [
  'quota_held',
  'quota_used',
  'total_cost',
  'request_count',
  'input_tokens',
  'output_tokens',
  'cached_input_tokens',
  'last_used_at',
  'budget_day',
  'spent_day',
  'spent_month',
] as const

/** All that is read of an account to decide. */
export const lockedAccountColumns = ['id', 'debt_limit', 'budget_daily', 'budget_monthly', ...accountColumns] as const

/** All that is read of a key to decide. */
export const lockedKeyColumns = ['id', 'quota_limit', 'budget_daily', 'budget_monthly', ...keyColumns] as const

/** Columns of a hold. */
export const holdColumns = ['id', 'account_id', 'api_key_id', 'instance', 'amount', 'created_at', 'deadline_at', 'context'] as const

/** Columns of a ledger entry. */
export const entryColumns = [
  'account_id',
  'kind',
  'reference',
  'amount',
  'gifted',
  'balance_after',
  'actor_user_id',
  'reason',
  'note',
  'created_at',
] as const

/** Columns of a log row. */
export const logColumns = [
  'request_id',
  'user_id',
  'account_id',
  'api_key_id',
  'user_channel_id',
  'channel_id',
  'channel_model_id',
  'model_name',
  'upstream_model_name',
  'protocol',
  'upstream_protocol',
  'endpoint',
  'stream',
  'status',
  'end_reason',
  'usage_source',
  'input_tokens',
  'output_tokens',
  'cached_input_tokens',
  'cache_write_input_tokens',
  'cache_write_1h_input_tokens',
  'image_input_tokens',
  'image_output_tokens',
  'audio_input_tokens',
  'audio_output_tokens',
  'reasoning_tokens',
  'items',
  'cost',
  'base_cost',
  'uncollected',
  'upstream_cost',
  'group_multiplier',
  'group_source',
  'user_channel_multiplier',
  'price_snapshot',
  'hold',
  'charge_note',
  'losses',
  'attempts',
  'plan',
  'error',
  'ip',
  'user_agent',
  'first_response_time_ms',
  'response_time_ms',
  'source',
  'meta_model',
  'meta_role',
  'audit_label',
  'parent_request_id',
  'created_at',
] as const satisfies readonly (keyof NewLog)[]
