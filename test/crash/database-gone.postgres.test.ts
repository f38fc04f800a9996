import { expect, test } from 'bun:test'
import { startPostgres } from '../../scripts/postgres.mjs'
import { readDatabase, type DatabaseOptions } from '../../server/db/open.ts'
import { checkBooks } from '../../server/features/books/service.ts'
import { setUpSite } from '../site.ts'
import { Upstream } from '../upstream/server.ts'
import { freePort, startServer } from './process.ts'

/** promises.md R5: 50 crashes of the database in the full lane. */
const CRASHES = process.env['TEST_FULL'] === '1' ? 50 : 5
const WORKERS = 8
const DOWN_MS = 300
const REFUSED_WITHIN_MS = 1_000
const RECOVERED_WITHIN_MS = 3_000
/** A hold whose settlement was lost with the database is freed by the sweeper (additions.md). */
const FREED_LIMIT_MS = 15_000

// It starts a PostgreSQL of its own, which it may kill.
test(`R5: ${CRASHES} crashes of PostgreSQL under load cost no money and no process`, async () => {
  const postgres = await startPostgres({ from: process.env['TEST_POSTGRES'] as 'local' | 'npm' | undefined })
  const upstream = await Upstream.start()
  const database: DatabaseOptions = { path: '', url: postgres.url, onError: () => undefined }
  const server = await startServer(database, await freePort(), { LOG_LEVEL: 'silent' })
  try {
    const site = await setUpSite(server.base)
    await site.sell(await site.addChannel({ baseUrl: upstream.url }), 'm')
    await site.setBalance('1000')
    const { secret } = await site.addKey()
    const arrived: string[] = []
    let slowestRefusal = 0
    let slowestRecovery = 0
    let down = false
    const ask = async (stream: boolean): Promise<boolean> => {
      const began = performance.now()
      const wasDown = down
      const response = await fetch(`${server.base}/v1/chat/completions`, {
        method: 'POST',
        headers: { authorization: `Bearer ${secret}`, 'content-type': 'application/json' },
        body: JSON.stringify({ model: 'm', max_tokens: 100, stream, messages: [{ role: 'user', content: 'hello' }] }),
      })
      const text = await response.text()
      if (wasDown && down && response.status !== 200) slowestRefusal = Math.max(slowestRefusal, performance.now() - began)
      const whole = response.status === 200 && (stream ? text.endsWith('data: [DONE]\n\n') : text.endsWith('}'))
      if (whole) arrived.push(response.headers.get('x-tollgate-request-id') ?? '')
      else if (response.status !== 200) expect([500, 503]).toContain(response.status)
      return whole
    }
    const run = { over: false }
    const workers = Array.from({ length: WORKERS }, async (_, index) => {
      while (!run.over) {
        await ask(index % 2 === 0)
        await Bun.sleep(5)
      }
    })
    for (let round = 0; round < CRASHES; round += 1) {
      await Bun.sleep(150 + ((round * 37) % 100))
      postgres.crash()
      down = true
      await Bun.sleep(DOWN_MS)
      down = false
      await postgres.restart()
      const began = performance.now()
      while (!(await ask(false))) await Bun.sleep(20)
      slowestRecovery = Math.max(slowestRecovery, performance.now() - began)
    }
    run.over = true
    await Promise.all(workers)
    const holds = (): Promise<number> => readDatabase(database, async (db) => (await db.selectFrom('holds').select('id').execute()).length)
    const freedBy = performance.now() + FREED_LIMIT_MS
    while ((await holds()) > 0 && performance.now() < freedBy) await Bun.sleep(250)
    expect(await holds()).toBe(0)
    const rows = await readDatabase(database, (db) => db.selectFrom('logs').select(['request_id', 'cost']).execute())
    const costs = new Map(rows.map(({ request_id: id, cost }) => [id, cost]))
    expect(costs.size, 'one row a call').toBe(rows.length)
    expect(arrived.filter((id) => costs.get(id) !== 1_000_000n)).toEqual([])
    expect((await checkBooks(database)).differences).toEqual([])
    process.kill(server.pid, 0)
    console.log(
      `  ${arrived.length} whole answers, slowest refusal while down ${slowestRefusal.toFixed(0)} ms, slowest recovery ${slowestRecovery.toFixed(0)} ms`,
    )
    expect(slowestRefusal).toBeLessThan(REFUSED_WITHIN_MS)
    expect(slowestRecovery).toBeLessThan(RECOVERED_WITHIN_MS)
  } finally {
    await server.kill('SIGKILL')
    await upstream.stop()
    await postgres.stop()
  }
}, 600_000)
