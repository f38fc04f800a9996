import { z } from 'zod'
import type { AdminLogWire, AdminReceiptWire, LogWire, ReceiptWire } from '../../../contract/api/logs.ts'
import { meters, type Meter } from '../../../contract/meters.ts'
import { formatMoney, money, ZERO } from '../../../contract/money.ts'
import { decodeCard, quote, type PriceCard, type Quote } from '../../../contract/quote.ts'
import { isoTime } from '../../lib/clock.ts'
import { receiptLines } from '../billing/receipt-lines.ts'
import { endReasons, ruleOf, usageSources } from '../billing/rules.ts'
import { usageOfRow } from '../books/service.ts'
import type { FoundCall } from './service.ts'
import type { LogRow, PartRow } from './store.ts'

const list = z.array(z.json())
const attempts = z.array(
  z.object({
    channelId: z.int(),
    channel: z.string(),
    upstreamModel: z.string(),
    status: z.int().nullable(),
    outcome: z.string(),
    error: z.string(),
    startedMs: z.number(),
    durationMs: z.number(),
  }),
)
/** As relay/routing/trace.ts writes it. */
const storedPlan = z.object({
  a: z.string(),
  u: z.int(),
  by: z.string().default('algorithm'),
  n: z.int(),
  c: z.array(z.tuple([z.int()], z.string())),
  x: z.int().default(0),
  s: z.array(z.tuple([z.int(), z.string(), z.int(), z.string()])).default([]),
})
const anyJson = z.json()

/** Prices a list row shows; the receipt has them all. */
const shownPrices = ['input', 'output', 'cachedInput', 'cacheWrite', 'cacheWrite1h'] as const satisfies readonly Meter[]

/** A row as its own user sees it: neither upstream nor its channel (W53). */
export function logWireOf(row: LogRow): LogWire {
  const card = decodeCard(row.price_snapshot)
  return {
    id: row.id,
    request_id: row.request_id,
    user_id: row.user_id,
    ...(row.api_key_id === null ? {} : { api_key_id: row.api_key_id }),
    ...(row.api_key_name === null ? {} : { api_key_name: row.api_key_name }),
    ...(row.user_channel_id === null ? {} : { user_channel_id: row.user_channel_id }),
    ...(row.user_channel_name === null ? {} : { user_channel_name: row.user_channel_name }),
    model_name: row.model_name,
    protocol: row.protocol,
    endpoint: row.endpoint,
    stream: row.stream === 1,
    source: row.source,
    status: row.status,
    end_reason: row.end_reason,
    usage_source: row.usage_source,
    input_tokens: row.input_tokens,
    output_tokens: row.output_tokens,
    cached_input_tokens: row.cached_input_tokens,
    cache_write_input_tokens: row.cache_write_input_tokens,
    cache_write_1h_input_tokens: row.cache_write_1h_input_tokens,
    image_input_tokens: row.image_input_tokens,
    image_output_tokens: row.image_output_tokens,
    audio_input_tokens: row.audio_input_tokens,
    audio_output_tokens: row.audio_output_tokens,
    reasoning_tokens: row.reasoning_tokens,
    cost: formatMoney(row.cost),
    base_cost: formatMoney(row.base_cost),
    uncollected: formatMoney(row.uncollected),
    group_multiplier: formatMoney(row.group_multiplier),
    group_source: row.group_source,
    user_channel_multiplier: formatMoney(row.user_channel_multiplier),
    ...pricesOf(card),
    charge_note: row.charge_note,
    losses: list.parse(JSON.parse(row.losses)),
    attempt_count: attempts.parse(JSON.parse(row.attempts)).length,
    first_response_time_ms: row.first_response_time_ms,
    response_time_ms: row.response_time_ms,
    ip: row.ip,
    user_agent: row.user_agent,
    ...(row.meta_model === '' ? {} : { meta_model: row.meta_model, meta_role: row.meta_role }),
    ...(row.parent_request_id === null ? {} : { parent_request_id: row.parent_request_id }),
    created_at: isoTime(row.created_at),
  }
}

/** A row with where the call went. */
export function adminLogWireOf(row: LogRow): AdminLogWire {
  return { ...logWireOf(row), ...adminPart(row) }
}

/** The receipt as its own user sees it. */
export function receiptOf({ row, entryId, parts }: FoundCall): ReceiptWire {
  const tries = attempts.parse(JSON.parse(row.attempts))
  return {
    ...logWireOf(row),
    ...billOf(row, entryId),
    ...partsOf(row, parts),
    attempts: tries.map(({ outcome, status, startedMs, durationMs }) => ({
      outcome,
      status,
      started_ms: startedMs,
      duration_ms: durationMs,
    })),
  }
}

