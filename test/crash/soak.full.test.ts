import { readdirSync, readFileSync } from 'node:fs'
import { afterAll, beforeAll, expect, test } from 'bun:test'
import { checkBooks } from '../../server/features/books/service.ts'
import { readDatabase } from '../../server/db/open.ts'
import { firstLine } from '../../bench/processes.ts'
import { startFleet, type Fleet } from '../processes/fleet.ts'

/**
 * R4: a server under load for long keeps no memory, no socket and no hold. `npm run campaign -- R4` runs the half hour of promises.md;
 * here fewer minutes find what leaks with every call.
 */
const MINUTES = Number(process.env['TEST_SOAK_MINUTES'] ?? 3)
/** Streams that are open at once. */
const CONCURRENT = 200
/** Of a hundred streams so many are left before their end. */
const LEFT_OF_100 = 30
/** A stream of so many chunks (of a word each) runs beside the others, one after the other; 1 M in the half hour. */
const LONG_CHUNKS = MINUTES >= 30 ? 1_000_000 : 100_000
const SAMPLE_MS = 1_000
/** The beginning, in which code is compiled and pools fill, does not count for the slope. */
const SETTLING = 1 / 3
const MAX_MB = 400
/** The promise's figure, and what noise alone may look like over the two minutes of a short run. */
const MAX_MB_PER_MINUTE = MINUTES >= 30 ? 1 : 12
/** What the last streams leave open is closed by then. */
const QUIET_WITHIN_MS = 30_000

const wires = {
  openai: () => '/v1/chat/completions',
  responses: () => '/v1/responses',
  claude: () => '/v1/messages',
  gemini: (model: string) => `/v1beta/models/${model}:streamGenerateContent?alt=sse`,
}
type Wire = keyof typeof wires
const all = Object.keys(wires) as Wire[]

let fleet: Fleet
let secret = ''
const upstream = Bun.spawn([process.execPath, new URL('../../bench/upstream.ts', import.meta.url).pathname], {
  stdin: 'ignore',
  stdout: 'pipe',
  stderr: 'inherit',
})

beforeAll(async () => {
  fleet = await startFleet(1)
  const baseUrl = `http://127.0.0.1:${await firstLine(upstream)}`
  for (const type of all) {
    const channel = await fleet.site.addChannel({ baseUrl, type, name: type })
    for (const model of ['paced', `chunks-${LONG_CHUNKS}`]) await fleet.site.sell(channel, `${model}-on-${type}`, undefined, model)
  }
  await fleet.site.setBalance('1000000')
  ;({ secret } = await fleet.site.addKey())
}, 60_000)
afterAll(async () => {
  await fleet.close()
  upstream.kill()
})

function bodyOf(wire: Wire, model: string): object {
  const messages = [{ role: 'user', content: 'Tell me a long story.' }]
  if (wire === 'gemini') return { contents: [{ role: 'user', parts: [{ text: 'Tell me a long story.' }] }] }
  if (wire === 'responses') return { model, stream: true, input: 'Tell me a long story.' }
  return { model, stream: true, messages, ...(wire === 'claude' && { max_tokens: 2_000_000 }) }
}

const seen = { whole: 0, left: 0, wrong: 0, long: 0, bytes: 0 }

/** One stream, read to its end or left after `leaveAfterMs`. */
async function stream(client: Wire, model: string, leaveAfterMs?: number): Promise<void> {
  const leaving = new AbortController()
  const timer = leaveAfterMs === undefined ? undefined : setTimeout(() => leaving.abort(), leaveAfterMs)
  try {
    const response = await fetch(`${fleet.servers[0]?.base}${wires[client](model)}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${secret}`, 'content-type': 'application/json', 'anthropic-version': '2023-06-01' },
      body: JSON.stringify(bodyOf(client, model)),
      signal: leaving.signal,
    })
    for await (const piece of response.body ?? []) seen.bytes += piece.length
    if (response.status === 200) seen.whole += 1
    else seen.wrong += 1
  } catch (error) {
    if (!leaving.signal.aborted) throw error
    seen.left += 1
  } finally {
    clearTimeout(timer)
  }
}

