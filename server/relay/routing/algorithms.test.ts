import { describe, expect, test } from 'bun:test'
import type { RoutingAlgorithm } from '../../../contract/api/user-channel-fields.ts'
import { MONEY_ONE } from '../../../contract/money.ts'
import { Bench, type TestChannel } from './test-kit.ts'

const CALLS = 10_000
/** One in a hundred of what the rule says. */
const TOLERANCE = 0.01

/** Shares of channels 1, 2, 3 ... by the rule. */
const rules: [RoutingAlgorithm, string, TestChannel[], number[]][] = [
  ['priority', 'all to the highest priority', [{ priority: 1 }, { priority: 9 }, { priority: 5 }], [0, 1, 0]],
  ['priority', 'of equal priority to the highest weight, then the lowest id', [{}, { weight: 7 }, { weight: 7 }], [0, 1, 0]],
  ['round_robin', 'each the same, whatever priority and weight', [{ priority: 9 }, { weight: 7 }, {}, {}], [0.25, 0.25, 0.25, 0.25]],
  ['weighted_round_robin', 'by weight, whatever the priority', [{ weight: 1 }, { weight: 2, priority: 9 }, { weight: 7 }], [0.1, 0.2, 0.7]],
  ['weighted_round_robin', 'weight 0 gets none', [{ weight: 0, priority: 9 }, { weight: 3 }, { weight: 1 }], [0, 0.75, 0.25]],
  ['lowest_cost', 'all to the cheapest', [{ costFactor: MONEY_ONE }, { costFactor: MONEY_ONE / 2n }, {}], [0, 1, 0]],
  ['lowest_cost', 'weight 0 gets none', [{ costFactor: MONEY_ONE / 4n, weight: 0 }, { costFactor: MONEY_ONE / 2n }], [0, 1]],
  ['least_busy', 'each the same while none is busy', [{}, {}, {}, { weight: 0 }], [1 / 3, 1 / 3, 1 / 3, 0]],
]

describe(`of ${CALLS} calls each channel gets its share, within 1 % of the rule`, () => {
  for (const [algorithm, rule, channels, shares] of rules) {
    test(`${algorithm}: ${rule}`, () => {
      const served = new Bench(algorithm, channels).share(CALLS)
      shares.forEach((share, index) => {
        expect(Math.abs((served.get(index + 1) ?? 0) - share * CALLS)).toBeLessThanOrEqual(share * CALLS * TOLERANCE)
      })
    })
  }

  test('least_latency: to the fastest, but for one look at each of the others a minute', () => {
    const bench = new Bench('least_latency', [{}, {}, {}, { weight: 0 }])
    const speed = [0, 300, 40, 900, 1]
    const served = [0, 0, 0, 0, 0]
    for (let at = 0; at < CALLS; at++) {
      const call = bench.call()
      const id = bench.order(call)[0] ?? 0
      const candidate = call.route?.order[0]
      const pass = candidate && bench.routing.health.enter(candidate, undefined, false)
      if (!pass) throw new Error('not let in')
      bench.clock.advance(speed[id] ?? 0)
      bench.routing.answered(call, pass)
      bench.routing.ended(call, { broke: false, reason: '', usage: undefined })
      served[id] = (served[id] ?? 0) + 1
    }
    expect(served[2]).toBeGreaterThanOrEqual(CALLS * (1 - TOLERANCE))
    expect(served[1]).toBeGreaterThanOrEqual(2)
    expect(served[4]).toBe(0)
  })

  test('least_busy: never to one that has more in flight than another', () => {
    const bench = new Bench('least_busy', [{}, {}, {}])
    const flying: { call: ReturnType<Bench['call']>; id: number }[] = []
    const load = [0, 0, 0, 0]
    for (let at = 0; at < CALLS; at++) {
      const call = bench.call()
      const pass = bench.begin(call)
      if (!pass) throw new Error('not let in')
      const { id } = pass.candidate.channel
      expect(load[id]).toBe(Math.min(load[1] ?? 0, load[2] ?? 0, load[3] ?? 0))
      bench.routing.answered(call, pass)
      flying.push({ call, id })
      load[id] = (load[id] ?? 0) + 1
      // Some end at once, those of channel 1 late.
      const over = flying.findIndex((one) => one.id !== 1 || flying.length > 20)
      if (at % 3 !== 0 && over >= 0) {
        const [ended] = flying.splice(over, 1)
        if (!ended) continue
        bench.routing.ended(ended.call, { broke: false, reason: '', usage: undefined })
        load[ended.id] = (load[ended.id] ?? 0) - 1
      }
    }
  })
})

describe('the sequences of the contract', () => {
  const first = (algorithm: RoutingAlgorithm, channels: TestChannel[], count: number): number[] => {
    const bench = new Bench(algorithm, channels)
    return Array.from({ length: count }, () => bench.serve())
  }

  test('weights 1 and 2 give A, B, B, A; the heavier one stands first in the order', () => {
    expect(first('weighted_round_robin', [{ weight: 1, priority: 2 }, { weight: 2 }], 7)).toEqual([1, 2, 2, 1, 2, 2, 1])
    expect(first('weighted_round_robin', [{ weight: 1 }, { weight: 2 }], 4)).toEqual([2, 2, 1, 2])
  })

  test('round robin goes through the order: priority, weight, id', () => {
    expect(first('round_robin', [{}, { priority: 5 }, { weight: 4 }], 5)).toEqual([2, 3, 1, 2, 3])
  })

  test('nothing but weight 0 serves nothing where weights count', () => {
    expect(first('weighted_round_robin', [{ weight: 0 }], 1)).toEqual([0])
    expect(first('priority', [{ weight: 0 }], 1)).toEqual([1])
  })

  test("a key's user channels are tried in their order, each by its own algorithm, none twice", () => {
    const bench = new Bench('round_robin', [{}, {}, { userChannel: 2, priority: 9 }, { userChannel: 2 }])
    expect(bench.order(bench.call({}, [1, 2]))).toEqual([1, 2, 3, 4])
    expect(bench.order(bench.call({}, [1, 2]))).toEqual([2, 1, 4, 3])
    expect(bench.order(bench.call({}, [2, 1]))).toEqual([3, 4, 1, 2])
  })

  test('one call is tried on five channels at most', () => {
    expect(
      new Bench(
        'priority',
        Array.from({ length: 20 }, () => ({})),
      ).order(),
    ).toEqual([1, 2, 3, 4, 5])
  })
})