/** The receipt with where the call went. */
export function adminReceiptOf({ row, entryId, parts }: FoundCall, channelNames: ReadonlyMap<number, string>): AdminReceiptWire {
  const tries = attempts.parse(JSON.parse(row.attempts))
  return {
    ...adminLogWireOf(row),
    ...billOf(row, entryId),
    ...partsOf(row, parts),
    attempts: tries.map((one) => ({
      outcome: one.outcome,
      status: one.status,
      started_ms: one.startedMs,
      duration_ms: one.durationMs,
      channel_id: one.channelId,
      channel_name: one.channel,
      upstream_model_name: one.upstreamModel,
      error: one.error,
    })),
    plan: planOf(row, channelNames),
  }
}

/** The calls a meta model made for this one. */
function partsOf(row: LogRow, parts: readonly PartRow[]): Pick<ReceiptWire, 'parts' | 'total'> {
  return {
    parts: parts.map(({ cost, ...part }) => ({ ...part, cost: formatMoney(cost) })),
    total: formatMoney(money(parts.reduce((sum, { cost }) => sum + cost, row.cost as bigint))),
  }
}

/** Channels the plan of a call names. */
export function plannedChannels(row: LogRow): number[] {
  if (row.plan === '') return []
  const { c, s } = storedPlan.parse(JSON.parse(row.plan))
  return [...new Set([...c.map(([id]) => id), ...s.map(([id]) => id)])]
}

function planOf(row: LogRow, names: ReadonlyMap<number, string>): AdminReceiptWire['plan'] {
  if (row.plan === '') return null
  const { a, u, by, n, c, x, s } = storedPlan.parse(JSON.parse(row.plan))
  const named = (id: number): { channel_id: number; channel_name?: string } => {
    const name = names.get(id)
    return name === undefined ? { channel_id: id } : { channel_id: id, channel_name: name }
  }
  return {
    algorithm: a,
    user_channel_id: u,
    picked_by: by,
    candidates: n,
    order: c.map(([id, score]) => ({ ...named(id), score: score ?? null })),
    skipped_count: x,
    skipped: s.map(([id, reason, ms, detail]) => ({ ...named(id), reason, for_ms: ms, detail })),
  }
}

function adminPart(row: LogRow): Omit<AdminLogWire, keyof LogWire> {
  return {
    ...(row.username === null ? {} : { username: row.username }),
    ...(row.channel_id === null ? {} : { channel_id: row.channel_id }),
    ...(row.channel_name === null ? {} : { channel_name: row.channel_name }),
    ...(row.channel_model_id === null ? {} : { model_config_id: row.channel_model_id }),
    upstream_model_name: row.upstream_model_name,
    upstream_protocol: row.upstream_protocol,
    upstream_cost: row.upstream_cost === null ? null : formatMoney(row.upstream_cost),
    error: row.error,
    ...(row.audit_label === '' ? {} : { audit_label: row.audit_label }),
  }
}

/** Lines, rounding and sum from nothing but the row: whoever repeats it with contract/quote.ts gets the same. */
function billOf(
  row: LogRow,
  entryId: number | null,
): Pick<ReceiptWire, 'lines' | 'rounding' | 'charged' | 'hold' | 'ledger_entry_id' | 'snapshot'> {
  const priced = chargedQuote(row)
  const group = formatMoney(row.group_multiplier)
  const channel = formatMoney(row.user_channel_multiplier)
  return {
    ...receiptLines(priced, { group: row.group_multiplier, groupSource: row.group_source, userChannel: row.user_channel_multiplier }),
    charged: formatMoney(row.cost),
    hold: formatMoney(row.hold),
    ledger_entry_id: entryId,
    snapshot: {
      price_card: anyJson.parse(JSON.parse(row.price_snapshot)),
      items: row.items,
      group_multiplier: group,
      user_channel_multiplier: channel,
    },
  }
}

/** What the rules charge for the row; no lines when they charge nothing (its `charge_note` says why). */
function chargedQuote(row: LogRow): Quote {
  const endReason = endReasons.find((word) => word === row.end_reason)
  const source = usageSources.find((word) => word === row.usage_source)
  if (!endReason || !source || !ruleOf(endReason, source).charge) return { lines: [], total: ZERO, base: ZERO }
  return quote(
    usageOfRow(row),
    decodeCard(row.price_snapshot),
    { group: row.group_multiplier, userChannel: row.user_channel_multiplier },
    row.items,
  )
}

function pricesOf(card: PriceCard): Partial<LogWire> {
  const shown: Record<string, string> = {}
  for (const { id, price } of meters) {
    const amount = card.prices[id]
    if (amount !== undefined && shownPrices.some((meter) => meter === id)) shown[price] = formatMoney(amount)
  }
  return shown
}
