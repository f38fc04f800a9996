import { afterAll, beforeAll, beforeEach, expect, test } from 'bun:test'
import { parseMoney, ZERO } from '../../contract/money.ts'
import { costOf, serve, type Row, type Served } from '../served.ts'
import { Upstream } from '../upstream/server.ts'

/** 20,000 words: about 20,000 tokens of output, 0.2 at 10 a million; ten times the balance of 0.02. */
const WORDS = 20_000
const LONG = 'word '.repeat(WORDS)
const BALANCE = '0.02'
/** Holds are for 1,000 output tokens: 0.01 and a little input. */
const CAP = 1_000
const PRICES = { input_price: '2.5', output_price: '10' }
const CALLS = 1_000
const PARALLEL = 100

let served: Served
const upstream = await Upstream.start()
const models = { openai: 'chat-model', 'openai-responses': 'responses-model', claude: 'claude-model', gemini: 'gemini-model' } as const

/** The same question in each protocol, asking for at most CAP tokens; the upstream writes on regardless. */
const asks: Record<string, (stream: boolean) => [string, object]> = {
  'chat-model': (stream) => [
    '/v1/chat/completions',
    { model: 'chat-model', stream, max_tokens: CAP, messages: [{ role: 'user', content: 'Go on.' }] },
  ],
  'responses-model': (stream) => ['/v1/responses', { model: 'responses-model', stream, max_output_tokens: CAP, input: 'Go on.' }],
  'claude-model': (stream) => [
    '/v1/messages',
    { model: 'claude-model', stream, max_tokens: CAP, messages: [{ role: 'user', content: 'Go on.' }] },
  ],
  'gemini-model': (stream) => [
    `/v1beta/models/gemini-model:${stream ? 'streamGenerateContent?alt=sse' : 'generateContent'}`,
    { contents: [{ role: 'user', parts: [{ text: 'Go on.' }] }], generationConfig: { maxOutputTokens: CAP } },
  ],
}

beforeAll(async () => {
  served = await serve({ balance: BALANCE })
  for (const [type, model] of Object.entries(models))
    await served.site.sell(await served.site.addChannel({ baseUrl: upstream.url, type, name: type }), model, PRICES)
})
beforeEach(async () => {
  upstream.reset()
  upstream.always = { answer: { parts: [{ text: LONG }], tokens: { input: 10, output: WORDS } }, pieces: 200 }
  await served.site.setBalance(BALANCE)
})
afterAll(async () => {
  await served.close()
  await upstream.stop()
})

/** What calls cost beyond what the account had. */
const unpaid = async (): Promise<bigint> => {
  const rows = await served.test.deps.db.query.selectFrom('logs').select('uncollected').execute()
  const balance = await served.balance()
  return rows.reduce<bigint>((sum, row) => sum + row.uncollected, balance < 0n ? -balance : 0n)
}

const call = async (model: string, stream: boolean): Promise<{ status: number; text: string; id: string }> => {
  const [path, body] = asks[model]?.(stream) ?? ['', {}]
  const response = await served.post(path, body)
  return { status: response.status, text: await response.text(), id: response.headers.get('x-tollgate-request-id') ?? '' }
}

for (const model of Object.values(models))
  test(`M7: a ${model} stream that outgrows its hold is held for again, and ends with the protocol's own error when money does`, async () => {
    upstream.always = { ...upstream.always, pauseMs: 1 }
    const { status, text, id } = await call(model, true)
    expect(status).toBe(200)
    expect(text).toContain('The balance was used up during the answer')
    // Never a normal end behind it.
    expect(text).not.toContain('[DONE]')
    expect(text).not.toContain('message_stop')
    expect(text).not.toContain('response.completed')
    const row: Row = await served.row(id)
    expect(row).toMatchObject({ end_reason: 'refused_balance', usage_source: 'estimated' })
    // It was held for again at least once: more was produced than the first hold covers.
    expect(row.output_tokens).toBeGreaterThan(CAP)
    expect(row.output_tokens).toBeLessThan(2 * CAP + 500)
    // Nothing of it is unpaid but what one chunk of the upstream brought beyond the hold.
    expect(await unpaid()).toBeLessThan(parseMoney('0.005') ?? ZERO)
    expect(costOf(row)).toBeGreaterThan(parseMoney('0.01') ?? ZERO)
    expect(upstream.last.finished).toBe(false)
    await served.expectBooks()
  })

