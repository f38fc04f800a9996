import { expect, test } from 'bun:test'
import { readDatabase } from '../../server/db/open.ts'
import { checkBooks } from '../../server/features/books/service.ts'
import { makeDatabase } from '../database.ts'
import { until } from '../served.ts'
import { sendRaw } from '../security/raw-client.ts'
import { setUpSite } from '../site.ts'
import { startSlowDatabase } from '../slow-database.ts'
import { Upstream } from '../upstream/server.ts'
import { freePort, startServer } from './process.ts'

/**
 * promises.md R6, full: five connections, two seconds more for each transaction, 500 at once. A call waits for the booking that runs
 * and for its own, twice (hold and charge): four transactions at most.
 */
const FULL = process.env['TEST_FULL'] === '1'
const DELAY_MS = FULL ? 2_000 : 200
const AT_ONCE = FULL ? 500 : 60
const PLACES = FULL ? 200 : 40
const RUNNING = FULL ? 20 : 5
const ACCEPTED_P99_MS = 10_000
/** The small run shares its machine with other tests; unrefused calls would take as long as the served ones, or be served. */
const REFUSED_WITHIN_MS = FULL ? 1_000 : 10_000
/** Later than anything that passes. */
const GIVE_UP_MS = 60_000
const NORMAL_WITHIN_MS = 10_000
/** A call on an idle machine takes a few milliseconds. */
const NORMAL_MS = 1_000

interface Seen {
  status: number
  ms: number
  whole: boolean
  id: string
}

test(`R6: ${AT_ONCE} calls at once on a database that takes ${DELAY_MS} ms longer: some are served, the rest are refused at once`, async () => {
  const { options: database, remove } = await makeDatabase()
  const slow = startSlowDatabase(database.url ?? '')
  const upstream = await Upstream.start()
  const server = await startServer({ ...database, url: slow.url }, await freePort(), { DB_POOL_SIZE: '5', LOG_LEVEL: 'silent' })
  try {
    const site = await setUpSite(server.base)
    await site.sell(await site.addChannel({ baseUrl: upstream.url }), 'm')
    await site.sell(await site.addChannel({ baseUrl: upstream.url, name: 'paced' }), 'paced')
    await site.api('PUT', '/api/settings', { reliability_max_calls: String(PLACES) })
    await site.setBalance('1000')
    const { secret } = await site.addKey()
    upstream.models.set('paced', { answer: { parts: [{ text: 'some words that come slowly' }] }, pieces: 10, pauseMs: DELAY_MS / 5 })
    const ask = async (stream: boolean, model = 'm'): Promise<Seen> => {
      const began = performance.now()
      const body = JSON.stringify({ model, max_tokens: 100, stream, messages: [{ role: 'user', content: 'hello' }] })
      const head = `POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${secret}\r\nContent-Type: application/json\r\n`
      // Not fetch: Bun's runs 256 at once here and keeps the others back.
      const { statuses, text } = await sendRaw(Number(new URL(server.base).port), `${head}Content-Length: ${body.length}\r\n\r\n${body}`, {
        giveUpMs: GIVE_UP_MS,
      })
      const status = statuses[0] ?? 0
      const whole = status === 200 && text.includes(stream ? 'data: [DONE]' : '"finish_reason":"stop"')
      return { status, ms: performance.now() - began, whole, id: /^x-tollgate-request-id: (\S+)/im.exec(text)?.[1] ?? '' }
    }
    expect((await ask(false)).status).toBe(200)
    const running = Array.from({ length: RUNNING }, () => ask(true, 'paced'))
    expect(await until(() => upstream.received.length === 1 + RUNNING)).toBe(true)
    slow.delayMs = DELAY_MS
    const seen = await Promise.all(Array.from({ length: AT_ONCE }, (_, index) => ask(index % 2 === 0)))
    const streams = await Promise.all(running)
    slow.delayMs = 0
    const healed = performance.now()
    expect(await until(async () => ((one) => one.status === 200 && one.ms < NORMAL_MS)(await ask(false)), NORMAL_WITHIN_MS)).toBe(true)
    const normalAfter = performance.now() - healed

    const served = seen.filter(({ status }) => status === 200)
    const refused = seen.filter(({ status }) => status !== 200)
    const p99 = quantile(served, 0.99)
    const slowest = quantile(refused, 1)
    console.log(
      `  ${served.length} served, p99 ${p99.toFixed(0)} ms; ${refused.length} refused, slowest ${slowest.toFixed(0)} ms; normal after ${normalAfter.toFixed(0)} ms`,
    )
    expect(new Set(refused.map(({ status }) => status))).toEqual(new Set([503]))
    expect(streams.filter(({ whole }) => !whole)).toEqual([])
    expect(served.filter(({ whole }) => !whole)).toEqual([])
    expect(served.length).toBeGreaterThanOrEqual(PLACES - RUNNING)
    expect(p99).toBeLessThan(ACCEPTED_P99_MS)
    expect(slowest).toBeLessThan(REFUSED_WITHIN_MS)
    const rows = await readDatabase(database, (db) => db.selectFrom('logs').select(['request_id', 'cost']).execute())
    const costs = new Map(rows.map(({ request_id: id, cost }) => [id, cost]))
    expect([...served, ...streams].filter(({ id }) => (costs.get(id) ?? 0n) === 0n)).toEqual([])
    expect(refused.filter(({ id }) => costs.has(id))).toEqual([])
    expect(await readDatabase(database, (db) => db.selectFrom('holds').select('id').execute())).toEqual([])
    expect((await checkBooks(database)).differences).toEqual([])
  } finally {
    await server.kill('SIGKILL')
    slow.stop()
    await upstream.stop()
    await remove()
  }
}, 120_000)

function quantile(seen: readonly Seen[], share: number): number {
  const sorted = seen.map(({ ms }) => ms).sort((a, b) => a - b)
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? Infinity
}
