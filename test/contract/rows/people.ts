// long file: one table, rows for each operation
import { charge, give } from '../../charge.ts'
import type { TestApp, TestUser } from '../../app.ts'
import { decimal, each, filled, flag, id, inOrder, int, nullable, object, optional, text, type Shape } from '../fits.ts'
import { adminLog, announcement, commission, group, message, page, user, userLog } from '../shapes.ts'
import type { Ask, Params, Row, Table } from '../table.ts'

/** Users, announcements, logs, counts, referrals and what a user sees of himself (contract.md 3.5, 3.6). */

const DAY_MS = 86_400_000
const POST = { title: 'News', content: 'Text' }

/** Two calls a day apart on one upstream, and a third by another user. */
async function prepare(app: TestApp, reader: TestUser): Promise<Params> {
  const make = async (path: string, body: object): Promise<number> => (await app.api<{ id: number }>('POST', path, body)).body.id
  const up = await make('/api/channels', { name: 'up', base_url: 'https://up.example.test' })
  const vip = await make('/api/groups', { name: 'vip' })
  const used = await make('/api/announcements', POST)
  const gone = await make('/api/announcements', { ...POST, enabled: false, sort_order: 5 })
  const { body: owner } = await app.api<{ id: number }>('GET', '/api/user/me')
  const { code } = (await app.api<{ code: string }>('GET', '/api/user/referral')).body
  await app.api('PUT', '/api/settings', { referral_enabled: true })
  const form = { username: 'invited', email: 'invited@example.test', password: 'a long enough password', referral_code: code }
  const invited = (await app.api<{ user: { id: number } }>('POST', '/auth/password/register', form, null)).body.user.id
  const other = await app.user('other')
  await give(app, reader.id, '10')
  await give(app, other.id, '10')
  const usage = { input: 70, cachedInput: 30, output: 10 }
  await charge(app, reader.id, { usage, model: 'gpt-big', channelId: up })
  app.clock.advance(DAY_MS)
  await charge(app, reader.id, { usage, model: 'claude-small', channelId: up })
  await charge(app, other.id, { usage, model: 'gpt-big' })
  const start = app.clock.now() - DAY_MS
  return { up, vip, used, gone, owner: owner.id, invited, reader: reader.id, other: other.id, doomed: (await app.user('doomed')).id, start }
}

const notAnId = (what: string, body?: unknown): Ask => ({ params: { id: 'x' }, error: `Invalid ${what} id`, ...(body ? { body } : {}) })
const noJson: Ask = { body: '{', error: 'The request body is not valid JSON' }

const users: Row[] = [
  {
    at: 'GET /api/users',
    access: 'support',
    asks: [
      { gives: [user] },
      { query: '?page=2&page_size=2', gives: { ...(page(user) as object), page: 2, page_size: 2 } },
      {
        query: '?q=INVIT&page=1',
        gives: { items: [{ ...user, username: 'invited', referrer: { id, username: filled } }], total: 1, page: 1, page_size: 20 },
      },
    ],
  },
  {
    at: 'PUT /api/users/:id',
    access: 'admin',
    asks: [
      {
        params: { id: 'invited' },
        body: (params: Params) => ({ balance: '1.5', group_id: params.vip, is_admin: false }),
        gives: { ...user, balance: '1.5', is_admin: false, group: { ...group, name: 'vip' } },
      },
      { params: { id: 'invited' }, body: { balance: 2 }, gives: { ...user, balance: '2' } },
      { params: { id: 'invited' }, body: { is_admin: true }, gives: { ...user, is_admin: true, balance: '2' } },
      { params: { id: 'invited' }, body: {}, error: 'No fields to update' },
      { params: { id: 'invited' }, body: { group_id: 0 }, error: 'Group is required' },
      { params: { id: 'invited' }, body: { group_id: 999_999 }, error: 'Group not found' },
      { params: { id: 'invited' }, body: { balance: '' }, error: 'balance: must be a plain decimal with at most 10 decimal places' },
      { body: { is_admin: false }, status: 404, error: 'User not found' },
      notAnId('user', { is_admin: false }),
      { ...noJson, params: { id: 'invited' } },
    ],
  },
  {
    at: 'DELETE /api/users/:id',
    access: 'admin',
    asks: [
      { params: { id: 'doomed' }, gives: message('User deleted') },
      { params: { id: 'owner' }, status: 409, error: 'You cannot delete your own account' },
      notAnId('user'),
    ],
  },
  { at: 'GET /api/user/me', access: 'user', asks: [{ gives: { ...user, username: 'reader', is_admin: false } }] },
]