test('M7: a stream that its hold covers is never held for again', async () => {
  await served.site.setBalance('10')
  upstream.always = { answer: { parts: [{ text: 'word '.repeat(800) }], tokens: { input: 10, output: 800 } }, pieces: 200 }
  const { text, id } = await call('chat-model', true)
  expect(text).toContain('[DONE]')
  const row = await served.test.deps.db.query.selectFrom('logs').select('hold').where('request_id', '=', id).executeTakeFirstOrThrow()
  expect(row.hold).toBeLessThan(parseMoney('0.0101') ?? ZERO)
  await served.expectBooks()
})

/** CALLS calls, PARALLEL at once, of all models in turn; how many were answered with which status. */
async function storm(streamed: (index: number) => boolean): Promise<Map<number, number>> {
  const statuses = new Map<number, number>()
  let next = 0
  await Promise.all(
    Array.from({ length: PARALLEL }, async () => {
      while (next < CALLS) {
        const index = next++
        const { status } = await call(Object.values(models)[index % 4] ?? '', streamed(index))
        statuses.set(status, (statuses.get(status) ?? 0) + 1)
      }
    }),
  )
  return statuses
}

test('S4: a stream of a call that asks for no token at all ends like any other, whatever the upstream writes', async () => {
  upstream.always = { answer: { parts: [{ text: 'Hello all the same' }], tokens: { input: 10, output: 4 } } }
  for (const [model, ask] of Object.entries(asks)) {
    const [path, body] = ask(true)
    const none = JSON.stringify(body).replaceAll(`:${CAP}`, ':0')
    const answer = await served.post(path, none)
    expect({ model, status: answer.status, said: (await answer.text()).includes('Hello') }).toEqual({ model, status: 200, said: true })
  }
  await served.expectBooks()
})

test(`M7: ${CALLS} streamed calls, ${PARALLEL} at once, each of ten times the balance: unpaid stays below one hold`, async () => {
  const before = await unpaid()
  const statuses = await storm(() => true)
  await served.expectBooks()
  // A raise that holds nothing lets every stream that was admitted run on to its end: 0.19 each.
  expect((await unpaid()) - before).toBeLessThanOrEqual(parseMoney('0.0101') ?? ZERO)
  expect(statuses.get(402) ?? 0).toBeGreaterThan(CALLS - 20)
  expect((statuses.get(402) ?? 0) + (statuses.get(200) ?? 0)).toBe(CALLS)
}, 60_000)

test(`M7: ${CALLS} calls, ${PARALLEL} at once, each of ten times the balance: unpaid stays below one call, then the account is blocked until it pays`, async () => {
  const before = await unpaid()
  const statuses = await storm((index) => index % 8 < 4)
  await served.expectBooks()
  expect((await unpaid()) - before).toBeLessThanOrEqual(parseMoney('0.2001') ?? ZERO)
  expect(statuses.get(402) ?? 0).toBeGreaterThan(CALLS - 20)
  expect((statuses.get(402) ?? 0) + (statuses.get(200) ?? 0)).toBe(CALLS)
  // Blocked with the reason when it owes, admitted again once it is paid.
  if ((await served.balance()) < 0n) expect((await call('chat-model', true)).text).toContain('owes money')
  await served.site.setBalance('10')
  expect((await call('chat-model', false)).status).toBe(200)
  await served.expectBooks()
}, 60_000)
