import { afterAll, beforeAll, expect, test } from 'bun:test'
import { sql } from 'kysely'
import { z } from 'zod'
import type { AnyEndpoint } from '../../contract/endpoint.ts'
import { startGateway } from '../../server/relay/start.ts'
import { createTestApp, type TestApp, type TestUser } from '../app.ts'
import { paymentSettings } from '../payments/gateway.ts'
import { CANARY, everythingOf, type Ids } from './victim.ts'

/* S1, made from the operations that are served: a new one is tried by itself. */

let app: TestApp
let victim: TestUser
let thief: TestUser
/** Ids of what is the victim's, by what they are called on the wire. */
let ids: Ids
beforeAll(async () => {
  app = await createTestApp({
    gateway: startGateway,
    // Nobody is called.
    resolveName: () => Promise.resolve([]),
    settings: {
      ...paymentSettings({ url: 'http://127.0.0.1:1' }),
      rate_limit_enabled: false,
      checkin_enabled: true,
      checkin_daily_reward: '1',
      referral_enabled: true,
      payload_log_mode: 'all',
    },
  })
  victim = await app.user('victim')
  thief = await app.user('thief')
  ids = await everythingOf(app, victim)
  await app.api('POST', `/api/users/${thief.id}/adjustments`, { amount: '5', reason: 'a gift' })
  // Sign-ins are password hashes.
}, 30_000)
afterAll(() => app.close())

/** What the thief may add to by asking: tries, codes he was sent, and what is written of him. */
const OF_ASKING = new Set(['attempts', 'audit_log', 'challenges', 'instances', 'mails', 'usage_buckets', 'daily_totals'])

/** Every row that is the victim's, and all that belongs to the site. */
async function snapshot(): Promise<string> {
  const db = app.deps.db.query
  const account = await db.selectFrom('accounts').select('id').where('user_id', '=', thief.id).executeTakeFirstOrThrow()
  const rows: Record<string, unknown> = {}
  for (const { name, columns } of await db.introspection.getTables()) {
    if (OF_ASKING.has(name)) continue
    const has = (column: string): boolean => columns.some((one) => one.name === column)
    let others = sql`1 = 1`
    if (name === 'users') others = sql`id <> ${thief.id}`
    else if (has('user_id')) others = sql`user_id <> ${thief.id}`
    else if (has('account_id')) others = sql`account_id <> ${account.id}`
    rows[name] = (await sql`select * from ${sql.table(name)} where ${others} order by 1`.execute(db)).rows
  }
  return JSON.stringify(rows, (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value))
}

/** What a user may call; signing out would end what the rest needs. */
const open = (): AnyEndpoint[] =>
  app.app.endpoints.filter(
    ({ path, access }) => access === 'user' && path !== '/auth/logout' && path !== '/api/user/password/change' && !path.endsWith('/sync'),
  )

async function call(endpoint: AnyEndpoint, token: string, id: string | number, query: string, body: unknown): Promise<string> {
  const response = await app.fetch(`${endpoint.path.replaceAll(/:\w+/g, encodeURIComponent(id))}${query}`, {
    method: endpoint.method,
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    ...(endpoint.method === 'GET' ? {} : { body: JSON.stringify(body) }),
  })
  return response.text()
}

/** Names of what an operation's address takes. */
function queryNames({ query }: AnyEndpoint): string[] {
  const schema = query ? z.toJSONSchema(query, { io: 'input', unrepresentable: 'any' }) : undefined
  return Object.keys(schema?.properties ?? {})
}

test('the victim sees what is his: what follows is no silence', async () => {
  const shown: string[] = []
  for (const endpoint of open().filter(({ method }) => method === 'GET'))
    for (const id of endpoint.path.includes(':') ? Object.values(ids) : ['']) {
      const text = await call(endpoint, victim.token, id, '', undefined)
      if (text.includes(CANARY) && !shown.includes(endpoint.path)) shown.push(endpoint.path)
    }
  expect(shown.sort()).toEqual([
    '/api/user/api-keys',
    '/api/user/ledger',
    '/api/user/ledger/export',
    '/api/user/logs',
    '/api/user/logs/:id',
    '/api/user/me',
    '/api/user/passkeys',
    '/api/user/payment/orders',
    '/api/user/payment/orders/:order_no',
    '/api/user/referral',
    '/api/user/sessions',
    '/api/user/statements/:month',
  ])
})

test('S1: with another’s id in path, query and body nobody sees or changes what is not his', async () => {
  const before = await snapshot()
  const leaks: string[] = []
  let tried = 0
  const attempt = async (endpoint: AnyEndpoint, id: string | number, query: string, body: unknown): Promise<void> => {
    const text = await call(endpoint, thief.token, id, query, body)
    tried += 1
    if (text.includes(CANARY)) leaks.push(`${endpoint.method} ${endpoint.path} ${id} ${query}`)
  }
  for (const endpoint of open())
    for (const id of endpoint.path.includes(':') ? [...new Set(Object.values(ids))] : [''])
      for (const named of ['', ...(id === '' ? Object.keys(ids) : ['user_id', 'account_id'])]) {
        const value = ids[named] ?? ''
        const query = named === '' ? '' : `?${named}=${value}&id=${value}&user=${value}`
        await attempt(endpoint, id, query, { ...ids, id: value, name: 'x', allowed_user_channels: [1] })
      }
  // Whatever a list can be narrowed by, narrowed to the victim.
  for (const endpoint of open().filter(({ method }) => method === 'GET'))
    for (const name of queryNames(endpoint))
      for (const value of [...Object.values(ids), CANARY.slice(0, 9), '%', 'csv'])
        await attempt(endpoint, ids['month'] ?? '', `?${name}=${encodeURIComponent(value)}`, undefined)
  expect(leaks).toEqual([])
  expect(await snapshot()).toBe(before)
  expect(tried).toBeGreaterThan(1_000)
  // He was signed in all the while.
  expect((await app.api('GET', '/api/user/me', undefined, thief.token)).status).toBe(200)
}, 60_000)

test('S1: a stored response of another is not found, by a key or by a session', async () => {
  const [channel] = (await app.api<{ id: number }[]>('GET', '/api/user-channels')).body
  const own = { name: 'own', allowed_user_channels: [channel?.id] }
  const { api_key: key } = (await app.api<{ api_key: string }>('POST', '/api/user/api-keys', own, thief.token)).body
  const before = await snapshot()
  const path = `/v1/responses/${ids['response_id']}`
  const more = JSON.stringify({ model: 'm', input: 'Go on', previous_response_id: ids['response_id'] })
  for (const credential of [key, thief.token])
    for (const [method, address, body] of [
      ['GET', path],
      ['GET', `${path}?user_id=${victim.id}`],
      ['GET', `${path}/input_items`],
      ['DELETE', path],
      ['POST', `${path}/cancel`, '{}'],
      ['POST', '/v1/responses', more],
    ]) {
      const headers = { authorization: `Bearer ${credential}`, 'content-type': 'application/json' }
      const response = await app.app.fetch(
        new Request(`http://localhost${address}`, { method: method ?? '', headers, ...(body === undefined ? {} : { body }) }),
        '127.0.0.1',
      )
      expect([method, address, response.status]).toEqual([method, address, 404])
      expect(await response.text()).toContain('not found')
    }
  expect(await snapshot()).toBe(before)
})
