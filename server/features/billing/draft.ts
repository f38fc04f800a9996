import { EMPTY_USAGE, totalInput, totalOutput, type Usage, type UsageDetails } from '../../../contract/meters.ts'
import { money, MONEY_ONE, ZERO, type Money } from '../../../contract/money.ts'
import type { LogDraft } from './operations.ts'
import type { EndReason, UsageSource } from './rules.ts'

/** Who called what, known before the upstream is asked. JSON of it lies beside the hold, for the row of a call that a crash cut off. */
export interface CallFacts {
  requestId: string
  userId: number
  accountId: number
  apiKeyId: number | null
  modelName: string
  protocol: string
  endpoint: string
  stream: boolean
  ip: string
  userAgent: string
  source: string
  priceSnapshot: string
  createdAt: number
  /** Set on the calls of a meta model. */
  meta?: MetaFacts
}

/** What a call is to a meta model. */
export interface MetaFacts {
  model: string
  role: 'answer' | 'judge' | 'candidate'
  label: string
  /** The customer's own call; null: it is this one. */
  parentRequestId: string | null
}

/** The channel that served the call, or was tried last. */
export interface ServedBy {
  userChannelId: number
  channelId: number
  channelModelId: number
  upstreamModel: string
  upstreamProtocol: string
  groupMultiplier: Money
  groupSource: string
  userChannelMultiplier: Money
}

/** How it went. */
export interface CallResult {
  status: number
  endReason: EndReason
  usageSource: UsageSource
  usage: Usage & UsageDetails
  items: number
  baseCost: Money
  upstreamCost: Money | null
  chargeNote: string
  losses: readonly unknown[]
  attempts: readonly unknown[]
  /** How its channels were chosen, already written; absent where there was nothing to choose. */
  plan?: string
  error: string
  firstResponseMs: number | null
  responseMs: number
}

/** Nothing used, nothing owed: the beginning of every result. */
export const NOTHING_USED = { usageSource: 'none', usage: EMPTY_USAGE, items: 0, baseCost: ZERO, upstreamCost: null } as const

/** Longest text kept of what a client calls itself. */
const MAX_USER_AGENT = 255

const ONE = money(MONEY_ONE)

/** The log row of a call, but for what settling itself finds out. */
export function draftOf(facts: CallFacts, served: ServedBy | undefined, result: CallResult, cost: Money): LogDraft {
  const { usage } = result
  return {
    request_id: facts.requestId,
    user_id: facts.userId,
    account_id: facts.accountId,
    api_key_id: facts.apiKeyId,
    user_channel_id: served?.userChannelId ?? null,
    channel_id: served?.channelId ?? null,
    channel_model_id: served?.channelModelId ?? null,
    model_name: facts.modelName,
    upstream_model_name: served?.upstreamModel ?? '',
    protocol: facts.protocol,
    upstream_protocol: served?.upstreamProtocol ?? '',
    endpoint: facts.endpoint,
    stream: facts.stream ? 1 : 0,
    status: result.status,
    end_reason: result.endReason,
    usage_source: result.usageSource,
    input_tokens: totalInput(usage),
    output_tokens: totalOutput(usage),
    cached_input_tokens: usage.cachedInput,
    cache_write_input_tokens: usage.cacheWrite,
    cache_write_1h_input_tokens: usage.cacheWrite1h,
    image_input_tokens: usage.imageInput,
    image_output_tokens: usage.imageOutput,
    audio_input_tokens: usage.audioInput,
    audio_output_tokens: usage.audioOutput,
    reasoning_tokens: usage.reasoning ?? 0,
    items: result.items,
    cost,
    base_cost: result.baseCost,
    upstream_cost: result.upstreamCost,
    group_multiplier: served?.groupMultiplier ?? ONE,
    group_source: served?.groupSource ?? 'group',
    user_channel_multiplier: served?.userChannelMultiplier ?? ONE,
    price_snapshot: facts.priceSnapshot,
    charge_note: result.chargeNote,
    losses: result.losses.length === 0 ? '[]' : JSON.stringify(result.losses),
    attempts: JSON.stringify(result.attempts),
    plan: result.plan ?? '',
    error: result.error,
    ip: facts.ip,
    user_agent: facts.userAgent.slice(0, MAX_USER_AGENT),
    first_response_time_ms: result.firstResponseMs === null ? null : Math.round(result.firstResponseMs),
    response_time_ms: Math.round(result.responseMs),
    source: facts.source,
    meta_model: facts.meta?.model ?? '',
    meta_role: facts.meta?.role ?? '',
    audit_label: facts.meta?.label ?? '',
    parent_request_id: facts.meta?.parentRequestId ?? null,
    created_at: facts.createdAt,
  }
}
