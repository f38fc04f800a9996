import { afterAll, beforeAll, expect, test } from 'bun:test'
import { openDatabase, readDatabase, type DatabaseOptions } from '../../server/db/open.ts'
import { checkBooks } from '../../server/features/books/service.ts'
import { failpoints, type Failpoint } from '../../server/lib/failpoint.ts'
import { makeDatabase } from '../database.ts'
import { setUpSite, type Site } from '../site.ts'
import { Upstream } from '../upstream/server.ts'
import { freePort, startServer, type ServerProcess } from './process.ts'

/**
 * promises.md M3: eight places x four protocols x streamed or whole x 20 seeds (or TEST_SEEDS of them) in the full lane; each place
 * once in the normal one.
 */
const FULL = process.env['TEST_FULL'] === '1'
const SEEDS = FULL ? Number(process.env['TEST_SEEDS'] ?? 20) : 1
const types = ['openai', 'openai-responses', 'claude', 'gemini'] as const
type Type = (typeof types)[number]
/** 1,000 input tokens at 2.5 and 100 output tokens at 10 a million, in units of 1e-10. */
const COST = 35_000_000n
const FLAGS = ['--define', 'TOLLGATE_FAILPOINTS=true']
/** A server that is armed and does not die hangs the test; it must say so. */
const DIES_WITHIN_MS = 20_000

let database: DatabaseOptions
let remove: () => Promise<void>
let server: ServerProcess
let site: Site
let secret = ''
let port = 0
const upstream = await Upstream.start()

beforeAll(async () => {
  ;({ options: database, remove } = await makeDatabase())
  port = await freePort()
  server = await startServer(database, port, {}, FLAGS)
  site = await setUpSite(server.base)
  for (const type of types)
    await site.sell(await site.addChannel({ baseUrl: upstream.url, type, name: type }), type, { input_price: '2.5', output_price: '10' })
  await site.setBalance('1000')
  ;({ secret } = await site.addKey({ quotaLimit: '500' }))
  upstream.always = { answer: { parts: [{ text: 'one two three four' }], tokens: { input: 1_000, output: 100 } }, pieces: 4 }
})
afterAll(async () => {
  await server.kill('SIGKILL')
  await upstream.stop()
  await remove()
})

function bodyOf(type: Type, stream: boolean): [path: string, body: object] {
  const messages = [{ role: 'user', content: 'Go.' }]
  const bodies = {
    openai: ['/v1/chat/completions', { model: type, stream, max_tokens: 200, messages }],
    'openai-responses': ['/v1/responses', { model: type, stream, max_output_tokens: 200, input: 'Go.' }],
    claude: ['/v1/messages', { model: type, stream, max_tokens: 200, messages }],
    gemini: [
      `/v1beta/models/${type}:${stream ? 'streamGenerateContent?alt=sse' : 'generateContent'}`,
      { contents: [{ role: 'user', parts: [{ text: 'Go.' }] }], generationConfig: { maxOutputTokens: 200 } },
    ],
  } satisfies Record<Type, [string, object]>
  return bodies[type]
}

/** What stands at the end of a stream that is whole. */
const ends: Record<Type, string> = {
  openai: '[DONE]',
  'openai-responses': 'response.completed',
  claude: 'message_stop',
  gemini: 'finishReason',
}

/** Calls; whether the answer arrived whole. `name` stands in the row as the client's own name. */
async function arrives(type: Type, stream: boolean, name: string, place?: Failpoint): Promise<boolean> {
  const [path, body] = bodyOf(type, stream)
  try {
    const response = await fetch(server.base + path, {
      method: 'POST',
      headers: { authorization: `Bearer ${secret}`, 'user-agent': name, ...(place && { 'x-tollgate-failpoint': place }) },
      body: JSON.stringify(body),
    })
    const text = await response.text()
    expect(response.status, text).toBe(200)
    return stream ? text.includes(ends[type]) : text.endsWith('}')
  } catch (error) {
    // The server died; everything else is a failure of its own.
    if (!(error instanceof Error) || !('code' in error)) throw error
    return false
  }
}

