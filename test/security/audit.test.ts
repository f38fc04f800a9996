import { afterAll, beforeAll, expect, test } from 'bun:test'
import { readCsv } from '../../server/lib/csv.ts'
import { createTestApp, type TestApp, type TestUser } from '../app.ts'

/** Every write of an administrator, and every write a user makes to the safety of his account, leaves a row in the audit log. */
interface Step {
  name: string
  body?: unknown
  /** Path parameters; whatever the step before made, unless given. */
  id?: () => number | string
  /** As this user instead of the owner. */
  as?: 'user' | 'leaver'
}

const SECRET = 'canary-Zq81vWm3Xt'
const made: Record<string, number> = {}
const of = (area: string) => () => made[area] ?? 0
const key = () => ({ allowed_user_channels: [made['user-channels']] })

/** In this order: what is made first is used later. */
const steps: Step[] = [
  { name: 'PUT /api/settings', body: { site_name: 'Audited', oidc_client_secret: SECRET } },
  { name: 'POST /api/groups', body: { name: 'g', multiplier: '1' } },
  { name: 'PUT /api/groups/:id', id: of('groups'), body: { name: 'g2', multiplier: '1.5' } },
  { name: 'POST /api/user-channels', body: { name: 'u' } },
  { name: 'PUT /api/user-channels/:id', id: of('user-channels'), body: { name: 'u2', enabled: true } },
  { name: 'PUT /api/user-channels/:id/allowed-groups', id: of('user-channels'), body: () => ({ group_ids: [made['groups']] }) },
  { name: 'PUT /api/user-channels/:id/allowed-groups', id: of('user-channels'), body: { group_ids: [] } },
  {
    name: 'POST /api/channels',
    body: () => ({
      name: 'c',
      type: 'openai',
      base_url: 'https://example.com/v1',
      api_key: SECRET,
      user_channel_id: made['user-channels'],
    }),
  },
  {
    name: 'PUT /api/channels/:id',
    id: of('channels'),
    body: { name: 'c2', type: 'openai', base_url: 'https://example.com/v1', api_key: `${SECRET}2` },
  },
  {
    name: 'PUT /api/channels/:id/group-multipliers',
    id: of('channels'),
    body: () => [{ group_id: made['groups'], multiplier: '2' }],
  },
  { name: 'POST /api/channels/:id/health/reset', id: of('channels') },
  { name: 'POST /api/models', body: { model_name: 'm', input_price: '1', output_price: '2' } },
  { name: 'PUT /api/models/:id', id: of('models'), body: { model_name: 'm', input_price: '3', output_price: '2' } },
  {
    name: 'POST /api/channels/:id/models',
    id: of('channels'),
    body: () => ({ channel_id: made['channels'], model_id: made['models'], model_name: 'm', upstream_model_name: 'm' }),
  },
  {
    name: 'PUT /api/channel-models/:id',
    id: of('bindings'),
    body: () => ({ model_id: made['models'], model_name: 'm', upstream_model_name: 'other' }),
  },
  {
    name: 'PUT /api/channel-models/:id/group-multipliers',
    id: of('bindings'),
    body: () => [{ group_id: made['groups'], multiplier: '2' }],
  },
  { name: 'POST /api/models/sync/apply', body: () => ({ channel_id: made['channels'], models: [{ model_name: 'synced' }] }) },
  {
    name: 'POST /api/models/prices/sync/apply',
    body: () => ({ channel_id: made['channels'], models: [{ model_name: 'synced', input_price: '1', output_price: '1' }] }),
  },
  { name: 'POST /api/meta-models', body: { name: 'meta', dsl: 'call "m"', enabled: true } },
  { name: 'PUT /api/meta-models/:id', id: of('meta-models'), body: { name: 'meta', dsl: 'call "synced"', enabled: true } },
  { name: 'DELETE /api/meta-models/:id', id: of('meta-models') },
  { name: 'POST /api/announcements', body: { title: 't', content: 'c' } },
  { name: 'PUT /api/announcements/:id', id: of('announcements'), body: { title: 't2', content: 'c' } },
  { name: 'DELETE /api/announcements/:id', id: of('announcements') },
  { name: 'POST /api/status-monitors', body: { name: 'up', target_url: 'https://up.example.test/', enabled: false } },
  { name: 'PUT /api/status-monitors/:id', id: of('status-monitors'), body: { name: 'up2', target_url: 'https://up.example.test/' } },
  { name: 'DELETE /api/status-monitors/:id', id: of('status-monitors') },
  { name: 'POST /api/redeem-codes', body: { amount: '1', max_uses: 1 } },
  { name: 'PUT /api/redeem-codes/:id', id: of('redeem-codes'), body: { amount: '2', max_uses: 1 } },
  { name: 'DELETE /api/redeem-codes/:id', id: of('redeem-codes') },
  { name: 'POST /api/redeem-codes/bulk', body: { amount: '1', max_uses: 1, count: 2 } },
  { name: 'POST /api/user/api-keys', as: 'user', body: key },
  { name: 'PUT /api/user/api-keys/:id', as: 'user', id: of('api-keys'), body: () => ({ ...key(), name: 'renamed' }) },
  { name: 'POST /api/user/api-keys/:id/rotate', as: 'user', id: of('api-keys'), body: { grace_seconds: 60 } },
  { name: 'POST /api/user/api-keys/:id/reset-usage', as: 'user', id: of('api-keys') },
  { name: 'POST /api/user/api-key/rotate', as: 'user' },
  { name: 'DELETE /api/user/api-keys/:id', as: 'user', id: of('api-keys') },
  { name: 'POST /api/user/reauth', as: 'user', body: () => ({ password: user.password }) },
  { name: 'DELETE /api/user/sessions/:id', as: 'user', id: () => 'others' },
  {
    name: 'POST /api/user/password/change',
    as: 'user',
    body: () => ({ new_password: `${SECRET} as a password`, current_password: user.password }),
  },
  { name: 'PUT /api/users/:id', id: () => user.id, body: { role: 'support', balance: '5' } },
  { name: 'POST /api/users/:id/adjustments', id: () => user.id, body: { amount: '1', reason: 'a gift' } },
  { name: 'DELETE /api/users/:id/sessions', id: () => user.id },
  { name: 'DELETE /api/users/:id', id: () => user.id },
  { name: 'DELETE /api/channel-models/:id', id: of('bindings') },
  { name: 'DELETE /api/models/:id', id: of('models') },
  { name: 'DELETE /api/channels/:id', id: of('channels') },
  { name: 'DELETE /api/user-channels/:id', id: of('user-channels') },
  { name: 'DELETE /api/groups/:id', id: of('groups') },
  { name: 'POST /auth/logout', as: 'leaver' },
]

