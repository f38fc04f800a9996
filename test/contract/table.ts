import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import type { Access } from '../../contract/endpoint.ts'
import { createTestApp, type TestApp, type TestUser } from '../app.ts'
import { faultsOf, type Shape } from './fits.ts'

/** Names of a path's parameters, and whatever else an area wants to keep for its rows. */
export type Params = Record<string, string | number>

/** One request to a row's address and what it must answer. */
export interface Ask {
  /** Who asks; without a word whom the row's access is for. */
  as?: 'owner' | 'user' | 'nobody'
  /** A text that names what was prepared stands for its number. */
  params?: Params
  query?: string | ((params: Params) => string)
  /** Sent as JSON; a text goes as it stands; a function is asked when it is time. */
  body?: unknown
  /** In force for this request only. */
  settings?: Record<string, unknown>
  /** 200 unless an error's text is wanted. */
  status?: number
  /** The literal text of `error`. */
  error?: string
  gives?: Shape
}

/** A row for one route of contract.md section 3. */
export interface Row {
  /** `METHOD /path/:name`. */
  at: string
  /** The contract's `admin` is `support` where one only looks and `finance` where it is about money alone (docs/api.md). */
  access: Access
  /** In order. */
  asks: readonly Ask[]
}

/** Rows that share one site. */
export interface Table {
  name: string
  settings?: Record<string, unknown>
  setUp?: false
  /** Makes what the rows ask for; answers their parameters. */
  prepare?: (app: TestApp, user: TestUser) => Promise<Params>
  rows: readonly Row[]
}

/** A database of its own, and some forty answers of one row, on a busy machine. */
const BUSY_MS = 30_000

/** What a row that no id fits to asks with. */
const NOBODY = 999_999

/** Registers a test a row: who is let in, what a success is, each error with its text. */
export function contractTable({ name, settings, setUp, prepare, rows }: Table): void {
  describe(name, () => {
    let app: TestApp
    let user: TestUser | undefined
    let params: Params = {}
    beforeAll(async () => {
      app = await createTestApp({ ...(settings && { settings }), ...(setUp === false && { setUp }) })
      if (setUp === false) return
      user = await app.user('reader')
      params = (await prepare?.(app, user)) ?? {}
    }, BUSY_MS)
    afterAll(() => app.close())

    for (const { at, access, asks } of rows)
      test(
        `${at}: ${access}, ${asks.length} answers as the contract has them`,
        async () => {
          const [method = '', path = ''] = at.split(' ')
          const declared = app.app.endpoints.find((one) => one.method === method && one.path === path)
          expect(declared?.access).toBe(access)
          if (setUp !== false) await expectGate(app, { method, path, access }, user?.token)
          for (const ask of asks) await expectAnswer(app, { method, path, access }, ask, params, user?.token)
        },
        BUSY_MS,
      )
  })
}

interface Route {
  method: string
  path: string
  access: Access
}

/** 401 for nobody, 403 for whoever may not. */
async function expectGate(app: TestApp, { method, path, access }: Route, token: string | undefined): Promise<void> {
  if (access === 'public') return
  const address = path.replaceAll(/:\w+/g, String(NOBODY))
  const body = method === 'GET' ? undefined : {}
  expect(await app.api(method, address, body, null)).toMatchObject({ status: 401, body: { error: 'Authorization is required' } })
  if (access === 'user' || token === undefined) return
  expect(await app.api(method, address, body, token)).toMatchObject({ status: 403, body: { error: 'Admin access required' } })
}

async function expectAnswer(app: TestApp, route: Route, ask: Ask, params: Params, userToken: string | undefined): Promise<void> {
  const { method, access } = route
  const path = route.path.replace(/:(\w+)/g, (_, name: string) => {
    const value = ask.params?.[name] ?? NOBODY
    return String(params[value] ?? value)
  })
  const who = ask.as ?? (access === 'public' ? 'nobody' : access === 'user' ? 'user' : 'owner')
  const token = { nobody: null, user: userToken ?? null, owner: who === 'owner' ? await app.admin() : null }[who]
  const said: unknown = typeof ask.body === 'function' ? (ask.body as (params: Params) => unknown)(params) : ask.body
  const query = typeof ask.query === 'function' ? ask.query(params) : (ask.query ?? '')
  const undo = ask.settings && (await change(app, ask.settings))
  const response = await app.fetch(`${path}${query}`, {
    method,
    headers: { 'content-type': 'application/json', ...(token === null ? {} : { authorization: `Bearer ${token}` }) },
    ...(said === undefined ? {} : { body: typeof said === 'string' ? said : JSON.stringify(said) }),
    redirect: 'manual',
  })
  if (undo) await change(app, undo)
  const answer = (await response.json()) as { error?: string }
  const name = `${method} ${path}${query} ${JSON.stringify(said) ?? ''}`
  expect({ name, status: response.status, error: answer.error }).toEqual({
    name,
    status: ask.status ?? (ask.error === undefined ? 200 : 400),
    error: ask.error,
  })
  if (ask.gives !== undefined) expect({ name, faults: faultsOf(answer, ask.gives) }).toEqual({ name, faults: [] })
}

/** Stores settings; answers what takes that back. */
async function change(app: TestApp, settings: Record<string, unknown>): Promise<Record<string, unknown>> {
  const token = await app.admin()
  const now = (await app.api<Record<string, unknown>>('GET', '/api/settings', undefined, token)).body
  expect((await app.api('PUT', '/api/settings', settings, token)).status).toBe(200)
  return Object.fromEntries(Object.keys(settings).map((key) => [key, now[key] ?? '']))
}
