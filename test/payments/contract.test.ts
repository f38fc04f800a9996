// long file: one table, a row for each operation
import { afterAll, beforeAll, expect, test } from 'bun:test'
import type { Access } from '../../contract/endpoint.ts'
import { createTestApp, type TestApp, type TestUser } from '../app.ts'
import { notify, paymentSettings, yipayNotice, type Order } from './gateway.ts'

/**
 * Every operation on orders, payments, check-ins, referrals, redeem codes, keys and the ledger, a row each, as contract.md
 * (3.2, 3.5, 3.6, 3.7) and console.md (5) have them: address, access, the members of a success, each documented refusal.
 * That an answer has no other members the test app checks by its schema.
 */
interface Row {
  /** `METHOD path`; `:name` is filled from `params`. */
  at: string
  access: Access
  body?: unknown
  /** Members of the answer, of its first element, or its text. */
  gives: string | readonly string[]
  status?: number
  refuses?: readonly Refusal[]
  /** Refusals that need the success before them. */
  afterwards?: readonly Refusal[]
}
type Refusal = readonly [number, string, Change?]
interface Change {
  body?: unknown
  params?: Record<string, string>
  settings?: Record<string, unknown>
  query?: string
}

let app: TestApp
let user: TestUser
let params: Record<string, string>
beforeAll(async () => {
  app = await createTestApp({
    settings: {
      ...paymentSettings({ url: 'http://127.0.0.1:1' }),
      checkin_enabled: true,
      checkin_daily_reward: '1',
      referral_enabled: true,
    },
  })
  user = await app.user('reader')
  const order = async () => (await app.api<Order>('POST', '/api/user/payment/orders', { amount: '10', method: 'alipay' }, user.token)).body
  const [paid, open, other] = [await order(), await order(), await order()]
  await notify(app, 'yipay', yipayNotice(paid))
  await notify(app, 'yipay', yipayNotice(open, { trade_status: 'WAIT' }))
  const { id: channel = 0 } = (await app.api<{ id: number }[]>('GET', '/api/user-channels')).body[0] ?? {}
  const key = await app.api<{ key: { id: number } }>('POST', '/api/user/api-keys', { allowed_user_channels: [channel] }, user.token)
  const code = await app.api<{ id: number; code: string }>('POST', '/api/redeem-codes', { amount: '1' })
  params = {
    order_no: open.order_no,
    paid: paid.order_no,
    other: other.order_no,
    channel: String(channel),
    key: String(key.body.key.id),
    code: String(code.body.id),
    text: code.body.code,
  }
})
afterAll(() => app.close())

const order = ['order_no', 'amount', 'rmb_amount', 'pay_currency', 'method', 'status', 'created_at']
const adminOrder = [
  ...order,
  'user_id',
  'provider',
  'exchange_rate',
  'trade_no',
  'expires_at',
  'closed_reason',
  'refund_uncollected',
  'updated_at',
]
const key = [
  'id',
  'name',
  'key_prefix',
  'allowed_models',
  'allowed_user_channels',
  'allowed_ips',
  'quota_limit',
  'enabled',
  'usage',
  'last_used_at',
]
const code = 'id code amount group_id group group_duration_days max_uses used_count enabled expires_at created_at updated_at'.split(' ')
const entry = ['id', 'kind', 'amount', 'balance_after', 'reference', 'reason', 'created_at']
const unknownOrder = [404, 'Payment order not found', { params: { order_no: 'PAY1' } }] as const
const badId = (what: string) => [400, `Invalid ${what} id`, { params: { id: 'x' } }] as const
const channels = () => ({ allowed_user_channels: [Number(params['channel'])] })

