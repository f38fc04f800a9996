import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { EMPTY_USAGE, meters, totalInput, totalOutput, type Meter, type Usage } from './meters.ts'
import { formatMoney, money, MONEY_MAX, MONEY_ONE, MONEY_SCALE, mulDiv, parseMoney, ZERO, type Money } from './money.ts'
import {
  decodeCard,
  encodeCard,
  EXACT_SCALE,
  formatExact,
  isPriced,
  NO_MULTIPLIERS,
  quote,
  tierConditions,
  type Multipliers,
  type PriceCard,
  type PriceTier,
} from './quote.ts'

/** promises.md M6: 100,000 cases in the normal lane, a million in the full one. */
const CASES = process.env['TEST_FULL'] === '1' ? 1_000_000 : 100_000

const dec = (text: string): Money => {
  const value = parseMoney(text)
  if (value === undefined) throw new Error(`not a decimal: ${text}`)
  return value
}
const usage = (part: Partial<Usage>): Usage => ({ ...EMPTY_USAGE, ...part })
const card = (prices: Partial<Record<Meter, string>>, tiers: Partial<Record<Meter, PriceTier[]>> = {}): PriceCard => ({
  prices: Object.fromEntries(Object.entries(prices).map(([meter, price]) => [meter, dec(price)])),
  tiers,
  quotaType: 0,
})
const total = (...args: Parameters<typeof quote>): string => formatMoney(quote(...args).total)

describe('the worked examples of the contract', () => {
  test('nine meters: input 100 of which cached 20, write 10, write 1h 5; output 50 of which audio 10 -> 0.002505', () => {
    const used = usage({ input: 65, cachedInput: 20, cacheWrite: 10, cacheWrite1h: 5, output: 40, audioOutput: 10 })
    const prices = card({ input: '10', cachedInput: '1', cacheWrite: '2', cacheWrite1h: '3', output: '20', audioOutput: '100' })
    expect(total(used, prices, NO_MULTIPLIERS)).toBe('0.002505')
  })

  test('progressive tier: 1,500 tokens, 10 up to 1,000, 5 from there', () => {
    const prices = card({ input: '10' }, { input: [{ minTokens: 1000, price: dec('5'), condition: '' }] })
    expect(total(usage({ input: 1500 }), prices, NO_MULTIPLIERS)).toBe('0.0125')
  })

  test('a tier from 0 replaces the base price', () => {
    const prices = card({ input: '10' }, { input: [{ minTokens: 0, price: dec('3'), condition: '' }] })
    expect(total(usage({ input: 1_000_000 }), prices, NO_MULTIPLIERS)).toBe('3')
  })

  test('a conditional tier prices all tokens of the meter at once', () => {
    const prices = card({ output: '10' }, { output: [{ minTokens: 200_000, price: dec('15'), condition: 'full_input_tokens' }] })
    expect(total(usage({ input: 199_999, output: 1_000_000 }), prices, NO_MULTIPLIERS)).toBe('10')
    expect(total(usage({ input: 100_000, cachedInput: 100_000, output: 1_000_000 }), prices, NO_MULTIPLIERS)).toBe('15')
  })
})

describe('faults of the reference that do not stand here', () => {
  test('W75: an unreached conditional tier leaves the unconditional ones progressive', () => {
    const tiers: PriceTier[] = [
      { minTokens: 1000, price: dec('5'), condition: '' },
      { minTokens: 1_000_000, price: dec('50'), condition: 'full_input_tokens' },
    ]
    expect(total(usage({ input: 1500 }), card({ input: '10' }, { input: tiers }), NO_MULTIPLIERS)).toBe('0.0125')
  })

  test('W75: a condition on output does not fire for an input price when the output is 0', () => {
    const tiers: PriceTier[] = [{ minTokens: 100, price: dec('99'), condition: 'billable_output_tokens' }]
    expect(total(usage({ input: 1_000_000 }), card({ input: '1' }, { input: tiers }), NO_MULTIPLIERS)).toBe('1')
  })

  test('W76: cache tokens without a price of their own cost what input costs', () => {
    expect(total(usage({ input: 500_000, cachedInput: 500_000 }), card({ input: '2' }), NO_MULTIPLIERS)).toBe('2')
  })
})

