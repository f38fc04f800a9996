import { afterAll, afterEach, beforeAll, expect, test } from 'bun:test'
import { formatMoney, money } from '../../contract/money.ts'
import { serve, until, type Served } from '../served.ts'
import { Upstream } from '../upstream/server.ts'

const MODEL = 'shop-model'
/** What one call costs: 300 input at 2.5 and 100 output at 10 per million. */
const PRICE = 17_500_000n
const CALLS = 100n
const body = { model: MODEL, max_tokens: 100, messages: [{ role: 'user', content: 'alpha beta gamma delta '.repeat(73) }] }

let served: Served
const upstream = await Upstream.start()

beforeAll(async () => {
  served = await serve()
  const channel = await served.site.addChannel({ baseUrl: `${upstream.url}/v1` })
  await served.site.sell(channel, MODEL)
})
afterEach(() => served.expectBooks())
afterAll(async () => {
  await served.close()
  await upstream.stop()
})

test('a balance that affords 100 calls admits at least 90 of them at once and exactly 100 in the end', async () => {
  const answer = { parts: [{ text: 'x' }], tokens: { input: 300, output: 100 } }
  await served.site.setBalance(formatMoney(money(PRICE * CALLS)))
  upstream.always = { answer, delayMs: 1_500 }
  const statuses: number[] = []
  const running = Array.from({ length: 130 }, async () => {
    const response = await served.post('/v1/chat/completions', body)
    await response.text()
    statuses.push(response.status)
  })
  // What the upstream is asked while none has been answered was admitted at once.
  await until(() => statuses.filter((status) => status === 402).length + upstream.received.length >= 130, 1_400)
  const atOnce = upstream.received.length
  expect(statuses.filter((status) => status === 200)).toHaveLength(0)
  expect(atOnce).toBeGreaterThanOrEqual(90)
  expect(atOnce).toBeLessThanOrEqual(100)
  await Promise.all(running)
  let answered = statuses.filter((status) => status === 200).length
  expect(answered).toBe(atOnce)
  upstream.always = { answer }
  for (let index = 0; index < 20; index += 1) {
    const response = await served.post('/v1/chat/completions', body)
    await response.text()
    if (response.status === 200) answered += 1
    else expect(response.status).toBe(402)
  }
  expect(answered).toBe(100)
  expect(await served.site.balance()).toBe('0')
})

test('a call dearer than what was held takes the account at most one unit below zero, then it is refused', async () => {
  await served.site.setBalance('0.01')
  upstream.always = { answer: { parts: [{ text: 'x' }], tokens: { input: 300, output: 900_000 } } }
  const response = await served.post('/v1/chat/completions', body)
  await response.text()
  const row = await served.row(response.headers.get('x-tollgate-request-id') ?? '')
  expect(await served.site.balance()).toBe('-1')
  expect(Number(row.cost) + Number(row.uncollected)).toBeCloseTo(9.00075, 9)
  expect(row.cost).toBe('1.01')
  const refused = await served.post('/v1/chat/completions', body)
  expect(refused.status).toBe(402)
  expect(await refused.json()).toMatchObject({ error: { code: 'account_in_debt' } })
})
