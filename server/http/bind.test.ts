import { beforeEach, describe, expect, test } from 'bun:test'
import { Hono } from 'hono'
import { z } from 'zod'
import { endpoint, type Access, type StepUp } from '../../contract/endpoint.ts'
import { AppError } from '../../contract/errors.ts'
import { createLog } from '../lib/log.ts'
import { bind, mount, type HttpEnv, type Route } from './bind.ts'
import { mayCall, roleOf, roles, type Caller, type Role } from './caller.ts'
import { credentialOf, isApiKey } from './credential.ts'
import { errorResponse } from './errors.ts'

/** Who asks; undefined: nobody who is known. */
let role: Role | undefined
/** What the guard was asked for. */
let fresh: StepUp[] = []
beforeEach(() => {
  role = 'user'
  fresh = []
})

function serve(...routes: Route[]): Hono<HttpEnv> {
  const app = new Hono<HttpEnv>()
  app.use(async (http, next) => {
    http.set('ip', '192.0.2.1')
    http.set('requestId', 'request-1')
    await next()
  })
  app.onError((error, http) =>
    errorResponse(
      error,
      http,
      createLog('silent', () => 0),
    ),
  )
  mount(app, routes, {
    async authenticate(): Promise<Caller> {
      if (role === undefined) throw new AppError('credential_missing')
      return { userId: 7, role, sessionId: 'session', verifiedAt: 0 }
    },
    async requireFresh(_, kind) {
      fresh.push(kind)
      if (kind === 'always') throw new AppError('step_up_required')
    },
  })
  return app
}
const answer = z.object({ said: z.unknown() })
const route = (access: Access, stepUp?: StepUp): Route =>
  bind(endpoint({ method: 'GET', path: '/x', access, summary: '', response: answer, ...(stepUp && { stepUp }) }), ({ caller }) => ({
    said: caller?.userId ?? null,
  }))
const asked = async (app: Hono<HttpEnv>, path = '/x', init?: RequestInit): Promise<[number, Record<string, unknown>]> => {
  const response = await app.request(path, init)
  return [response.status, (await response.json()) as Record<string, unknown>]
}
const code = async (app: Hono<HttpEnv>): Promise<unknown> => {
  const [status, body] = await asked(app)
  return status === 200 ? body['said'] : body['code']
}

describe('who may', () => {
  test('everybody may what is public, unasked; the rest needs a session', async () => {
    role = undefined
    expect(await code(serve(route('public')))).toBeNull()
    expect(await code(serve(route('user')))).toBe('credential_missing')
  })

  test('a user is told that it takes an administrator, an administrator that it takes another role', async () => {
    const table: Record<string, unknown[]> = {}
    for (const access of ['user', 'support', 'finance', 'admin', 'owner'] as const) {
      const app = serve(route(access))
      table[access] = []
      for (role of roles) table[access].push(await code(app))
    }
    expect(table).toEqual({
      user: [7, 7, 7, 7, 7],
      support: ['admin_required', 7, 7, 7, 7],
      finance: ['admin_required', 'role_required', 7, 7, 7],
      admin: ['admin_required', 'role_required', 'role_required', 7, 7],
      owner: ['role_required', 'role_required', 'role_required', 'role_required', 7],
    })
  })

  test('a fresh proof is asked for where the operation says so, after the role', async () => {
    expect(await code(serve(route('user', 'always')))).toBe('step_up_required')
    expect(await code(serve(route('user', 'site')))).toBe(7)
    expect(await code(serve(route('admin', 'always')))).toBe('admin_required')
    expect(await code(serve(route('user')))).toBe(7)
    expect(fresh).toEqual(['always', 'site'])
  })

  test('an unknown word in the role column is the least role', () => {
    expect(['owner', 'admin', 'OWNER', 'root', ''].map(roleOf)).toEqual(['owner', 'admin', 'user', 'user', 'user'])
    expect(roles.map((one) => mayCall(one, 'public'))).toEqual(roles.map(() => true))
  })
})

describe('two routes of one address', () => {
  test('are a fault; of one address and two methods they are not', () => {
    expect(() => serve(route('user'), route('public'))).toThrow('two routes for GET /x')
    const put = bind(endpoint({ method: 'PUT', path: '/x', access: 'user', summary: '', response: answer }), () => ({ said: 1 }))
    expect(() => serve(route('user'), put)).not.toThrow()
  })
})

