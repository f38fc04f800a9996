import { afterAll, beforeAll, expect, test } from 'bun:test'
import type { AnyEndpoint } from '../../contract/endpoint.ts'
import { mayCall, type Role } from '../../server/http/caller.ts'
import { createTestApp, login, type TestApp } from '../app.ts'
import { siteOf } from '../site.ts'

/** S1: every operation x who asks x where the credential stands answers as the table below says. */
const positions = ['bearer', 'x-api-key', 'query'] as const
type Position = (typeof positions)[number]

/** What the gate says; `in` is whatever comes behind it. */
type Gate =
  | 'in'
  | 'credential_missing'
  | 'api_key_on_dashboard'
  | 'account_disabled'
  | 'session_invalid'
  | 'user_not_found'
  | 'admin_required'
  | 'role_required'
const STATUS: Record<Exclude<Gate, 'in'>, number> = {
  credential_missing: 401,
  api_key_on_dashboard: 401,
  session_invalid: 401,
  user_not_found: 401,
  account_disabled: 403,
  admin_required: 403,
  role_required: 403,
}

interface Principal {
  credential?: string
  role?: Role
  /** Refused before any role is asked. */
  refused?: Exclude<Gate, 'in'>
}

let app: TestApp
const principals: Record<string, Principal> = {}
beforeAll(async () => {
  app = await createTestApp()
  const owner = await app.admin()
  for (const name of ['user', 'other', 'disabled', 'deleted']) principals[name] = { credential: (await app.user(name)).token, role: 'user' }
  for (const role of ['support', 'finance', 'admin'] as const) principals[role] = { credential: (await app.user(role, role)).token, role }
  principals['anonymous'] = { refused: 'credential_missing' }
  const site = siteOf('http://localhost', owner, 1, app.request)
  const full = await site.addKey()
  const restricted = await site.addKey({ allowedModels: ['only-this'], quotaLimit: '1' })
  principals['full key'] = { credential: full.secret, refused: 'api_key_on_dashboard' }
  principals['restricted key'] = { credential: restricted.secret, refused: 'api_key_on_dashboard' }
  const users = (await app.api<{ id: number; username: string }[]>('GET', '/api/users')).body
  const idOf = (wanted: string): number => users.find(({ username }) => username === wanted)?.id ?? 0
  await app.api('PUT', `/api/users/${idOf('disabled')}`, { disabled: true })
  await app.api('DELETE', `/api/users/${idOf('deleted')}`)
  // Disabling ends the sessions.
  principals['disabled'] = { ...principals['disabled'], refused: 'session_invalid' }
  principals['deleted'] = { ...principals['deleted'], refused: 'user_not_found' }
  principals['owner'] = { credential: await login(app, 'owner', 'correct horse battery'), role: 'owner' }
  // Nine sign-ins, each a password hash.
}, 30_000)
afterAll(() => app.close())

/** The written table. */
function expected({ access }: AnyEndpoint, { refused, role = 'user' }: Principal, position: Position): Gate {
  if (access === 'public') return 'in'
  // The dashboard reads no credential from an address (W07).
  if (position === 'query') return 'credential_missing'
  if (refused) return refused
  if (mayCall(role, access)) return 'in'
  return role === 'user' && access !== 'owner' ? 'admin_required' : 'role_required'
}

async function gate(
  { method, path }: AnyEndpoint,
  { credential = '' }: Principal,
  position: Position,
): Promise<{ gate: Gate; status: number }> {
  const headers: Record<string, string> = { 'content-type': 'application/json' }
  if (credential !== '' && position === 'bearer') headers['authorization'] = `Bearer ${credential}`
  if (credential !== '' && position === 'x-api-key') headers['x-api-key'] = credential
  // Nothing has this id, so that what is let in changes nothing.
  const address = path.replaceAll(/:\w+/g, '999999') + (position === 'query' ? `?key=${encodeURIComponent(credential)}` : '')
  const response = await app.fetch(address, { method, headers, redirect: 'manual', ...(method === 'GET' ? {} : { body: '{}' }) })
  const text = await response.text()
  const code = /"code":"(\w+)"/.exec(text)?.[1] ?? ''
  return { gate: code in STATUS ? (code as Gate) : 'in', status: response.status }
}

for (const position of positions)
  test(`each operation lets in exactly whom the table says: credential as ${position}`, async () => {
    let cells = 0
    const wrong: string[] = []
    // Signing out ends the session that the other cells need.
    const endpoints = app.app.endpoints.filter(({ path }) => path !== '/auth/logout')
    for (const endpoint of endpoints)
      for (const [name, principal] of Object.entries(principals)) {
        const wanted = expected(endpoint, principal, position)
        const seen = await gate(endpoint, principal, position)
        cells += 1
        if (seen.gate !== wanted || (wanted !== 'in' && seen.status !== STATUS[wanted]))
          wrong.push(`${endpoint.method} ${endpoint.path} as ${name}: ${seen.status} ${seen.gate}, not ${wanted}`)
      }
    expect(wrong).toEqual([])
    expect(cells).toBe(endpoints.length * 11)
  }, 60_000)

test('signing out is for whoever is signed in', async () => {
  const endpoint = app.app.endpoints.find(({ path }) => path === '/auth/logout')
  expect(endpoint?.access).toBe('user')
  for (const name of ['anonymous', 'full key', 'disabled', 'deleted', 'user']) {
    const principal = principals[name] ?? {}
    if (endpoint) expect((await gate(endpoint, principal, 'bearer')).gate).toBe(expected(endpoint, principal, 'bearer'))
  }
})
