import { afterAll, beforeAll, expect, test } from 'bun:test'
import type { AnyEndpoint } from '../../contract/endpoint.ts'
import { createTestApp, type TestApp, type TestUser } from '../app.ts'

/* S1, made from the operations that are served: a new one is tried by itself. */

let app: TestApp
let victim: TestUser
let thief: TestUser
/** Ids of what is the victim's, by what they are called on the wire. */
let ids: Record<string, string | number>
/** What only the victim's own data has. */
const CANARY = 'canary-of-the-victim'
beforeAll(async () => {
  app = await createTestApp()
  victim = await app.user(CANARY)
  thief = await app.user('thief')
  const [channel] = (await app.api<{ id: number }[]>('GET', '/api/user-channels')).body
  const key = { name: CANARY, allowed_user_channels: [channel?.id] }
  const made = await app.api<{ key: { id: number } }>('POST', '/api/user/api-keys', key, victim.token)
  await app.api('POST', `/api/users/${victim.id}/adjustments`, { amount: '5', reason: CANARY })
  const [session] = (await app.api<{ id: string }[]>('GET', '/api/user/sessions', undefined, victim.token)).body
  const db = app.deps.db.query
  await db
    .insertInto('passkeys')
    .values({
      user_id: victim.id,
      name: CANARY,
      credential_id: CANARY,
      public_key: 'k',
      sign_count: 0,
      transports: '[]',
      created_at: 1,
      updated_at: 1,
      last_used_at: null,
    })
    .execute()
  const passkey = await db.selectFrom('passkeys').select('id').executeTakeFirstOrThrow()
  ids = { user_id: victim.id, api_key_id: made.body.key.id, session: session?.id ?? '', passkey: passkey.id }
  // Sign-ins are password hashes.
}, 30_000)
afterAll(() => app.close())

/** Every row that is the victim's, and all that belongs to the site. */
async function snapshot(): Promise<string> {
  const db = app.deps.db.query
  const rows = {
    users: await db.selectFrom('users').selectAll().where('id', '<>', thief.id).orderBy('id').execute(),
    accounts: await db.selectFrom('accounts').selectAll().where('user_id', '<>', thief.id).orderBy('id').execute(),
    keys: await db.selectFrom('api_keys').selectAll().where('user_id', '<>', thief.id).orderBy('id').execute(),
    passkeys: await db.selectFrom('passkeys').selectAll().where('user_id', '<>', thief.id).orderBy('id').execute(),
    sessions: await db
      .selectFrom('sessions')
      .select(['id', 'user_id', 'revoked_at'])
      .where('user_id', '<>', thief.id)
      .orderBy('id')
      .execute(),
    entries: await db.selectFrom('ledger_entries').selectAll().orderBy('id').execute(),
    settings: await db.selectFrom('settings').selectAll().orderBy('key').execute(),
  }
  return JSON.stringify(rows, (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value))
}

/** What a user may call; signing out would end what the rest needs. */
const open = (): AnyEndpoint[] =>
  app.app.endpoints.filter(
    ({ path, access }) => access === 'user' && path !== '/auth/logout' && path !== '/api/user/password/change' && !path.endsWith('/sync'),
  )

async function call(endpoint: AnyEndpoint, id: string | number, query: string, body: unknown): Promise<{ status: number; text: string }> {
  const response = await app.fetch(`${endpoint.path.replaceAll(/:\w+/g, encodeURIComponent(id))}${query}`, {
    method: endpoint.method,
    headers: { authorization: `Bearer ${thief.token}`, 'content-type': 'application/json' },
    ...(endpoint.method === 'GET' ? {} : { body: JSON.stringify(body) }),
  })
  return { status: response.status, text: await response.text() }
}

test('S1: with another’s id in path, query and body nobody sees or changes what is not his', async () => {
  const before = await snapshot()
  const leaks: string[] = []
  let tried = 0
  for (const endpoint of open()) {
    const inPath = endpoint.path.includes(':') ? [...new Set(Object.values(ids))] : ['']
    for (const id of inPath) {
      for (const named of ['', ...Object.keys(ids)]) {
        const value = ids[named] ?? ''
        const query = named === '' ? '' : `?${named}=${value}&id=${value}&user=${value}`
        const { text } = await call(endpoint, id, query, { ...ids, id: value, name: 'x', allowed_user_channels: [1] })
        tried += 1
        if (text.includes(CANARY)) leaks.push(`${endpoint.method} ${endpoint.path} ${id} ${query}`)
      }
    }
  }
  expect(leaks).toEqual([])
  expect(await snapshot()).toBe(before)
  expect(tried).toBeGreaterThan(150)
  // He was signed in all the while.
  expect((await app.api('GET', '/api/user/me', undefined, thief.token)).status).toBe(200)
}, 60_000)
