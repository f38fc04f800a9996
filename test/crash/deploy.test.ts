import { expect, test } from 'bun:test'
import { checkBooks } from '../../server/features/books/service.ts'
import { readDatabase } from '../../server/db/open.ts'
import { startFleet } from '../processes/fleet.ts'
import { freePort, startServer } from './process.ts'

/** promises.md R9: 50 stops in the full lane. */
const STOPS = process.env['TEST_FULL'] === '1' ? 50 : 3
const STREAMS = 100
/** How long a stream of the scripted provider takes: longer than the stop takes to be noticed. */
const STREAM_MS = 800
/** A stream ends within this after the stop was asked for. */
const DRAIN_LIMIT_MS = 30_000
const REFUSED_WITHIN_MS = 1_000

/** What became of one stream. */
async function follow(base: string, key: string): Promise<'whole' | 'error'> {
  const response = await fetch(`${base}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'm', max_tokens: 100, stream: true, messages: [{ role: 'user', content: 'hello' }] }),
  })
  expect(response.status).toBe(200)
  const text = await response.text()
  if (text.endsWith('data: [DONE]\n\n')) return 'whole'
  expect(text, 'neither an end nor an error').toContain('"error"')
  return 'error'
}

test(`R9: after ${STOPS} stops with ${STREAMS} open streams every stream has ended in order, new calls were refused at once, nothing is held`, async () => {
  const fleet = await startFleet(1)
  try {
    fleet.upstream.delayMs = STREAM_MS
    const { secret } = await fleet.site.addKey()
    let [server] = fleet.servers
    let whole = 0
    let slowest = 0
    for (let round = 0; round < STOPS && server; round += 1) {
      const { base } = server
      const streams = Array.from({ length: STREAMS }, () => follow(base, secret))
      const open = performance.now() + 5_000
      const held = (): Promise<number> =>
        readDatabase(fleet.database, async (db) => (await db.selectFrom('holds').select('id').execute()).length)
      while ((await held()) < STREAMS && performance.now() < open) await Bun.sleep(10)
      const began = performance.now()
      const gone = server.kill('SIGTERM')
      await Bun.sleep(100)
      const asked = performance.now()
      const refused = await fetch(`${base}/v1/models`, { headers: { authorization: `Bearer ${secret}` } }).then(
        ({ status }) => status,
        () => 'refused' as const,
      )
      expect([503, 'refused']).toContain(refused)
      expect(performance.now() - asked).toBeLessThan(REFUSED_WITHIN_MS)
      const ends = await Promise.all(streams)
      slowest = Math.max(slowest, performance.now() - began)
      whole += ends.filter((end) => end === 'whole').length
      expect(await gone).toBe(0)
      expect(await held()).toBe(0)
      server = await startServer(fleet.database, await freePort())
    }
    expect(slowest).toBeLessThan(DRAIN_LIMIT_MS)
    // The provider needs less than a second for each: none had to be cut off.
    expect(whole).toBe(STOPS * STREAMS)
    const rows = await readDatabase(fleet.database, (db) => db.selectFrom('logs').select(['cost', 'end_reason']).execute())
    expect(rows.length).toBe(STOPS * STREAMS)
    expect(rows.every(({ cost, end_reason: end }) => cost === 35_000_000n && end === 'complete')).toBe(true)
    expect((await checkBooks(fleet.database)).differences).toEqual([])
    console.log(`  ${whole} streams whole, slowest end ${slowest.toFixed(0)} ms after the stop`)
    await server?.kill('SIGKILL')
  } finally {
    await fleet.close()
  }
}, 600_000)
