import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createApp, type AppOptions, type RunningApp } from '../server/app.ts'
import type { AppConfig } from '../server/config.ts'
import type { Deps } from '../server/http/deps.ts'
import { hashPassword } from '../server/lib/passwords.ts'
import { createLog } from '../server/lib/log.ts'
import { POOL_SIZE } from '../server/lib/pool-size.ts'
import { openapiDocument } from '../server/features/openapi/document.ts'
import { createUser } from '../server/features/users/service.ts'
import type { Role } from '../server/http/caller.ts'
import { ManualClock } from './clock.ts'
import type { DatabaseOptions } from '../server/db/open.ts'
import { makeDatabase } from './database.ts'
import { DocumentedAnswers } from './documented.ts'
import { OWNER } from './site.ts'

export const TEST_SECRET = 'only for tests: 7Yw2pX9qKc4Zr8Vt1Nb6'
const LOOPBACK = '127.0.0.1'
const BASE = 'http://localhost'

export interface TestAppOptions {
  /** Stored through the API as the owner would. */
  settings?: Record<string, unknown>
  gateway?: AppOptions['gateway']
  consoleDir?: string
  config?: Partial<AppConfig>
  /** Whether the first setup is done (default) and `token` is the owner's. */
  setUp?: boolean
  clock?: ManualClock
  /** Servers of this machine that addresses in customers' requests may name; none unless given. */
  customersAlsoReach?: string
  /** What names of outbound addresses resolve to; the system's answer unless given. */
  resolveName?: AppOptions['resolveName']
}

export interface Answer<T = unknown> {
  status: number
  body: T
  headers: Headers
}

export interface TestUser {
  id: number
  token: string
  username: string
  password: string
}

/** The real application on a real database; everything goes through HTTP. */
export interface TestApp {
  readonly app: RunningApp
  readonly deps: Deps
  readonly clock: ManualClock
  /** How another process would open the database: for the books. */
  readonly database: DatabaseOptions
  /** A request as the network brings it; `from` is the peer's address. Every answer is checked against the OpenAPI document. */
  fetch(path: string, init?: RequestInit, from?: string): Promise<Response>
  /** The same as a drop-in for the global function, for SDKs and test/site.ts. */
  readonly request: typeof fetch
  /** Calls the API as the owner, or with the given token; null: without. */
  api<T = unknown>(method: string, path: string, body?: unknown, token?: string | null): Promise<Answer<T>>
  /** The owner's token; signs in anew when the first has been used up. */
  admin(): Promise<string>
  /** Makes a user (no registration needed) and signs him in. */
  user(name: string, role?: Role): Promise<TestUser>
  close(): Promise<void>
}

const PASSWORD = 'a long enough password'
/** Every test application serves the same operations, and reading the document takes a moment. */
let documented: DocumentedAnswers | undefined

/** Starts a test application: temporary SQLite file, or a database of its own on PostgreSQL. */
export async function createTestApp(options: TestAppOptions = {}): Promise<TestApp> {
  const clock = options.clock ?? new ManualClock()
  const { options: database, remove } = await makeDatabase()
  const emptyDir = mkdtempSync(join(tmpdir(), 'tollgate-console-'))
  const config: AppConfig = {
    port: 0,
    host: LOOPBACK,
    dbPath: database.path,
    databaseUrl: database.url,
    dbPoolSize: POOL_SIZE,
    redisUrl: undefined,
    jwtSecret: TEST_SECRET,
    encryptionKey: `${TEST_SECRET} too`,
    appEnv: 'test',
    trustedProxies: [],
    logLevel: 'silent',
    oidc: { issuer: '', clientId: '', clientSecret: '', redirectUrl: '' },
    bootstrapAdmins: { emails: [], oidcSubs: [] },
    ...options.config,
  }
  const app = await createApp({
    config,
    clock,
    consoleDir: options.consoleDir ?? emptyDir,
    log: createLog('silent', () => clock.now()),
    ...(options.customersAlsoReach === undefined ? {} : { customersAlsoReach: options.customersAlsoReach }),
    ...(options.resolveName === undefined ? {} : { resolveName: options.resolveName }),
    ...(options.gateway ? { gateway: options.gateway } : {}),
  })
  let owner: string | undefined

  const test: TestApp = {
    app,
    deps: app.deps,
    clock,
    database,
    async fetch(path, init, from = LOOPBACK) {
      const request = new Request(path.startsWith('http') ? path : `${BASE}${path}`, init)
      const response = await app.fetch(request, from)
      documented ??= new DocumentedAnswers(openapiDocument(app.endpoints))
      await documented.check(request, response)
      return response
    },
    request: ((input: string | URL | Request, init?: RequestInit) => {
      const request = input instanceof Request ? new Request(input, init) : new Request(input, init)
      return Promise.resolve(app.fetch(request, LOOPBACK))
    }) as typeof fetch,
    async api(method: string, path: string, body?: unknown, token: string | null = owner ?? null) {
      const headers: Record<string, string> = { 'content-type': 'application/json' }
      if (token !== null) headers['authorization'] = `Bearer ${token}`
      const response = await test.fetch(path, { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) })
      const text = await response.text()
      return {
        status: response.status,
        body: text.startsWith('{') || text.startsWith('[') ? JSON.parse(text) : text,
        headers: response.headers,
      }
    },
    async admin() {
      owner ??= await login(test, OWNER.username, OWNER.password)
      return owner
    },
    async user(name, role = 'user') {
      const passwordHash = await hashPassword(PASSWORD)
      const input = { username: name, email: `${name}@example.test`, emailVerified: true, passwordHash, role, referrerId: null }
      const { id } = await app.deps.db.query.transaction().execute((tx) => createUser(tx, input, clock.now()))
      return { id, token: await login(test, name, PASSWORD), username: name, password: PASSWORD }
    },
    async close() {
      await app.close()
      await remove()
      rmSync(emptyDir, { recursive: true, force: true })
    },
  }
  if (options.setUp !== false) {
    const { status, body } = await test.api<{ token: string }>('POST', '/api/setup', OWNER, null)
    if (status !== 200) throw new Error(`setup: ${status} ${JSON.stringify(body)}`)
    owner = body.token
    if (options.settings) {
      const stored = await test.api('PUT', '/api/settings', options.settings)
      if (stored.status !== 200) throw new Error(`settings: ${stored.status} ${JSON.stringify(stored.body)}`)
    }
  }
  return test
}

/** Signs in with a password. */
export async function login(test: Pick<TestApp, 'api'>, identifier: string, password: string): Promise<string> {
  const { status, body } = await test.api<{ token: string }>('POST', '/auth/password/login', { identifier, password }, null)
  if (status !== 200) throw new Error(`login: ${status} ${JSON.stringify(body)}`)
  return body.token
}