const NOTHING = 'changes nothing that is kept'
const OWN = 'a row of its own says who, when and how much'
const SIGN_IN = 'opens a session, whose row says from where; guesses are counted'
const ELSEWHERE = 'its row is looked at by the test of its feature'
const UNSEEN = 'its service writes the row with the change; no test looks at it'
/** Why these leave no row, or where theirs is looked at. */
const others: Record<string, string> = {
  'POST /api/meta-models/validate': NOTHING,
  'POST /api/meta-models/simulate': NOTHING,
  'POST /api/public/quote': NOTHING,
  'POST /api/user/quote': NOTHING,
  'POST /api/channels/test': NOTHING,
  'POST /api/models/sync/preview': NOTHING,
  'POST /api/models/sync/preview/browser': NOTHING,
  'POST /api/models/prices/sync/preview': NOTHING,
  'POST /api/models/prices/sync/preview/browser': NOTHING,
  'POST /api/price-catalog/suggest': NOTHING,
  'POST /auth/passkey/login/options': NOTHING,
  'POST /api/user/passkeys/register/options': NOTHING,
  'POST /api/user/reauth/options': NOTHING,
  'POST /api/user/second-factor/totp': `${NOTHING} until it is confirmed`,
  'POST /api/user/oidc/bind-url': NOTHING,
  'POST /auth/password/email-code': 'sends a code',
  'POST /auth/password/reset-code': 'sends a code',
  'POST /api/user/password/email-code': 'sends a code',
  'POST /api/channels/sync': 'asks upstreams; the rows of what it binds are those of apply',
  'POST /api/models/sync': 'asks upstreams; the rows of what it binds are those of apply',
  'POST /auth/password/login': SIGN_IN,
  'POST /auth/passkey/login': SIGN_IN,
  'POST /auth/second-factor': SIGN_IN,
  'POST /auth/password/register': OWN,
  'POST /api/user/check-in': OWN,
  'POST /api/user/redeem-code': OWN,
  'POST /api/payment/yipay/notify': OWN,
  'POST /api/payment/openpayment/notify': OWN,
  'POST /api/payment/stripe/notify': OWN,
  'POST /api/user/payment/orders': OWN,
  'POST /api/user/payment/orders/:order_no/recheck': OWN,
  'POST /api/payment/orders/:order_no/recheck': OWN,
  'POST /api/payment/orders/:order_no/resolve': ELSEWHERE,
  'POST /api/payment/orders/:order_no/refund': ELSEWHERE,
  'POST /api/reconciliations': UNSEEN,
  'POST /api/status-monitors/:id/check': 'looks at a target; its result is kept with the monitor',
  'POST /api/reconciliations/:id/check': 'reads an imported file again',
  'POST /api/setup': 'looked at below',
  'POST /auth/password/reset': ELSEWHERE,
  'DELETE /api/user/oidc': UNSEEN,
  'POST /api/user/passkeys/register': ELSEWHERE,
  'PUT /api/user/passkeys/:id': ELSEWHERE,
  'DELETE /api/user/passkeys/:id': ELSEWHERE,
  'POST /api/user/second-factor/totp/confirm': UNSEEN,
  'DELETE /api/user/second-factor/totp': UNSEEN,
  'POST /api/user/second-factor/recovery-codes': UNSEEN,
}