const rows: Row[] = [
  { at: 'GET /api/payment/yipay/return', access: 'public', status: 302, gives: '' },
  { at: 'GET /api/payment/yipay/notify', access: 'public', status: 400, gives: 'fail' },
  { at: 'POST /api/payment/yipay/notify', access: 'public', status: 400, gives: 'fail' },
  { at: 'GET /api/payment/openpayment/return', access: 'public', status: 302, gives: '' },
  { at: 'GET /api/payment/openpayment/notify', access: 'public', status: 400, gives: 'fail' },
  { at: 'POST /api/payment/openpayment/notify', access: 'public', status: 400, gives: 'fail' },
  { at: 'POST /api/payment/stripe/notify', access: 'public', status: 400, gives: 'fail' },
  { at: 'GET /api/payment/openpayment/submit/:order_no', access: 'public', status: 404, gives: 'not found' },
  {
    at: 'GET /api/user/payment/config',
    access: 'user',
    gives: ['enabled', 'currency_display_name', 'usd_to_rmb_rate', 'min_recharge_amount', 'recharge_presets', 'methods'],
  },
  { at: 'GET /api/user/payment/orders', access: 'user', gives: order },
  {
    at: 'POST /api/user/payment/orders',
    access: 'user',
    body: { amount: '10', method: 'ALIPAY' },
    gives: [...order, 'payment_url'],
    refuses: [
      [400, 'Payment is disabled', { settings: { payment_enabled: false }, body: {} }],
      [400, 'payment gateway is not configured', { settings: { payment_yipay_pid: '' }, body: { amount: 'x' } }],
      [
        400,
        'Open Payment discovery URL is not configured',
        { settings: { payment_gateway_provider: 'ops', payment_openpayment_base_url: '' } },
      ],
      [
        400,
        'Open Payment merchant is not configured',
        { settings: { payment_gateway_provider: 'ops', payment_openpayment_merchant_id: '' } },
      ],
      [400, 'Invalid recharge amount', { body: { amount: 10, method: 'alipay' } }],
      [400, 'Invalid recharge amount', { body: { amount: '-1', method: 'cash' } }],
      [400, 'Recharge amount is below the minimum', { body: { amount: '0.5', method: 'cash' } }],
      [400, 'Payment method is not enabled', { body: { amount: '5', method: 'cash' } }],
      [500, 'Failed to build payment URL', { settings: { payment_gateway_provider: 'ops' } }],
    ],
  },
  { at: 'GET /api/user/payment/orders/:order_no', access: 'user', gives: order, refuses: [unknownOrder] },
  { at: 'POST /api/user/payment/orders/:order_no/recheck', access: 'user', gives: order, refuses: [unknownOrder] },
  { at: 'GET /api/payment/orders', access: 'support', gives: ['items', 'total', 'page', 'page_size'] },
  { at: 'GET /api/payment/orders/:order_no', access: 'support', gives: [...adminOrder, 'callbacks', 'entries'], refuses: [unknownOrder] },
  { at: 'POST /api/payment/orders/:order_no/recheck', access: 'finance', gives: adminOrder, refuses: [unknownOrder] },
  {
    at: 'POST /api/payment/orders/:order_no/resolve',
    access: 'finance',
    body: { outcome: 'cancelled', reason: 'never paid' },
    gives: adminOrder,
    refuses: [
      unknownOrder,
      [400, 'reason: must not be empty', { body: { outcome: 'paid', reason: ' ' } }],
      [409, 'The order is in a state that does not allow this', { params: { order_no: 'paid' } }],
    ],
  },
  {
    at: 'POST /api/payment/orders/:paid/refund',
    access: 'finance',
    body: { reason: 'asked for' },
    gives: adminOrder,
    refuses: [
      [404, 'Payment order not found', { params: { paid: 'PAY1' } }],
      [409, 'The order is in a state that does not allow this', { params: { paid: 'other' } }],
    ],
  },
  {
    at: 'GET /api/user/check-in/status',
    access: 'user',
    gives:
      'enabled checked_in_today current_streak today_reward_preview random_enabled random_min random_max currency_display_name recent_records'.split(
        ' ',
      ),
  },
  {
    at: 'POST /api/user/check-in',
    access: 'user',
    gives: ['reward_amount', 'reward_kind', 'streak_days', 'balance', 'currency_display_name'],
    refuses: [[400, 'Check-in is disabled', { settings: { checkin_enabled: false } }]],
    afterwards: [[400, 'Already checked in today']],
  },
  { at: 'GET /api/user/check-in/records', access: 'user', gives: ['check_in_date', 'reward_amount', 'streak_days', 'reward_kind'] },
  {
    at: 'GET /api/user/referral',
    access: 'user',
    gives: ['enabled', 'code', 'link', 'commission_rate', 'invite_count', 'total_commission', 'recent_logs'],
  },
  { at: 'GET /api/referral-commissions', access: 'support', gives: [] },
  { at: 'GET /api/redeem-codes', access: 'finance', gives: code },
  {
    at: 'POST /api/redeem-codes',
    access: 'finance',
    body: { amount: '2', code: 'ab-c d' },
    gives: code,
    afterwards: [
      [400, 'A redeem code needs an amount or a group', { body: {} }],
      [409, 'This redeem code already exists', { body: { amount: 1, code: 'ABCD' } }],
      [400, 'Group not found', { body: { group_id: 99 } }],
    ],
  },
  { at: 'POST /api/redeem-codes/bulk', access: 'finance', body: { amount: '1', count: 2 }, gives: code },
  {
    at: 'PUT /api/redeem-codes/:id',
    access: 'finance',
    body: { max_uses: 2 },
    gives: code,
    refuses: [badId('redeem code'), [404, 'Redeem code not found', { params: { id: '99' } }]],
  },
  {
    at: 'POST /api/user/redeem-code',
    access: 'user',
    body: { code: ':text' },
    gives: ['amount', 'balance'],
    afterwards: [
      [400, 'Redeem code already used', { body: { code: ':text' } }],
      [400, 'Redeem code not found', { body: { code: 'nothing' } }],
      [400, 'Redeem code not found', { body: {} }],
    ],
  },
  { at: 'DELETE /api/redeem-codes/:id', access: 'finance', gives: ['message'], afterwards: [[404, 'Redeem code not found']] },
  { at: 'GET /api/user/ledger', access: 'user', gives: entry },
  { at: 'GET /api/ledger', access: 'support', gives: [...entry, 'user_id', 'account_id'] },
  { at: 'GET /api/user/api-keys', access: 'user', gives: key },
  {
    at: 'POST /api/user/api-keys',
    access: 'user',
    body: 'channels',
    gives: ['api_key', 'key'],
    refuses: [
      [400, 'API key must be bound to exactly one user channel', { body: {} }],
      [400, 'User channel not found or disabled', { body: { allowed_user_channels: [99] } }],
      [400, 'API key quota limit cannot be negative', { body: 'negative' }],
    ],
  },
  {
    at: 'PUT /api/user/api-keys/:key',
    access: 'user',
    body: 'channels',
    gives: key,
    refuses: [
      [404, 'API key not found', { params: { key: '99' } }],
      [400, 'API key must be bound to exactly one user channel', { body: { name: 'x' } }],
      [400, 'API key quota limit cannot be negative', { body: 'negative' }],
    ],
  },
  {
    at: 'POST /api/user/api-keys/:key/rotate',
    access: 'user',
    gives: ['api_key', 'key'],
    refuses: [[404, 'API key not found', { params: { key: '99' } }]],
  },
  {
    at: 'POST /api/user/api-keys/:key/reset-usage',
    access: 'user',
    gives: key,
    refuses: [[404, 'API key not found', { params: { key: '99' } }]],
  },
  { at: 'DELETE /api/user/api-keys/:key', access: 'user', gives: ['message'] },
  { at: 'POST /api/user/api-key/rotate', access: 'user', gives: ['api_key', 'key'] },
]