test('image and audio tokens without a price of their own are sold as plain input and output', () => {
  const used = usage({ imageInput: 1_000_000, audioOutput: 1_000_000 })
  expect(total(used, card({ input: '1', output: '2' }), NO_MULTIPLIERS)).toBe('3')
})

test('multipliers are applied before the one rounding', () => {
  const third: Multipliers = { group: dec('0.3333333333'), userChannel: dec('3') }
  expect(total(usage({ input: 1 }), card({ input: '0.0001' }), NO_MULTIPLIERS)).toBe('0.0000000001')
  expect(total(usage({ input: 4 }), card({ input: '0.0001' }), third)).toBe('0.0000000004')
  expect(formatExact(quote(usage({ input: 1 }), card({ input: '1' }), third).lines[0]?.exact ?? 0n)).toBe('0.0000009999999999')
})

test('a card survives its own JSON', () => {
  const prices = card({ input: '2.5', output: '10' }, { input: [{ minTokens: 7, price: dec('1.25'), condition: 'full_request_tokens' }] })
  expect(decodeCard(encodeCard(prices))).toEqual(prices)
  const item = { ...card({ output: '0.04' }), quotaType: 1 }
  expect(decodeCard(encodeCard(item))).toEqual(item)
  // What costs nothing is not written.
  expect(encodeCard(card({ input: '0', output: '1' }, { input: [] }))).toBe('{"prices":{"output":"1"},"tiers":{},"quota_type":0}')
})

test('a price is never guessed: a snapshot that is not whole is refused', () => {
  const tiers = (tier: string): string => `{"prices":{},"tiers":{"input":[${tier}]}}`
  expect(decodeCard(tiers('[0,"1",""]')).tiers.input).toEqual([{ minTokens: 0, price: dec('1'), condition: '' }])
  for (const text of ['null', '{}', '{"prices":{}}', '{"prices":[],"tiers":{}}', '{"prices":{},"tiers":null}'])
    expect(() => decodeCard(text)).toThrow('not a price card')
  for (const price of ['"-1"', '1', 'null', '""', '"0.00000000001"', '"free"'])
    expect(() => decodeCard(`{"prices":{"input":${price}},"tiers":{}}`)).toThrow('not a price')
  for (const tier of ['7', '{}', '[]', '["0","1",""]', '[-1,"1",""]', '[0.5,"1",""]', '[1e300,"1",""]', '[0,"1"]', '[0,"1","sometimes"]'])
    expect(() => decodeCard(tiers(tier))).toThrow('not a price tier')
  expect(() => decodeCard(tiers('[0,1,""]'))).toThrow('not a price')
})

describe('by the item', () => {
  const item = (output: string): PriceCard => ({ ...card({ output, input: '7' }), quotaType: 1 })
  const many = usage({ input: 1_000_000, output: 1_000_000 })

  test('each costs the output price, whatever its tokens', () => {
    expect(quote(many, item('0.04'), NO_MULTIPLIERS, 3)).toMatchObject({
      lines: [{ meter: 'output', tokens: 3, unitPrice: dec('0.04'), tier: undefined }],
      total: dec('0.12'),
      base: dec('0.12'),
    })
    expect(total(many, item('0.04'), NO_MULTIPLIERS)).toBe('0.04')
    expect(total(many, item('0.04'), { group: dec('0.5'), userChannel: dec('3') }, 2)).toBe('0.12')
  })

  test('none cost nothing and have no line; without an output price none costs anything', () => {
    for (const count of [0, -1, Number.NaN])
      expect(quote(many, item('0.04'), NO_MULTIPLIERS, count)).toEqual({ lines: [], total: ZERO, base: ZERO })
    const unpriced = { ...card({ input: '7' }), quotaType: 1 }
    expect(total(many, unpriced, NO_MULTIPLIERS, 5)).toBe('0')
    expect([isPriced(unpriced), isPriced(item('0.04')), isPriced(item('0'))]).toEqual([false, true, false])
  })

  test('an absurd price is bounded as any amount is', () => {
    expect(quote(many, item('100000000'), NO_MULTIPLIERS, 9)).toMatchObject({ total: MONEY_MAX, base: MONEY_MAX })
  })
})