describe('what a handler gets', () => {
  const params = z.object({ id: z.coerce.number().int('Invalid id') })
  const query = z.object({ page: z.coerce.number().int().max(9).default(1) })
  const body = z.object({ name: z.string(), list: z.array(z.number()).optional() })
  const echo = (access: Access) =>
    serve(
      bind(endpoint({ method: 'POST', path: '/x/:id', access, summary: '', params, query, body, response: answer }), (call) => ({
        said: { params: call.params, query: call.query, body: call.body, ip: call.ip, requestId: call.requestId },
      })),
      bind(endpoint({ method: 'PUT', path: '/x', access, summary: '', body: z.object({}).optional(), response: answer }), (call) => ({
        said: call.body ?? 'nothing',
      })),
      bind(
        endpoint({ method: 'DELETE', path: '/x', access, summary: '', response: answer }),
        () => new Response('own answer', { status: 418 }),
      ),
    )
  const post = (path: string, value: unknown, access: Access = 'user') =>
    asked(echo(access), path, { method: 'POST', body: typeof value === 'string' ? value : JSON.stringify(value) })

  test('is validated: path, query and body, and who asked from where', async () => {
    expect(await post('/x/5?page=2', { name: 'n', odd: true })).toEqual([
      200,
      { said: { params: { id: 5 }, query: { page: 2 }, body: { name: 'n' }, ip: '192.0.2.1', requestId: 'request-1' } },
    ])
  })

  test('a fault is named with its place; the contract’s own texts stand alone', async () => {
    const said = async (path: string, value: unknown) => {
      const [status, { error, code: name }] = await post(path, value)
      return [status, name, error]
    }
    expect(await said('/x/1.5', { name: 'n' })).toEqual([400, 'bad_request', 'Invalid id'])
    expect(await said('/x/1?page=10', { name: 'n' })).toEqual([400, 'bad_request', expect.stringMatching(/^page: Too big/)])
    expect(await said('/x/1', { name: 7 })).toEqual([400, 'bad_request', expect.stringMatching(/^name: Invalid input/)])
    expect(await said('/x/1', { name: 'n', list: [1, 'x'] })).toEqual([
      400,
      'bad_request',
      expect.stringMatching(/^list\.1: Invalid input/),
    ])
    expect(await said('/x/1', [])).toEqual([400, 'bad_request', expect.stringMatching(/^Invalid input/)])
    expect(await said('/x/1', '{"name"')).toEqual([400, 'bad_json', expect.any(String)])
    expect(await said('/x/1', '')).toEqual([400, 'bad_request', expect.any(String)])
  })

  test('an absent body is nothing where the operation allows that; a handler’s own answer goes out as it is', async () => {
    expect(await asked(echo('user'), '/x', { method: 'PUT' })).toEqual([200, { said: 'nothing' }])
    const own = await echo('user').request('/x', { method: 'DELETE' })
    expect([own.status, await own.text()]).toEqual([418, 'own answer'])
  })

  test('who is not signed in may send 256 KiB, a user more', async () => {
    const large = { name: 'n'.repeat(256 * 1024) }
    const [status, { code: name, error }] = await post('/x/1', large, 'public')
    expect([status, name, error]).toEqual([413, 'body_too_large', 'The request body is larger than 256 KiB'])
    expect((await post('/x/1', large))[0]).toBe(200)
  })
})

describe('the credential of a request', () => {
  const of = (headers: Record<string, string>, query?: string | null) => credentialOf(new Headers(headers), query)

  test('is the bearer of the authorization header, in its two-word form only', () => {
    expect(['Bearer abc', 'bearer abc', '  BEARER   abc  '].map((authorization) => of({ authorization }))).toEqual(['abc', 'abc', 'abc'])
    for (const authorization of ['', 'abc', 'Bearer', 'Bearer ', 'Bearer a b', 'Basic abc', 'Bearerabc'])
      expect([authorization, of({ authorization, 'x-api-key': 'key' }, 'query')]).toEqual([authorization, undefined])
  })

  test('else x-api-key, else what the address has; an empty one is none', () => {
    expect(of({ 'x-api-key': 'key' }, 'query')).toBe('key')
    expect(of({}, 'query')).toBe('query')
    expect([of({}), of({}, null), of({}, ''), of({ 'x-api-key': '' }, 'query')]).toEqual([undefined, undefined, undefined, undefined])
    expect(['sk-abc', 'SK-abc', 'eyJ', ' sk-'].map(isApiKey)).toEqual([true, false, false, false])
  })
})