const TITLE = 'Announcement title is required'
const LONG = 'Announcement title is too long'
const CONTENT = 'Announcement content is required'
const written: Ask[] = [
  { params: { id: 'used' }, body: { ...POST, title: ' ' }, error: TITLE },
  { params: { id: 'used' }, body: { content: 'x' }, error: TITLE },
  { params: { id: 'used' }, body: { ...POST, title: 'x'.repeat(121) }, error: LONG },
  { params: { id: 'used' }, body: { title: 'x' }, error: CONTENT },
  { params: { id: 'used' }, ...noJson },
]
const announcements: Row[] = [
  { at: 'GET /api/public/announcements', access: 'public', asks: [{ gives: [{ ...announcement, enabled: true }] }] },
  { at: 'GET /api/announcements', access: 'support', asks: [{ gives: [announcement] }, { query: '?page=1', gives: page(announcement) }] },
  {
    at: 'POST /api/announcements',
    access: 'admin',
    asks: [
      { body: POST, gives: { ...announcement, ...POST, enabled: true, sort_order: 0 } },
      { body: { ...POST, enabled: false, sort_order: -3 }, gives: { ...announcement, enabled: false, sort_order: -3 } },
      ...written,
    ],
  },
  {
    at: 'PUT /api/announcements/:id',
    access: 'admin',
    asks: [
      {
        params: { id: 'used' },
        body: { ...POST, sort_order: 2, enabled: false },
        gives: { ...announcement, sort_order: 2, enabled: false },
      },
      { params: { id: 'used' }, body: POST, gives: { ...announcement, sort_order: 0, enabled: true } },
      { body: POST, status: 404, error: 'Announcement not found' },
      notAnId('announcement', POST),
      ...written,
    ],
  },
  {
    at: 'DELETE /api/announcements/:id',
    access: 'admin',
    asks: [
      { params: { id: 'gone' }, gives: message('Announcement deleted') },
      { params: { id: 'gone' }, gives: message('Announcement deleted') },
      notAnId('announcement'),
    ],
  },
]

const first = (more: object): Shape => ({ ...adminLog, ...more })
/** A page of so many rows in all. */
const found = (total: number, item: Shape = adminLog): Shape => ({ items: [item], total, page: 1, page_size: 20 })
const at = (params: Params, afterMs: number): string => new Date(Number(params.start) + afterMs).toISOString()
const HOUR = 3_600_000
/** What `GET /api/logs` and `GET /api/user/logs` have in common; so many rows there are on the first day, and in all. */
const filters = (early: number, all: number, item: Shape): Ask[] => [
  { query: '?page=1', gives: found(all, item) },
  { query: '?page=2&page_size=1', gives: { items: [item], total: all, page: 2, page_size: 1 } },
  { query: '?page_size=1000', gives: { items: [item], total: all, page: 1, page_size: 100 } },
  { query: '?user_channel_id=1', gives: found(2, item) },
  { query: '?user_channel_id=77', gives: found(0, item) },
  { query: '?model_name=SMALL', gives: found(1, { ...(item as object), model_name: 'claude-small' }) },
  { query: '?model_name=%25', gives: found(0, item) },
  { query: '?api_key_id=77', gives: found(0, item) },
  { query: (params) => `?start_time=${at(params, HOUR)}`, gives: found(all - early, item) },
  { query: (params) => `?start_date=${at(params, HOUR)}`, gives: found(all - early, item) },
  { query: (params) => `?end_time=${at(params, HOUR)}`, gives: found(early, item) },
  { query: (params) => `?end_date=${at(params, HOUR)}`, gives: found(early, item) },
  { query: (params) => `?end_date=${at(params, 0).slice(0, 10)}`, gives: found(early, item) },
  { query: (params) => `?start_date=${at(params, 0).slice(0, 10)}&end_date=${at(params, DAY_MS).slice(0, 10)}`, gives: found(all, item) },
  { query: (params) => `?end_time=${at(params, HOUR).slice(0, 16)}`, gives: found(early, item) },
  { query: (params) => `?end_time=${at(params, HOUR).slice(0, 19)}`, gives: found(early, item) },
  ...['start_time', 'start_date', 'end_time', 'end_date'].flatMap((name) =>
    ['yesterday', '2026-13-01', '2026-02-30', '1700000000'].map((bad) => ({ query: `?${name}=${bad}`, error: 'invalid time format' })),
  ),
  { query: '?api_key_id=x', error: 'Invalid api_key_id' },
  { query: '?user_channel_id=0', error: 'Invalid user_channel_id' },
  { query: '?page=0', error: 'page: must be a positive whole number' },
]
const COUNTED = each('request_count input_tokens output_tokens cached_input_tokens total_tokens', int)
const record = { check_in_date: text, reward_amount: decimal, streak_days: int, reward_kind: text }

