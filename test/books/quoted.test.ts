import { afterAll, beforeAll, expect, test } from 'bun:test'
import type { QuoteWire } from '../../contract/api/quotes.ts'
import { meters, totalInput, totalOutput, EMPTY_USAGE, type Usage } from '../../contract/meters.ts'
import { tierConditions } from '../../contract/quote.ts'
import { protocols } from '../../server/relay/protocols/index.ts'
import { serve, type Served } from '../served.ts'
import { Upstream } from '../upstream/server.ts'

/* What a quote says before is what the call costs after: of every kind of price, through the API and the real gateway. */

/** Price lists that are tried, and calls on each. */
const CARDS = 24
const CALLS = 4
/** Counts of every size: none, a few, as many as a threshold, a whole context. */
const COUNTS = [0, 0, 1, 7, 999, 1_000, 1_001, 65_536, 1_234_567]

let served: Served
const upstream = await Upstream.start()
let seed = 20_261_123
const below = (bound: number): number => {
  seed = (seed * 48_271) % 2_147_483_647
  return seed % bound
}
const pick = <T>(list: readonly T[]): T => list[below(list.length)] as T
/** Up to ten decimal places, many of them awkward. */
const decimal = (): string =>
  `${below(40)}.${String(below(10_000_000))
    .padStart(1 + below(10), '0')
    .slice(0, 10)}`

/** One list in four is by the call; of the others each meter has a price, tiers, both or neither. */
function card(number: number): Record<string, unknown> {
  if (number % 4 === 3) return { quota_type: 1, output_price: `0.${1 + below(9_999_999)}`, input_price: decimal() }
  const prices: Record<string, unknown> = { output_price: '10' }
  for (const { price, tiers } of meters) {
    if (below(3) > 0) prices[price] = decimal()
    if (below(3) === 0)
      prices[tiers] = Array.from({ length: 1 + below(3) }, () => ({
        min_tokens: pick([0, 1, 7, 1_000, 65_536]),
        price: decimal(),
        condition: pick(tierConditions),
      }))
  }
  return prices
}

function someUsage(): Usage {
  const usage = { ...EMPTY_USAGE, input: 1, output: 1 }
  for (const { id } of meters) usage[id] += pick(COUNTS)
  return usage
}

beforeAll(async () => {
  served = await serve({ balance: '100000000' })
  const { site } = served
  const channel = await site.addChannel({ baseUrl: upstream.url })
  for (let number = 0; number < CARDS; number += 1) {
    await site.api('POST', '/api/models', { model_name: `m${number}`, ...card(number) })
    await site.sell(channel, `m${number}`)
  }
  // The owner's price is his group's, and the channel's own factor comes on top.
  const { id: group } = await site.api<{ id: number }>('POST', '/api/groups', { name: 'odd', multiplier: '0.8333333333' })
  await site.api('PUT', `/api/channels/${channel}/group-multipliers`, [{ group_id: group, multiplier: '0.3333333333' }])
  const { query } = served.test.deps.db
  await query
    .insertInto('memberships')
    .values({ user_id: site.userId, group_id: group, expires_at: null, created_at: 0, updated_at: 0 })
    .execute()
  await query
    .updateTable('user_channels')
    .set({ multiplier: 11_111_111_111n as never })
    .execute()
  await served.test.deps.changes.publish({ type: 'user', userId: site.userId })
  await served.test.deps.changes.publish({ type: 'routing' })
  await site.api('PUT', '/api/settings', { group_multiplier_mode: 'min' })
})
afterAll(async () => {
  await served.close()
  await upstream.stop()
})

test(`a quote of what a call used is what the call was charged, to the last digit: ${CARDS * CALLS} calls of ${CARDS} price lists`, async () => {
  let charged = 0
  for (let number = 0; number < CARDS; number += 1)
    for (let turn = 0; turn < CALLS; turn += 1) {
      const usage = someUsage()
      const n = number % 4 === 3 ? 1 + below(3) : 1
      const choices = Array.from({ length: n }, (_, index) => ({
        index,
        message: { role: 'assistant', content: 'word' },
        finish_reason: 'stop',
      }))
      const stated = protocols['openai-chat'].encodeResponse(
        { id: 'c', model: 'm', choices: [{ index: 0, content: [{ type: 'text', text: 'word' }], finish: { reason: 'stop' } }], usage },
        { model: 'm', wantsUsage: true, created: 1, id: 'c' },
      ).body.usage
      upstream.next({
        reply: { body: { id: 'c', object: 'chat.completion', created: 1, model: 'm', choices, usage: stated as object as never } },
      })
      const asked = {
        model: `m${number}`,
        input_tokens: totalInput(usage),
        output_tokens: totalOutput(usage),
        ...Object.fromEntries(meters.slice(2).map(({ id, tokens }) => [tokens, usage[id]])),
        items: n,
      }
      const quoted = await served.site.api<QuoteWire>('POST', '/api/user/quote', asked)
      const response = await served.post('/v1/chat/completions', { model: `m${number}`, n, messages: [{ role: 'user', content: 'Go.' }] })
      expect([response.status, await response.text()]).toEqual([200, expect.any(String)])
      const row = await served.row(response.headers.get('x-tollgate-request-id') ?? '')
      const [offer] = quoted.offers
      expect(offer).toMatchObject({ group_multiplier: '0.3333333333', channel_multiplier: '1.1111111111' })
      expect({ number, asked, charged: row.charged, lines: row.lines, rounding: row.rounding }).toEqual({
        number,
        asked,
        charged: offer?.total ?? '',
        lines: offer?.lines ?? [],
        rounding: offer?.rounding ?? '',
      })
      expect([response.headers.get('x-tollgate-cost'), row.base_cost]).toEqual([row.cost, quoted.base])
      if (row.charged !== '0') charged += 1
    }
  expect(charged).toBeGreaterThan(CARDS * CALLS * 0.9)
  await served.expectBooks()
}, 60_000)
