import { expect, test } from 'bun:test'
import { EMPTY_USAGE } from '../../../contract/meters.ts'
import { money, MONEY_ONE, ZERO } from '../../../contract/money.ts'
import { callFacts } from '../../../test/call-facts.ts'
import { draftOf, NOTHING_USED, type CallResult } from './draft.ts'
import { rowOfCharge, rowOfLog } from './rows.ts'
import { NOW, one } from './test-kit.ts'

/* What the log says of a call: what its owner, and whoever checks the books, reads later. */

const usage = {
  ...EMPTY_USAGE,
  input: 1,
  output: 2,
  cachedInput: 10,
  cacheWrite: 20,
  cacheWrite1h: 40,
  imageInput: 100,
  imageOutput: 200,
  audioInput: 1_000,
  audioOutput: 2_000,
  reasoning: 2,
}
const result: CallResult = {
  status: 200,
  endReason: 'complete',
  usageSource: 'upstream',
  usage,
  items: 3,
  baseCost: one(4),
  upstreamCost: one(1),
  chargeNote: '',
  losses: [{ field: 'top_k' }],
  attempts: [{ channel: 5 }],
  plan: '{"chosen":5}',
  error: '',
  firstResponseMs: 12.5,
  responseMs: 99.4,
}
const facts = callFacts({ requestId: 'req_1', userId: 7, accountId: 8, apiKeyId: 9, createdAt: NOW, userAgent: 'u'.repeat(300) })
const served = {
  userChannelId: 1,
  channelId: 2,
  channelModelId: 3,
  upstreamModel: 'real-m',
  upstreamProtocol: 'gemini',
  groupMultiplier: one(2),
  groupSource: 'key',
  userChannelMultiplier: one(3),
}

test('a call that was served: tokens of all meters, what they cost, who served it, how long it took', () => {
  expect(draftOf({ ...facts, stream: true }, served, result, one(5))).toMatchObject({
    request_id: 'req_1',
    user_id: 7,
    account_id: 8,
    api_key_id: 9,
    user_channel_id: 1,
    channel_id: 2,
    channel_model_id: 3,
    model_name: 'm',
    upstream_model_name: 'real-m',
    protocol: 'openai-chat',
    upstream_protocol: 'gemini',
    endpoint: 'chat.completions',
    stream: 1,
    status: 200,
    end_reason: 'complete',
    usage_source: 'upstream',
    input_tokens: 1_171,
    output_tokens: 2_202,
    cached_input_tokens: 10,
    cache_write_input_tokens: 20,
    cache_write_1h_input_tokens: 40,
    image_input_tokens: 100,
    image_output_tokens: 200,
    audio_input_tokens: 1_000,
    audio_output_tokens: 2_000,
    reasoning_tokens: 2,
    items: 3,
    cost: one(5),
    base_cost: one(4),
    upstream_cost: one(1),
    group_multiplier: one(2),
    group_source: 'key',
    user_channel_multiplier: one(3),
    losses: '[{"field":"top_k"}]',
    attempts: '[{"channel":5}]',
    plan: '{"chosen":5}',
    user_agent: 'u'.repeat(255),
    first_response_time_ms: 13,
    response_time_ms: 99,
    meta_model: '',
    meta_role: '',
    audit_label: '',
    parent_request_id: null,
    created_at: NOW,
  })
})

test('a call that nobody served has multipliers of one, no channel and no time to a first word', () => {
  const refused = { ...result, ...NOTHING_USED, losses: [], attempts: [], firstResponseMs: null }
  const { plan: _, ...without } = refused
  expect(draftOf(facts, undefined, without, ZERO)).toMatchObject({
    user_channel_id: null,
    channel_id: null,
    channel_model_id: null,
    upstream_model_name: '',
    upstream_protocol: '',
    stream: 0,
    usage_source: 'none',
    input_tokens: 0,
    output_tokens: 0,
    reasoning_tokens: 0,
    items: 0,
    cost: ZERO,
    base_cost: ZERO,
    upstream_cost: null,
    group_multiplier: money(MONEY_ONE),
    group_source: 'group',
    user_channel_multiplier: money(MONEY_ONE),
    losses: '[]',
    attempts: '[]',
    plan: '',
    first_response_time_ms: null,
  })
})

test('a call of a meta model names it, its part and the call it belongs to', () => {
  const meta = { model: 'best', role: 'judge', label: 'check', parentRequestId: 'req_0' } as const
  expect(draftOf({ ...facts, meta }, served, result, ZERO)).toMatchObject({
    meta_model: 'best',
    meta_role: 'judge',
    audit_label: 'check',
    parent_request_id: 'req_0',
  })
})

test('the row of the log says what was taken, what is missing and why, beside what it said before; the entry says the same', () => {
  const log = draftOf(facts, served, result, one(5))
  const op = { requestId: 'req_1', accountId: 8, apiKeyId: 9, cost: one(5), now: NOW + 1, day: 20_261_122, log }
  const paid = { cost: one(5), hold: one(6), uncollected: ZERO, charge_note: '', created_at: NOW + 1 }
  expect(rowOfLog(op, one(6), one(5))).toEqual({ ...log, ...paid })
  const missing = 'the account could not pay all of it'
  expect(rowOfLog(op, one(6), one(2))).toMatchObject({ cost: one(2), uncollected: one(3), charge_note: missing })
  const noted = { ...op, log: { ...log, charge_note: 'for what was produced' } }
  expect(rowOfLog(noted, one(6), one(2)).charge_note).toBe(`for what was produced; ${missing}`)
  expect(rowOfLog(noted, one(6), one(5)).charge_note).toBe('for what was produced')
  expect(rowOfCharge(op, one(2), one(-1), one(3))).toEqual({
    account_id: 8,
    kind: 'usage',
    reference: 'req_1',
    amount: one(-2),
    gifted: one(-1),
    balance_after: one(3),
    actor_user_id: null,
    reason: '',
    note: '',
    created_at: NOW + 1,
  })
})