async function call(row: Row, change: Change = {}) {
  const [method = '', pattern = ''] = row.at.split(' ')
  const path = pattern.replace(/:(\w+)/g, (_, name: string) => {
    const value = change.params?.[name] ?? params[name] ?? params['code'] ?? ''
    return params[value] ?? value
  })
  const token = row.access === 'public' ? null : row.access === 'user' ? user.token : await app.admin()
  let body = change.body ?? row.body
  if (body === 'channels') body = channels()
  if (body === 'negative') body = { ...channels(), quota_limit: '-1' }
  const text = JSON.stringify(body)?.replace(':text', params['text'] ?? '')
  return app.fetch(`${path}${change.query ?? ''}`, {
    method,
    headers: { 'content-type': 'application/json', ...(token === null ? {} : { authorization: `Bearer ${token}` }) },
    ...(text === undefined ? {} : { body: text }),
    redirect: 'manual',
  })
}

/** What the site is set to between two rows. */
const usual = { ...paymentSettings({ url: 'http://127.0.0.1:1' }), payment_gateway_provider: 'yipay', checkin_enabled: true }

for (const row of rows)
  test(`${row.at}: ${row.access}, as the contract has it`, async () => {
    const [method, path] = row.at.replace(':paid', ':order_no').replace(':key', ':id').split(' ')
    const declared = app.app.endpoints.find((endpoint) => endpoint.method === method && endpoint.path === path)
    expect(declared?.access).toBe(row.access)
    if (row.access !== 'public') {
      const anonymous = await app.fetch(path?.replaceAll(/:\w+/g, '1') ?? '', { method: method ?? '' })
      expect([anonymous.status, ((await anonymous.json()) as { error: string }).error]).toEqual([401, 'Authorization is required'])
    }
    if (row.access !== 'public' && row.access !== 'user') {
      const plain = await app.api<{ error: string }>(method ?? '', path?.replaceAll(/:\w+/g, '1') ?? '', {}, user.token)
      expect([plain.status, plain.body.error]).toEqual([403, 'Admin access required'])
    }
    const refuse = async (status: number, error: string, change?: Change): Promise<void> => {
      if (change?.settings) await app.api('PUT', '/api/settings', change.settings)
      const answer = await call(row, change)
      expect([answer.status, ((await answer.json()) as { error: string }).error]).toEqual([status, error])
      if (change?.settings) await app.api('PUT', '/api/settings', usual)
    }
    for (const [status, error, change] of row.refuses ?? []) await refuse(status, error, change)
    const answer = await call(row)
    expect(answer.status).toBe(row.status ?? 200)
    const text = await answer.text()
    if (typeof row.gives === 'string') expect(text).toBe(row.gives)
    else {
      const json = JSON.parse(text) as Record<string, unknown> | Record<string, unknown>[]
      const one = Array.isArray(json) ? (json[0] ?? {}) : json
      expect(Object.keys(one)).toEqual(expect.arrayContaining([...row.gives]))
    }
    for (const [status, error, change] of row.afterwards ?? []) await refuse(status, error, change)
  })

test('no operation on money, rewards or keys is without its row', () => {
  const named = new Set(rows.map(({ at }) => at.replace(':paid', ':order_no').replace(':key', ':id')))
  const ours = /^\/api(\/user)?\/(payment|check-in|referral|redeem-code|api-key|ledger$)/
  const missing = app.app.endpoints.filter(({ path }) => ours.test(path)).map(({ method, path }) => `${method} ${path}`)
  expect(missing.filter((name) => !named.has(name) && !name.includes('/export'))).toEqual([])
})