interface Run {
  name: string
  place: Failpoint
  calls: number
  arrived: number
}

/** All cells of a seed; in the normal lane one for each place, such that every protocol is met twice, streamed and whole. */
function cellsOf(): { place: Failpoint; type: Type; stream: boolean }[] {
  if (FULL) return failpoints.flatMap((place) => types.flatMap((type) => [true, false].map((stream) => ({ place, type, stream }))))
  return failpoints.map((place, index) => ({
    place,
    type: types[index % types.length] ?? 'openai',
    stream: (index + Math.floor(index / types.length)) % 2 === 0,
  }))
}

test(`M3: the server dies at each of ${failpoints.length} places of a call (${SEEDS} seeds): each call is charged once or not at all`, async () => {
  const runs: Run[] = []
  const retries: string[] = []
  for (let seed = 0; seed < SEEDS; seed += 1)
    for (const { place, type, stream } of cellsOf()) {
      const name = `m3-${runs.length}`
      // The first seed is alone; later ones have others at their sides, so that a batch dies with several calls in it.
      const calls = 1 + (seed % 4)
      const asked = Promise.all(Array.from({ length: calls }, () => arrives(type, stream, name, place)))
      const died = await Promise.race([server.ended.then(() => true), Bun.sleep(DIES_WITHIN_MS).then(() => false)])
      expect(died, `${place} of ${type}, ${stream ? 'streamed' : 'whole'}`).toBe(true)
      runs.push({ name, place, calls, arrived: (await asked).filter(Boolean).length })
      server = await startServer(database, port, {}, FLAGS)
      // Asked again, as the client would: it is another call, and served.
      expect(await arrives(type, stream, `${name}-again`)).toBe(true)
      retries.push(`${name}-again`)
    }
  await server.kill('SIGKILL')
  // All are dead, and known to be: what they held is free at the next start.
  const db = await openDatabase(database)
  await db.query.deleteFrom('instances').execute()
  await db.close()
  server = await startServer(database, port, {}, FLAGS)

  const { rows, holds } = await readDatabase(database, async (query) => ({
    rows: await query.selectFrom('logs').select(['user_agent', 'cost', 'end_reason', 'request_id']).execute(),
    holds: await query.selectFrom('holds').select('id').execute(),
  }))
  expect(holds).toEqual([])
  expect(new Set(rows.map((row) => row.request_id)).size).toBe(rows.length)
  const byName = Map.groupBy(rows, (row) => row.user_agent)
  for (const { name, place, calls, arrived } of runs) {
    const of = byName.get(name) ?? []
    const charged = of.filter((row) => row.cost !== 0n)
    expect(of.length, place).toBeLessThanOrEqual(calls)
    expect(
      charged.every((row) => row.cost === COST && row.end_reason === 'complete'),
      place,
    ).toBe(true)
    expect(
      of.every((row) => row.cost !== 0n || row.end_reason === 'crashed'),
      place,
    ).toBe(true)
    // What arrived whole was charged before it left.
    expect(charged.length, place).toBeGreaterThanOrEqual(arrived)
    if (calls > 1) continue
    expect(arrived, place).toBe(0)
    const reserved = place !== 'before_hold' && place !== 'in_hold'
    expect(
      of.map((row) => row.end_reason),
      place,
    ).toEqual(reserved ? [place === 'after_settlement' ? 'complete' : 'crashed'] : [])
  }
  for (const name of retries) expect(byName.get(name)?.map((row) => row.cost)).toEqual([COST] as never)
  expect((await checkBooks(database)).differences).toEqual([])
  const { charged, crashed } = {
    charged: rows.filter((row) => row.cost !== 0n).length,
    crashed: rows.filter((row) => row.cost === 0n).length,
  }
  console.log(`  ${runs.length} deaths: ${charged} calls charged, ${crashed} closed as crashed`)
}, 3_600_000)