const residentMb = (pid: number): number => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1_024
const openFiles = (pid: number): number => readdirSync(`/proc/${pid}/fd`).length

/** Of the line through the points nearest to all of them. */
function slopeOf(points: readonly (readonly [x: number, y: number])[]): number {
  const mean = (of: (point: readonly [number, number]) => number): number =>
    points.reduce((sum, point) => sum + of(point), 0) / points.length
  const [x, y] = [mean(([at]) => at), mean(([, value]) => value)]
  return mean(([at, value]) => (at - x) * (value - y)) / mean(([at]) => (at - x) ** 2)
}

test(
  `R4: ${MINUTES} minutes of ${CONCURRENT} streams, ${LEFT_OF_100} % left, keep no memory, no socket and no hold`,
  async () => {
    const pid = fleet.servers[0]?.pid ?? 0
    // Both sides keep some connections for the next call: as many as will be kept are there before it begins.
    await Promise.all(Array.from({ length: CONCURRENT }, (_, n) => stream(all[n % 4] ?? 'openai', 'paced-on-openai')))
    await Bun.sleep(SAMPLE_MS)
    const filesBefore = openFiles(pid)
    const until = performance.now() + MINUTES * 60_000
    const work = async (worker: number): Promise<void> => {
      for (let n = worker; performance.now() < until; n += 1) {
        const model = `paced-on-${all[Math.floor(n / 4) % 4] ?? 'openai'}`
        // Two primes: who leaves, and when, is spread over all pairs.
        await stream(all[n % 4] ?? 'openai', model, (n * 37) % 100 < LEFT_OF_100 ? (n * 7_919) % 1_200 : undefined)
      }
    }
    const workLong = async (): Promise<void> => {
      for (let n = 0; performance.now() < until; n += 1) {
        await stream(all[n % 4] ?? 'openai', `chunks-${LONG_CHUNKS}-on-${all[(n + Math.floor(n / 4)) % 4] ?? 'openai'}`)
        seen.long += 1
        await Bun.sleep(Math.min(60_000, Math.max(0, until - performance.now())))
      }
    }
    const points: [minute: number, mb: number][] = []
    const began = performance.now()
    const sampler = setInterval(() => points.push([(performance.now() - began) / 60_000, residentMb(pid)]), SAMPLE_MS)
    await Promise.all([...Array.from({ length: CONCURRENT }, (_, worker) => work(worker * 101)), workLong()])
    clearInterval(sampler)
    const counted = points.filter(([minute]) => minute >= MINUTES * SETTLING)
    const highest = Math.max(...points.map(([, mb]) => mb))
    const slope = slopeOf(counted)
    const quietBy = performance.now() + QUIET_WITHIN_MS
    while (openFiles(pid) > filesBefore + 5 && performance.now() < quietBy) await Bun.sleep(250)
    console.log(
      `  ${JSON.stringify(seen)}, highest ${highest.toFixed(0)} MB, slope ${slope.toFixed(2)} MB a minute, ` +
        `${residentMb(pid).toFixed(0)} MB after, files ${filesBefore} before and ${openFiles(pid)} after`,
    )
    expect(seen.wrong).toBe(0)
    expect(seen.left).toBeGreaterThan(seen.whole / 5)
    expect(highest).toBeLessThan(MAX_MB)
    expect(slope).toBeLessThan(MAX_MB_PER_MINUTE)
    expect(openFiles(pid)).toBeLessThanOrEqual(filesBefore + 5)
    const open = await readDatabase(fleet.database, (db) => db.selectFrom('holds').select('id').execute())
    expect(open).toEqual([])
    expect((await checkBooks(fleet.database)).differences).toEqual([])
  },
  (MINUTES + 10) * 60_000,
)