interface Row {
  id: number
  actor_user_id: number | null
  actor_username: string | null
  action: string
  target_type: string
  target_id: string
  before: unknown
  after: unknown
}
interface Page {
  items: Row[]
  total: number
}

let app: TestApp
let user: TestUser
let leaver: TestUser
const secrets = [SECRET]
beforeAll(async () => {
  app = await createTestApp()
  user = await app.user('audited')
  leaver = await app.user('leaver')
  secrets.push(user.password)
  // Sign-ins are password hashes.
}, 30_000)
afterAll(() => app.close())

const list = async (query = ''): Promise<Page> => (await app.api<Page>('GET', `/api/audit-logs?page_size=100${query}`)).body

test('every write is either tried here or has its reason', () => {
  const writes = app.app.endpoints.filter(({ method }) => method !== 'GET').map(({ method, path }) => `${method} ${path}`)
  const known = new Set([...steps.map(({ name }) => name), ...Object.keys(others)])
  expect(writes.filter((name) => !known.has(name) && !name.startsWith('POST /api/settings/test/'))).toEqual([])
  expect([...known].filter((name) => !writes.includes(name))).toEqual([])
})

test('the first setup has its row', async () => {
  const { items } = await list('&action=setup')
  expect(items.map(({ actor_username: name }) => name)).toEqual(['owner'])
})

test('each write leaves a row of who did it, and none has a secret', async () => {
  const without: string[] = []
  const failed: string[] = []
  const ownerId = (await app.api<{ id: number }>('GET', '/api/user/me')).body.id
  const token = await app.admin()
  for (const { name, body, id, as } of steps) {
    const [method = '', path = ''] = name.split(' ')
    const actor = as === 'user' ? user : as === 'leaver' ? leaver : { id: ownerId, token }
    const before = (await app.deps.db.query.selectFrom('audit_log').select('id').orderBy('id', 'desc').limit(1).executeTakeFirst())?.id ?? 0
    const sent: unknown = typeof body === 'function' ? (body as () => unknown)() : body
    const answer = await app.api<{ id?: number; api_key?: string; key?: { id: number }; meta_model?: { id: number } }>(
      method,
      path.replace(/:\w+/, String(id?.() ?? '')),
      sent,
      actor.token,
    )
    if (answer.status !== 200) failed.push(`${name}: ${JSON.stringify(answer.body)}`)
    const area = path.startsWith('/api/channels/:id/models') ? 'bindings' : (path.split('/')[path.includes('/user/') ? 3 : 2] ?? '')
    if (method === 'POST' && !made[area]) made[area] = answer.body.key?.id ?? answer.body.meta_model?.id ?? answer.body.id ?? 0
    if (answer.body.api_key) secrets.push(answer.body.api_key)
    const rows = await app.deps.db.query.selectFrom('audit_log').selectAll().where('id', '>', before).execute()
    if (!rows.some(({ actor_user_id: id }) => id === actor.id)) without.push(name)
    for (const secret of secrets) expect([name, JSON.stringify(rows).includes(secret)]).toEqual([name, false])
  }
  expect(failed).toEqual([])
  expect(without).toEqual([])
}, 60_000)