const numbers: Row[] = [
  {
    at: 'GET /api/logs',
    access: 'support',
    asks: [
      { gives: [first({ input_tokens: 100, cached_input_tokens: 30, output_tokens: 10 })] },
      { query: (params) => `?user_id=${params.reader}`, gives: [first({})] },
      { query: (params) => `?user_id=${params.other}&page=1`, gives: found(1) },
      { query: (params) => `?channel_id=${params.up}`, gives: found(2) },
      { query: '?channel_id=x', error: 'Invalid channel_id' },
      { query: '?user_id=-1', error: 'Invalid user_id' },
      ...filters(1, 3, adminLog),
    ],
  },
  {
    at: 'GET /api/user/logs',
    access: 'user',
    asks: [
      { gives: [userLog] },
      { query: (params) => `?user_id=${params.other}`, gives: [{ ...userLog, model_name: filled }] },
      ...filters(1, 2, userLog),
    ],
  },
  {
    at: 'GET /api/stats',
    access: 'support',
    asks: [{ gives: { users: 4, channels: 1, total_cost: '0.00033', today_requests: 2 } }],
  },
  {
    at: 'GET /api/channel-usage',
    access: 'support',
    asks: [
      {
        gives: {
          user_channels: [
            { id, name: filled, description: text, routing_algorithm: filled, multiplier: decimal, ...COUNTED, total_cost: decimal },
          ],
          upstream_channels: [
            {
              id,
              name: 'up',
              type: 'openai',
              user_channel_id: nullable(id),
              user_channel_name: 'default',
              priority: int,
              weight: int,
              request_count: 2,
              input_tokens: 200,
              output_tokens: 20,
              cached_input_tokens: 60,
              total_tokens: 220,
              total_cost: '0.00022',
            },
          ],
        },
      },
    ],
  },
  {
    at: 'GET /api/user/stats',
    access: 'user',
    asks: [
      {
        gives: {
          balance: '9.99978',
          group,
          total_requests: 2,
          today_requests: 1,
          total_cost: '0.00022',
          rpm: 1,
          tpm: 110,
        },
      },
    ],
  },
  {
    at: 'GET /api/user/catalog',
    access: 'user',
    asks: [{ gives: [{ id, name: 'default', description: text, enabled: true, models: [text], model_icons: {} }] }],
  },
  {
    at: 'GET /api/user/referral',
    access: 'user',
    asks: [
      {
        gives: object(
          {
            enabled: true,
            code: filled,
            link: filled,
            commission_rate: '0',
            invite_count: 0,
            total_commission: '0',
            recent_logs: [commission],
          },
          'hold_days commission_cap pending_commission',
        ),
      },
    ],
  },
  {
    at: 'GET /api/referral-commissions',
    access: 'support',
    asks: [{ gives: [commission] }, { query: '?page=1', gives: page(commission) }],
  },
]

const rewards: Row[] = [
  {
    at: 'GET /api/user/check-in/status',
    access: 'user',
    asks: [
      {
        gives: {
          enabled: flag,
          checked_in_today: false,
          current_streak: 0,
          today_reward_preview: '1',
          random_enabled: false,
          random_min: '0',
          random_max: '0',
          next_streak_reward: optional({ day: int, amount: decimal }),
          currency_display_name: '$',
          recent_records: [record],
        },
      },
      {
        settings: { checkin_enabled: false },
        gives: object(
          { enabled: false },
          'checked_in_today current_streak today_reward_preview random_enabled random_min random_max next_streak_reward currency_display_name recent_records',
        ),
      },
    ],
  },
  {
    at: 'POST /api/user/check-in',
    access: 'user',
    asks: [
      { settings: { checkin_enabled: false }, error: 'Check-in is disabled' },
      { gives: { reward_amount: '1', reward_kind: 'daily', streak_days: 1, balance: '10.99978', currency_display_name: '$' } },
      { error: 'Already checked in today' },
    ],
  },
  {
    at: 'GET /api/user/check-in/records',
    access: 'user',
    asks: [
      { gives: inOrder(record) },
      { query: '?page=2', gives: { items: inOrder(), total: 1, page: 2, page_size: 20 } },
      { query: (params) => `?start_time=${at(params, DAY_MS)}`, gives: { items: inOrder(record), total: 1, page: 1, page_size: 20 } },
      { query: (params) => `?end_time=${at(params, HOUR)}`, gives: { items: inOrder(), total: 0, page: 1, page_size: 20 } },
      { query: '?start_date=today', error: 'invalid time format' },
    ],
  },
]

export const people: Table = {
  name: 'people, their calls and rewards',
  settings: { checkin_enabled: true, checkin_daily_reward: '1' },
  prepare,
  rows: [...users, ...announcements, ...numbers, ...rewards],
}
