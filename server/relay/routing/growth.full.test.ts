import { expect, test } from 'bun:test'
import { routingAlgorithms } from '../../../contract/api/user-channel-fields.ts'
import { Bench } from './test-kit.ts'

/*
 * P12: what routing adds to a call does not grow with the channels. Figures are CPU time of this process; the limit is the promise.
 */
const LIMIT_US = 5
const CALLS = 20_000

/** CPU microseconds of one call's routing: plan, way in, answer, end. */
function cpuOf(bench: Bench): number {
  for (let at = 0; at < CALLS / 4; at++) bench.serve()
  const before = process.cpuUsage()
  for (let at = 0; at < CALLS; at++) bench.serve()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / CALLS
}

for (const algorithm of routingAlgorithms) {
  test(`${algorithm} over 10,000 channels costs at most ${LIMIT_US} us of CPU a call`, () => {
    const few = new Bench(
      algorithm,
      Array.from({ length: 10 }, () => ({})),
    )
    const many = new Bench(
      algorithm,
      Array.from({ length: 10_000 }, (_, index) => ({ priority: index % 7, weight: 1 + (index % 5) })),
    )
    const [small, large] = [cpuOf(few), cpuOf(many)]
    console.log(`${algorithm}: ${small.toFixed(2)} us with 10 channels, ${large.toFixed(2)} us with 10,000`)
    expect(large).toBeLessThanOrEqual(LIMIT_US)
  })
}

test('1,000 dead channels of 10,000 cost the calls after them nothing', () => {
  const bench = new Bench(
    'round_robin',
    Array.from({ length: 10_000 }, () => ({})),
  )
  const { health } = bench.routing
  for (const candidate of bench.call().lists[0]?.slice(0, 1_000) ?? []) {
    for (let at = 0; at < 5; at++) {
      const pass = health.enter(candidate, undefined, false)
      if (!pass) continue
      health.failed(pass, { blame: 'channel', reason: 'dead', retryAfterMs: undefined })
      health.end(pass)
    }
  }
  const us = cpuOf(bench)
  console.log(`round_robin with 1,000 of 10,000 dead: ${us.toFixed(2)} us`)
  expect(us).toBeLessThanOrEqual(LIMIT_US)
})