test('the log is searched by actor, action, target, time and text, page by page', async () => {
  const all = await list()
  expect(all.total).toBeGreaterThan(steps.length)
  expect(all.items.map(({ id }) => id)).toEqual(all.items.map(({ id }) => id).sort((a, b) => b - a))
  const page = (await app.api<Page>('GET', '/api/audit-logs?page=2&page_size=10')).body
  expect(page.items).toEqual(all.items.slice(10, 20))
  expect(page.total).toBe(all.total)

  const byUser = await list(`&actor_user_id=${user.id}`)
  expect(byUser.total).toBeGreaterThan(5)
  // His account is deleted, so nobody has that name any more.
  expect(new Set(byUser.items.map(({ actor_user_id: id, actor_username: name }) => `${id} ${name}`))).toEqual(new Set([`${user.id} null`]))
  const rotated = await list(`&action=rotate&target_type=api_key&actor_user_id=${user.id}`)
  expect(rotated.items.map(({ target_id: id }) => id)).toEqual([String(made['api-keys'])])
  const user7 = await list(`&target_type=user&target_id=${user.id}&action=adjust_balance`)
  expect(user7.items.map(({ after }) => (after as { balance: string }).balance)).toEqual(['6', '5'])

  expect((await list('&q=AUDITED')).items.map(({ target_type: type }) => type)).toContain('settings')
  expect((await list('&q=%25')).items).toEqual([])
  expect((await list('&q=renamed')).items.map(({ action }) => action)).toContain('update')
  expect((await list('&end_date=2020-01-01')).total).toBe(0)
  expect((await list('&start_date=2020-01-01')).total).toBe(all.total)
  expect((await app.api('GET', '/api/audit-logs?start_time=yesterday')).status).toBe(400)
})

test('the export has every row, oldest first, as CSV and as JSON, and runs no formula', async () => {
  await app.api('POST', '/api/groups', { name: '=1+1', multiplier: '1' })
  const { total } = await list()
  const file = async (format: string): Promise<Response> =>
    app.fetch(`/api/audit-logs/export?format=${format}`, { headers: { authorization: `Bearer ${await app.admin()}` } })
  const json = await file('json')
  expect(json.headers.get('content-disposition')).toMatch(/^attachment; filename="audit-\d{4}-\d\d-\d\d\.json"$/)
  const rows = (await json.json()) as Row[]
  expect(rows.length).toBe(total)
  expect(rows[0]?.action).toBe('setup')
  const [header, ...lines] = readCsv(await (await file('csv')).text(), 10_000)
  expect(header?.slice(0, 5)).toEqual(['id', 'created_at', 'actor_user_id', 'actor_username', 'action'])
  expect(lines.map(([id]) => Number(id))).toEqual(rows.map(({ id }) => id))
  expect((await app.api('GET', '/api/audit-logs/export?format=csv&action=none')).body).not.toContain('setup')
  expect((await app.api('GET', '/api/audit-logs/export?format=json&action=none')).body).toEqual([])
})

test('only administrators read it', async () => {
  for (const role of ['support', 'finance'] as const)
    expect((await app.api('GET', '/api/audit-logs', undefined, (await app.user(role, role)).token)).status).toBe(403)
  expect((await app.api('GET', '/api/audit-logs', undefined, (await app.user('other-admin', 'admin')).token)).status).toBe(200)
}, 30_000)