test('a card is priced when any meter or any of its tiers costs something', () => {
  const tier = (price: string): PriceTier => ({ minTokens: 5, price: dec(price), condition: '' })
  const cards = [
    card({}),
    card({ input: '0' }),
    card({ audioOutput: '1' }),
    card({}, { input: [tier('0')] }),
    card({}, { input: [tier('0'), tier('1')] }),
  ]
  expect(cards.map(isPriced)).toEqual([false, false, true, false, true])
})

test('tokens that are no count are not billed: negative, NaN, fractions, 1e308, 2^63, text', () => {
  const prices = card({ input: '1000000' })
  const bill = (tokens: unknown): string => total(usage({ input: tokens as number }), prices, NO_MULTIPLIERS)
  expect([-1, Number.NaN, -0, Number.NEGATIVE_INFINITY, '5' as unknown, null, undefined].map(bill)).toEqual([
    '0',
    '0',
    '0',
    '0',
    '0',
    '0',
    '0',
  ])
  expect(bill(1.9)).toBe('1')
  // Bounded, never unbounded: a count no model can reach is cut at a billion tokens.
  expect([1e308, 2 ** 53, 2 ** 63, 2_000_000_000].map(bill)).toEqual(Array(4).fill('100000000'))
  expect(total(usage({ input: 1e308 }), card({ input: '1' }), NO_MULTIPLIERS)).toBe('1000')
})

/** An oracle of its own: rational arithmetic over (numerator, denominator), token by token segments, no shared code with quote(). */
function oracle(used: Usage, prices: PriceCard, factors: Multipliers): bigint {
  const own = (meter: Meter): boolean => (prices.prices[meter] ?? 0n) > 0n || (prices.tiers[meter] ?? []).length > 0
  const counts = new Map<Meter, bigint>(meters.map(({ id }) => [id, BigInt(used[id])]))
  for (const { id, side } of meters) {
    if (id === side || own(id)) continue
    counts.set(side, (counts.get(side) ?? 0n) + (counts.get(id) ?? 0n))
    counts.set(id, 0n)
  }
  const metrics: Record<string, number> = {
    full_input_tokens: totalInput(used),
    billable_input_tokens: used.input + used.imageInput + used.audioInput,
    billable_output_tokens: totalOutput(used),
    full_request_tokens: totalInput(used) + totalOutput(used),
  }
  let numerator = 0n
  for (const { id } of meters) {
    const count = counts.get(id) ?? 0n
    const tiers = prices.tiers[id] ?? []
    const reached = tiers.filter((tier) => tier.condition !== '' && (metrics[tier.condition] ?? 0) >= tier.minTokens)
    const best = reached.reduce<PriceTier | undefined>((a, b) => (!a || b.minTokens >= a.minTokens ? b : a), undefined)
    if (best) {
      numerator += count * best.price
      continue
    }
    // What the first k tokens cost, summed as differences of thresholds.
    const steps = [
      { minTokens: 0, price: prices.prices[id] ?? money(0n) },
      ...tiers.filter((tier) => tier.condition === '').sort((a, b) => a.minTokens - b.minTokens),
    ]
    steps.forEach((step, index) => {
      const next = steps[index + 1]
      const upper = next ? BigInt(Math.min(next.minTokens, Number(count))) : count
      const lower = BigInt(Math.min(step.minTokens, Number(count)))
      if (upper > lower) numerator += (upper - lower) * step.price
    })
  }
  const scaled = numerator * factors.group * factors.userChannel
  const denominator = 1_000_000n * MONEY_ONE * MONEY_ONE
  const rounded = (scaled * 2n + denominator) / (denominator * 2n)
  return rounded > MONEY_MAX ? MONEY_MAX : rounded
}

