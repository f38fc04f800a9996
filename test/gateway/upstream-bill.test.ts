import { afterAll, beforeAll, expect, test } from 'bun:test'
import { money, ZERO } from '../../contract/money.ts'
import { serve, type Served } from '../served.ts'
import type { Script } from '../upstream/script.ts'
import { Upstream, type Received } from '../upstream/server.ts'

/** promises.md M13: 50,000 mixed calls in the full lane, a slice in the normal one. */
const CALLS = process.env['TEST_FULL'] === '1' ? 50_000 : 800
const PARALLEL = 32
/** One call in five meets a fault. */
const FAULT_RATE = 0.2
/** 2.5 and 10 a million, in units of 1e-10 a token. */
const INPUT_PRICE = 25_000n
const OUTPUT_PRICE = 100_000n

let served: Served
const upstream = await Upstream.start()
const models = { openai: 'chat', 'openai-responses': 'responses', claude: 'claude', gemini: 'gemini' } as const
const names = Object.values(models)

const faults: Script[] = [
  { error: { status: 500, message: 'broken' } },
  { error: { status: 429, message: 'slow down' } },
  { error: { status: 400, message: 'bad request' } },
  {
    answer: { parts: [{ text: 'one two three four five' }], tokens: { input: 40, output: 9 } },
    pieces: 5,
    cut: { after: 2, how: 'break' },
  },
  { answer: { parts: [{ text: 'one two three four five' }], tokens: { input: 40, output: 9 } }, pieces: 5, cut: { after: 3, how: 'end' } },
  {
    answer: { parts: [{ text: 'one two three four five' }], tokens: { input: 40, output: 9 } },
    pieces: 5,
    cut: { after: 3, how: 'error' },
  },
  { answer: { parts: [{ text: 'one two three four five' }], tokens: { input: 40, output: 9 }, usage: 'missing' } },
]

beforeAll(async () => {
  served = await serve({ balance: '100000', settings: { reliability_disable_after_failures: 1_000 } })
  for (const [type, model] of Object.entries(models))
    await served.site.sell(await served.site.addChannel({ baseUrl: upstream.url, type, name: type }), model, {
      input_price: '2.5',
      output_price: '10',
      cached_input_price: '2.5',
    })
})
afterAll(async () => {
  await served.close()
  await upstream.stop()
})

let seed = 41
const random = (): number => {
  seed = (seed * 48_271) % 2_147_483_647
  return seed / 2_147_483_647
}

const ask = (model: string, stream: boolean, text: string): [string, object] => {
  const messages = [{ role: 'user', content: text }]
  switch (model) {
    case 'chat':
      return ['/v1/chat/completions', { model, stream, max_tokens: 500, messages }]
    case 'responses':
      return ['/v1/responses', { model, stream, max_output_tokens: 500, input: text }]
    case 'claude':
      return ['/v1/messages', { model, stream, max_tokens: 500, messages }]
    default:
      return [
        `/v1beta/models/${model}:${stream ? 'streamGenerateContent?alt=sse' : 'generateContent'}`,
        { contents: [{ role: 'user', parts: [{ text }] }], generationConfig: { maxOutputTokens: 500 } },
      ]
  }
}

/** What the upstream's own bill says a request costs at our selling price. */
function priceOf({ billed }: Received): bigint {
  if (!billed) return 0n
  return BigInt(billed.input) * INPUT_PRICE + BigInt(billed.output) * OUTPUT_PRICE
}

test(`M13: ${CALLS} mixed calls with 20 % faults: the books equal the upstream's own bill, or a written rule says why not`, async () => {
  // Each call has a text of its own, by which the upstream's record of it is found again.
  const calls = new Map<string, string>()
  const scripts = new Map<string, Script>()
  upstream.choose = ({ text }) => scripts.get(/call-\d+/.exec(text)?.[0] ?? '') ?? {}
  let next = 0
  await Promise.all(
    Array.from({ length: PARALLEL }, async () => {
      while (next < CALLS) {
        const text = `call-${next++}`
        const fault = random() < FAULT_RATE ? faults[Math.floor(random() * faults.length)] : undefined
        const tokens = { input: 1 + Math.floor(random() * 5_000), output: 1 + Math.floor(random() * 400) }
        scripts.set(text, fault ?? { answer: { parts: [{ text: 'one two three four' }], tokens } })
        const [path, body] = ask(names[Math.floor(random() * 4)] ?? 'chat', random() < 0.5, text)
        const response = await served.post(path, body)
        await response.text().catch(() => '')
        calls.set(text, response.headers.get('x-tollgate-request-id') ?? '')
      }
    }),
  )
  await served.expectBooks()
  const rows = new Map(
    (
      await served.test.deps.db.query
        .selectFrom('logs')
        .select(['request_id', 'cost', 'uncollected', 'end_reason', 'usage_source', 'charge_note'])
        .execute()
    ).map((row) => [row.request_id, row]),
  )
  expect(rows.size).toBe(CALLS)
  let exact = 0
  const explained = new Map<string, number>()
  const unexplained: unknown[] = []
  const bills = Map.groupBy(upstream.received, (got) => /call-\d+/.exec(got.text)?.[0] ?? '')
  for (const [text, id] of calls) {
    const row = rows.get(id)
    const bill = (bills.get(text) ?? []).reduce((sum, got) => sum + priceOf(got), 0n)
    const cost = row ? money(row.cost + row.uncollected) : ZERO
    // Rule by rule (docs/billing.md): stated usage is charged as it is; else a count of what was produced; else nothing.
    if (row?.usage_source === 'upstream' && cost === bill) exact += 1
    else if (cost === 0n && row?.end_reason !== 'complete' && row?.charge_note.startsWith('not charged'))
      explained.set('nothing was produced', (explained.get('nothing was produced') ?? 0) + 1)
    else if (row?.usage_source === 'estimated')
      explained.set(`counted: ${row.end_reason}`, (explained.get(`counted: ${row.end_reason}`) ?? 0) + 1)
    else unexplained.push({ text, row, bill })
  }
  console.log(`  ${exact} exact, explained: ${JSON.stringify(Object.fromEntries(explained))}`)
  expect(unexplained).toEqual([])
  expect(exact).toBeGreaterThan(CALLS * (1 - FAULT_RATE) * 0.95)
  // Every kind of fault that can be explained was met.
  expect(explained.size).toBeGreaterThanOrEqual(3)
}, 3_600_000)
