import Anthropic from '@anthropic-ai/sdk'
import { GoogleGenAI } from '@google/genai'
import { expect } from 'bun:test'
import OpenAI from 'openai'
import type { AdminReceiptWire } from '../contract/api/logs.ts'
import { ZERO, parseMoney } from '../contract/money.ts'
import { checkBooks } from '../server/features/books/service.ts'
import { listen } from '../server/listen.ts'
import { startGateway } from '../server/relay/start.ts'
import { createTestApp, type TestApp } from './app.ts'
import type { ManualClock } from './clock.ts'
import { setUpSite, type Site } from './site.ts'

/** A row of the log with all it says. */
export type Row = AdminReceiptWire

/** How long a settlement may take to be visible: additions.md promises rows within 3 s. */
const SETTLED_WITHIN_MS = 3_000

/** The real server on a real socket, set up by its owner. */
export interface Served {
  readonly test: TestApp
  readonly clock: ManualClock
  readonly url: string
  readonly site: Site
  /** Secret of a key of the owner. */
  readonly key: string
  /** The official SDKs, pointed at the server; none repeats a failed call on its own. */
  openai(key?: string): OpenAI
  anthropic(key?: string): Anthropic
  google(key?: string): GoogleGenAI
  /** A POST without an SDK. */
  post(
    path: string,
    body: unknown,
    init?: { key?: string | null; headers?: Record<string, string>; signal?: AbortSignal },
  ): Promise<Response>
  /** Headers of the last answer of the gateway, for SDKs that do not show them. */
  lastHeaders(): Headers
  /** The receipt of a call, as soon as it is there. */
  row(requestId: string): Promise<Row>
  /** All rows, newest first. */
  rows(): Promise<Row[]>
  balance(): Promise<bigint>
  /** Waits until nothing is held, then checks every book. Call it at the end of each test. */
  expectBooks(): Promise<void>
  close(): Promise<void>
}

export interface ServeOptions {
  /** Stored as the owner would. */
  settings?: Record<string, unknown>
  balance?: string
  clock?: ManualClock
  /** See TestAppOptions. */
  customersAlsoReach?: string
}

/** Starts one. */
export async function serve(options: ServeOptions = {}): Promise<Served> {
  const test = await createTestApp({
    setUp: false,
    gateway: startGateway,
    ...(options.clock && { clock: options.clock }),
    ...(options.customersAlsoReach !== undefined && { customersAlsoReach: options.customersAlsoReach }),
  })
  let lastHeaders = new Headers()
  const server = listen(
    {
      ...test.app,
      async fetch(request, socketAddress) {
        const response = await test.app.fetch(request, socketAddress)
        if (isGateway(request.url)) lastHeaders = response.headers
        return response
      },
    },
    { port: 0, hostname: '127.0.0.1' },
  )
  const url = `http://127.0.0.1:${server.port}`
  const site = await setUpSite(url)
  if (options.settings) await site.api('PUT', '/api/settings', options.settings)
  await site.setBalance(options.balance ?? '1000')
  const { secret: key } = await site.addKey()

  const held = async (): Promise<bigint> => {
    const rows = await test.deps.db.query.selectFrom('accounts').select('held').execute()
    const keys = await test.deps.db.query.selectFrom('api_keys').select('quota_held').execute()
    const holds = await test.deps.db.query.selectFrom('holds').select('amount').execute()
    return [...rows.map((row) => row.held), ...keys.map((row) => row.quota_held), ...holds.map((row) => row.amount)].reduce<bigint>(
      (sum, one) => sum + one,
      0n,
    )
  }

  return {
    test,
    clock: test.clock,
    url,
    site,
    key,
    openai: (apiKey = key) => new OpenAI({ apiKey, baseURL: `${url}/v1`, maxRetries: 0 }),
    anthropic: (apiKey = key) => new Anthropic({ apiKey, baseURL: url, maxRetries: 0 }),
    google: (apiKey = key) => new GoogleGenAI({ apiKey, httpOptions: { baseUrl: url } }),
    post(path, body, init = {}) {
      const credential = init.key === undefined ? key : init.key
      return fetch(url + path, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          ...(credential === null ? {} : { authorization: `Bearer ${credential}` }),
          ...init.headers,
        },
        body: typeof body === 'string' ? body : JSON.stringify(body),
        ...(init.signal && { signal: init.signal }),
      })
    },
    lastHeaders: () => lastHeaders,
    async row(requestId) {
      const until = performance.now() + SETTLED_WITHIN_MS
      for (;;) {
        const answer = await fetch(`${url}/api/logs/${requestId}`, { headers: { authorization: `Bearer ${site.token}` } })
        if (answer.ok) return (await answer.json()) as Row
        if (performance.now() > until)
          throw new Error(`no row of ${requestId} within ${SETTLED_WITHIN_MS} ms: ${answer.status} ${await answer.text()}`)
        await Bun.sleep(10)
      }
    },
    async rows() {
      const { items } = await site.api<{ items: Row[] }>('GET', '/api/logs?page=1&page_size=100')
      return items
    },
    async balance() {
      return parseMoney(await site.balance()) ?? ZERO
    },
    async expectBooks() {
      const until = performance.now() + SETTLED_WITHIN_MS
      while ((await held()) !== 0n && performance.now() < until) await Bun.sleep(10)
      expect(await held(), 'money still held').toBe(0n)
      const books = await checkBooks(test.database)
      expect(books.differences).toEqual([])
    },
    async close() {
      await server.stop(true)
      await test.close()
    },
  }
}

/** Also of an address whose host is none. */
function isGateway(url: string): boolean {
  return /^[^/]*(?:\/\/[^/]*)?\/v1/.test(url)
}

/** The cost of a row, uncollected part included, in units of 1e-10. */
export function costOf(row: Pick<Row, 'cost'>): bigint {
  return parseMoney(row.cost) ?? ZERO
}

/** Waits until `ready` says yes. */
export async function until(ready: () => boolean | Promise<boolean>, withinMs = 30_000): Promise<boolean> {
  const end = performance.now() + withinMs
  while (!(await ready())) {
    if (performance.now() > end) return false
    await Bun.sleep(5)
  }
  return true
}