const price = fc.bigInt({ min: 0n, max: 1_000_000n * MONEY_ONE }).map(money)
const count = fc.oneof(fc.integer({ min: 0, max: 5_000 }), fc.integer({ min: 0, max: 100_000_000 }))
const tier = fc.record({ minTokens: fc.integer({ min: 0, max: 300_000 }), price, condition: fc.constantFrom(...tierConditions) })
/** Thresholds are unique per condition, as stored cards are (contract.md 7.2: the last one wins). */
const tierList = fc.uniqueArray(tier, { maxLength: 4, selector: (one) => `${one.condition}:${one.minTokens}` })
const ids = meters.map(({ id }) => id)
const anyUsage = fc.tuple(...ids.map(() => count)).map((list) => Object.fromEntries(ids.map((id, index) => [id, list[index]])) as Usage)
const anyCard = fc
  .record({
    prices: fc.tuple(...ids.map(() => fc.option(price, { nil: undefined }))),
    tiers: fc.tuple(...ids.map(() => fc.oneof({ weight: 3, arbitrary: fc.constant([]) }, { weight: 1, arbitrary: tierList }))),
  })
  .map(({ prices, tiers }): PriceCard => ({
    prices: Object.fromEntries(ids.flatMap((id, index) => (prices[index] === undefined ? [] : [[id, prices[index]]]))),
    tiers: Object.fromEntries(ids.map((id, index) => [id, tiers[index] as PriceTier[]])),
    quotaType: 0,
  }))
const factor = fc.bigInt({ min: 0n, max: 100n * MONEY_ONE }).map(money)
const factors = fc.record({ group: factor, userChannel: factor })

test(`M6: ${CASES.toLocaleString('en')} random calls cost exactly what an independent rational oracle says, and never less than nothing`, () => {
  fc.assert(
    fc.property(anyUsage, anyCard, factors, (used, prices, multipliers) => {
      const { total: cost, lines } = quote(used, prices, multipliers)
      if (cost !== oracle(used, prices, multipliers)) throw new Error(`quote ${cost}, oracle ${oracle(used, prices, multipliers)}`)
      if (cost < 0n) throw new Error('negative')
      const tokens = lines.reduce((sum, line) => sum + line.tokens, 0)
      if (tokens !== totalInput(used) + totalOutput(used)) throw new Error('a token is billed twice or not at all')
    }),
    { numRuns: CASES },
  )
}, 600_000)

test('M6: the base of a quote is what the same call costs without multipliers, and its lines say all of what it costs', () => {
  fc.assert(
    fc.property(anyUsage, anyCard, factors, (used, prices, multipliers) => {
      const { base, lines, total: cost } = quote(used, prices, multipliers)
      expect<bigint>(base).toBe(oracle(used, prices, NO_MULTIPLIERS))
      const exact = lines.reduce((sum, line) => sum + line.exact, 0n)
      const rounded = mulDiv(exact, 1n, 10n ** BigInt(EXACT_SCALE - MONEY_SCALE), 'half_up')
      expect(rounded > MONEY_MAX || rounded === cost).toBe(true)
    }),
    { numRuns: 2_000 },
  )
})

test('M6: with progressive prices more tokens never cost less', () => {
  const progressive = anyCard.map((one) => ({
    ...one,
    tiers: Object.fromEntries(ids.map((id) => [id, (one.tiers[id] ?? []).filter(({ condition }) => condition === '')])),
  }))
  fc.assert(
    fc.property(anyUsage, progressive, fc.constantFrom(...ids), fc.integer({ min: 1, max: 100_000 }), (used, prices, meter, more) => {
      const before = quote(used, prices, NO_MULTIPLIERS).total
      if (quote({ ...used, [meter]: used[meter] + more }, prices, NO_MULTIPLIERS).total < before)
        throw new Error(`more ${meter} costs less`)
    }),
    { numRuns: CASES / 10 },
  )
}, 600_000)
