import { describe, expect, test } from 'bun:test'
import { z } from 'zod'
import { EMPTY_USAGE, meters, totalInput, totalOutput } from './meters.ts'
import { money, MONEY_ONE, parseMoney, ZERO, type Money } from './money.ts'
import { cardInput, cardOf, cardOutput, cardWire } from './prices.ts'
import type { PriceCard, PriceTier } from './quote.ts'

const dec = (text: string): Money => parseMoney(text) ?? ZERO
const input = z.object(cardInput)
const output = z.strictObject(cardOutput)
const NOTHING: PriceCard = { prices: {}, tiers: {}, quotaType: 0 }
/** A card with a price and a list of its own for every meter. */
const full: PriceCard = {
  prices: Object.fromEntries(meters.map(({ id }, n) => [id, money(BigInt(n + 1) * MONEY_ONE)])),
  tiers: Object.fromEntries(
    meters.map(({ id }, n): [string, PriceTier[]] => [
      id,
      [
        { minTokens: n, price: money(BigInt(n)), condition: '' },
        { minTokens: 1_000, price: ZERO, condition: 'full_request_tokens' },
      ],
    ]),
  ),
  quotaType: 1,
}

describe('a price card on the wire', () => {
  test('has nine prices and nine lists by the names of the contract, and comes back as it went', () => {
    const wire = cardWire(full)
    expect(Object.keys(wire).toSorted()).toEqual(
      [
        'input',
        'output',
        'cached_input',
        'cache_write_input',
        'cache_write_1h_input',
        'image_input',
        'image_output',
        'audio_input',
        'audio_output',
      ]
        .flatMap((name) => [`${name}_price`, `${name}_price_tiers`])
        .toSorted(),
    )
    expect(output.parse(wire)).toEqual(wire)
    expect(cardOf(input.parse(wire), 1)).toEqual(full)
    expect([wire.input_price, wire.audio_output_price]).toEqual(['1', '9'])
    expect(wire.output_price_tiers).toEqual([
      { min_tokens: 1, price: '0.0000000001' },
      { min_tokens: 1_000, price: '0', condition: 'full_request_tokens' },
    ])
  })

  test('of nothing says "0" and no list; absent, null, "0" and an empty list come in as nothing', () => {
    const wire = cardWire(NOTHING)
    for (const { price, tiers } of meters) expect([wire[price], wire[tiers]]).toEqual(['0', null])
    for (const body of [{}, wire, { input_price: null, output_price_tiers: null }, { input_price: '0', output_price_tiers: [] }])
      expect(cardOf(input.parse(body), 0)).toEqual(NOTHING)
  })

  test('scaled by a multiplier every price is rounded once, half up, to ten places', () => {
    const card: PriceCard = {
      prices: { input: dec('2.5'), output: dec('0.0000000001'), cachedInput: dec('0.0000000003') },
      tiers: { input: [{ minTokens: 5, price: dec('0.0000000005'), condition: '' }] },
      quotaType: 0,
    }
    const half = cardWire(card, dec('0.5'))
    expect([half.input_price, half.output_price, half.cached_input_price]).toEqual(['1.25', '0.0000000001', '0.0000000002'])
    expect(half.input_price_tiers).toEqual([{ min_tokens: 5, price: '0.0000000003' }])
    expect(cardWire(card, ZERO).input_price).toBe('0')
    expect(cardWire(card, dec('1'))).toEqual(cardWire(card))
  })
})

describe('a price card that comes in', () => {
  const fails = (body: unknown): boolean => !input.safeParse(body).success

  test('has no negative price, no fraction of a token and no endless list', () => {
    const tier = { min_tokens: 0, price: '1' }
    const listOf = (length: number) => Array.from({ length }, () => tier)
    for (const body of [
      { input_price: '-0.1' },
      { audio_output_price: -1 },
      { input_price: 'free' },
      { input_price_tiers: [{ ...tier, min_tokens: 0.5 }] },
      { input_price_tiers: [{ price: '1' }] },
      { input_price_tiers: [{ min_tokens: 1 }] },
      { input_price_tiers: [{ ...tier, condition: 'x'.repeat(51) }] },
      { input_price_tiers: listOf(51) },
      { input_price_tiers: tier },
    ])
      expect([body, fails(body)]).toEqual([body, true])
    expect(fails({ input_price: 0, input_price_tiers: listOf(50) })).toBe(false)
  })

  test('has its conditions by their own names, however they were written; what is unknown looks at the meter itself', () => {
    const tiers = ['Context Tokens', null, undefined, 'whatever'].map((condition, n) => ({ min_tokens: n, price: '1', condition }))
    const stored = cardOf(input.parse({ input_price_tiers: tiers }), 0).tiers.input
    expect(stored?.map(({ condition, minTokens }) => [condition, minTokens])).toEqual([
      ['', 1],
      ['', 2],
      ['', 3],
      ['full_input_tokens', 0],
    ])
  })
})

test('what went in and what came out are the sums of their meters, each token once', () => {
  for (const { id, side } of meters) {
    const used = { ...EMPTY_USAGE, [id]: 7 }
    expect([id, totalInput(used), totalOutput(used)]).toEqual([id, side === 'input' ? 7 : 0, side === 'output' ? 7 : 0])
  }
  expect([totalInput(EMPTY_USAGE), totalOutput(EMPTY_USAGE)]).toEqual([0, 0])
})
