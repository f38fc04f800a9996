import { afterAll, beforeAll, expect, test } from 'bun:test'
import { readCsv } from '../../server/lib/csv.ts'
import { createTestApp, type TestApp, type TestUser } from '../app.ts'
import { bodyOf, keep, SECRET, writesOf, type Made, type Step } from './writes.ts'

/** Every write of an administrator, and every write a user makes to the safety of his account, leaves a row in the audit log. */
const made: Made = {}
let steps: readonly Step[] = []

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
  steps = writesOf(made, user)
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
  for (const step of steps) {
    const { name, id, as } = step
    const [method = '', path = ''] = name.split(' ')
    const actor = as === 'user' ? user : as === 'leaver' ? leaver : { id: ownerId, token }
    const before = (await app.deps.db.query.selectFrom('audit_log').select('id').orderBy('id', 'desc').limit(1).executeTakeFirst())?.id ?? 0
    const answer = await app.api<{ api_key?: string }>(method, path.replace(/:\w+/, String(id?.() ?? '')), bodyOf(step), actor.token)
    if (answer.status !== 200) failed.push(`${name}: ${JSON.stringify(answer.body)}`)
    keep(made, name, answer.body)
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
