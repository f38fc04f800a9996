import { afterAll, beforeAll, expect, test } from 'bun:test'
import { parseMoney } from '../../contract/money.ts'
import { testEngine } from '../database.ts'
import { serve, until, type Served } from '../served.ts'
import { Upstream } from '../upstream/server.ts'

/** promises.md M12: 500 flips among 5,000 calls; on PostgreSQL, where that takes a minute, a tenth of both in the normal lane. */
const FULL = process.env['TEST_FULL'] === '1' || testEngine === 'sqlite'
const CALLS = FULL ? 5_000 : 500
const FLIPS = FULL ? 500 : 50
const PARALLEL = 16
/** 1,000 input and 100 output tokens. */
const TOKENS = { input: 1_000, output: 100 }

let served: Served
let modelId = 0
const upstream = await Upstream.start()

beforeAll(async () => {
  served = await serve({ balance: '100000' })
  await served.site.sell(await served.site.addChannel({ baseUrl: upstream.url }), 'm', { input_price: '1', output_price: '1' })
  const models = await served.site.api<{ id: number; model_name: string }[]>('GET', '/api/models')
  modelId = models.find(({ model_name: name }) => name === 'm')?.id ?? 0
  upstream.always = { answer: { parts: [{ text: 'word' }], tokens: TOKENS } }
})
afterAll(async () => {
  await served.close()
  await upstream.stop()
})

const ask = (): Promise<Response> =>
  served.post('/v1/chat/completions', { model: 'm', max_tokens: 200, messages: [{ role: 'user', content: 'Go.' }] })

test(`M12: ${FLIPS} price changes during ${CALLS} calls: each row re-prices from its own snapshot, and every price is one that was set`, async () => {
  let asked = 0
  const calling = Promise.all(
    Array.from({ length: PARALLEL }, async () => {
      while (asked < CALLS) {
        asked += 1
        const response = await ask()
        expect(response.status).toBe(200)
        await response.text()
      }
    }),
  )
  for (let flip = 1; flip <= FLIPS; flip += 1) {
    // Spread over the calls: the next change waits until its share of them was asked.
    const share = (flip * CALLS) / (FLIPS + 1)
    await until(() => asked >= share, 60_000)
    await served.site.api('PUT', `/api/models/${modelId}`, { model_name: 'm', input_price: String(flip), output_price: String(2 * flip) })
  }
  await calling
  // Recomputes every row from nothing but its own fields.
  await served.expectBooks()
  const rows = await served.test.deps.db.query.selectFrom('logs').select(['cost', 'price_snapshot']).execute()
  expect(rows).toHaveLength(CALLS)
  const met = new Set<string>()
  for (const { cost, price_snapshot: snapshot } of rows) {
    const { prices } = JSON.parse(snapshot) as { prices: { input: string; output: string } }
    met.add(prices.input)
    // By hand: tokens x price of the snapshot, both prices of one change.
    const [input, output] = [parseMoney(prices.input) ?? 0n, parseMoney(prices.output) ?? 0n]
    expect(cost).toBe(((BigInt(TOKENS.input) * input + BigInt(TOKENS.output) * output) / 1_000_000n) as typeof cost)
    if (prices.input !== '1') expect(output).toBe(2n * input)
  }
  expect(met.size).toBeGreaterThan(FLIPS / 4)
  // The changes themselves are dated records.
  const history = await served.site.api<{ total: number }>('GET', `/api/models/${modelId}/price-history?page=1&page_size=5`)
  expect(history.total).toBe(FLIPS + 1)
}, 600_000)

test('M12: a model without prices is refused and costs nothing', async () => {
  const before = await served.balance()
  await served.site.api('PUT', `/api/models/${modelId}`, { model_name: 'm' })
  const response = await ask()
  expect(response.status).toBeGreaterThanOrEqual(400)
  expect(await response.text()).toContain('price')
  expect(await served.balance()).toBe(before)
})
