import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { ManualClock } from '../../test/clock.ts'
import { startRedis, type TestRedis } from '../../test/redis.ts'
import { until } from '../../test/served.ts'
import { createLog } from './log.ts'
import { Limiter, type Bucket } from './limiter.ts'
import { Redis } from './redis.ts'

const log = createLog('silent', () => 0)
const requests = (limit: number, key = 'a'): Bucket => ({ key, kind: 'window', limit, weight: 1 })
const calls = (limit: number, key = 'a'): Bucket => ({ key: `${key}:calls`, kind: 'gauge', limit, weight: 1 })

async function admitted(limiters: readonly Limiter[], buckets: readonly Bucket[], times: number): Promise<number> {
  const asked = Array.from({ length: times }, (_, index) => limiters[index % limiters.length]?.take(buckets))
  return (await Promise.all(asked)).filter((verdict) => verdict?.refused === -1).length
}

describe('one process', () => {
  test('in no 60 seconds more than the limit, also across the edge of a minute', async () => {
    const clock = new ManualClock()
    const limiter = new Limiter(clock, undefined, log)
    clock.advance(55_000)
    expect(await admitted([limiter], [requests(5)], 20)).toBe(5)
    clock.advance(10_000)
    expect(await admitted([limiter], [requests(5)], 20)).toBe(0)
    expect(limiter.look([requests(5)])).toMatchObject({ refused: 0, waitSeconds: 50 })
    clock.advance(50_000)
    expect(await admitted([limiter], [requests(5)], 20)).toBe(5)
  })

  test('all buckets are taken together or none is', async () => {
    const limiter = new Limiter(new ManualClock(), undefined, log)
    const [wide, narrow] = [requests(100, 'wide'), requests(2, 'narrow')]
    expect(await admitted([limiter], [wide, narrow, calls(9)], 10)).toBe(2)
    expect(limiter.look([wide]).used).toEqual([2])
    expect(limiter.look([calls(9)]).used).toEqual([2])
  })

  test('tokens: an estimate is corrected, in the second it was counted in or now; a call larger than the limit fits when it is alone', async () => {
    const clock = new ManualClock()
    const limiter = new Limiter(clock, undefined, log)
    const tokens = (weight: number): Bucket => ({ key: 't', kind: 'window', limit: 1_000, weight })
    const first = await limiter.take([tokens(5_000)])
    expect(first.refused).toBe(-1)
    expect((await limiter.take([tokens(1)])).refused).toBe(0)
    clock.advance(20_000)
    limiter.correct(tokens(5_000), -900, first)
    expect(limiter.look([tokens(0)]).used).toEqual([100])
    limiter.correct(tokens(100), 700, first)
    expect(limiter.look([tokens(0)]).used).toEqual([800])
    clock.advance(41_000)
    expect(limiter.look([tokens(0)]).used).toEqual([700])
    limiter.correct(tokens(5_000), -900, first)
    expect(limiter.look([tokens(0)]).used).toEqual([700])
  })

  test('what runs at once is given back', async () => {
    const limiter = new Limiter(new ManualClock(), undefined, log)
    expect(await admitted([limiter], [calls(3)], 10)).toBe(3)
    limiter.release([calls(3)])
    expect(await admitted([limiter], [calls(3)], 10)).toBe(1)
  })
})

describe('several processes', () => {
  let server: TestRedis
  const open: { redis: Redis; limiter: Limiter }[] = []
  const another = async (): Promise<Limiter> => {
    const redis = new Redis(server.url, 'limits:', log)
    await redis.start()
    const limiter = new Limiter(new ManualClock(), redis, log)
    open.push({ redis, limiter })
    return limiter
  }
  beforeAll(async () => {
    server = await startRedis()
  })
  afterAll(async () => {
    for (const { redis, limiter } of open) {
      limiter.close()
      redis.close()
    }
    await server.close()
  })

  test('a limit of 5 admits 5 of 500, and as many run at once as may', async () => {
    const three = [await another(), await another(), await another()]
    expect(await admitted(three, [requests(5, 'five')], 500)).toBe(5)
    expect(await admitted(three, [requests(1_000, 'six'), calls(7, 'six')], 300)).toBe(7)
    // What one of them has running is what it says; when it ends the others may.
    const [one] = three
    const mine = one?.look([calls(7, 'six')]).used[0] ?? 0
    for (let index = 0; index < mine; index += 1) one?.release([calls(7, 'six')])
    expect(await until(() => mine === 0 || one?.look([calls(7, 'six')]).used[0] === 0)).toBe(true)
    expect(await admitted(three, [calls(7, 'six')], 300)).toBe(mine)
  })

  test('calls refused by another limit keep no one else out', async () => {
    const [one, other] = [await another(), await another()]
    const [both, spent] = [calls(7, 'both'), requests(1, 'spent')]
    expect(await admitted([other], [both], 3)).toBe(3)
    expect(await admitted([other], [spent], 1)).toBe(1)
    const refused = admitted([one], [spent, both], 1)
    expect(await admitted([one], [both], 4)).toBe(4)
    expect(await refused).toBe(0)
  })

  test('tokens corrected by one are seen by the other', async () => {
    const [one, other] = [await another(), await another()]
    const tokens = (weight: number): Bucket => ({ key: 'shared tokens', kind: 'window', limit: 1_000, weight })
    const taken = await one.take([tokens(900)])
    expect((await other.take([tokens(200)])).refused).toBe(0)
    one.correct(tokens(900), -800, taken)
    expect(await until(async () => (await other.take([tokens(200)])).refused === -1)).toBe(true)
  })

  test('a frozen Redis costs one call less than a tenth of a second; each process then goes on with its own limit', async () => {
    const limiter = await another()
    server.freeze()
    try {
      const asked = performance.now()
      expect(await admitted([limiter], [requests(5, 'frozen')], 500)).toBe(5)
      expect(performance.now() - asked).toBeLessThan(100)
      const again = performance.now()
      expect((await limiter.take([requests(5, 'frozen too')])).refused).toBe(-1)
      expect(performance.now() - again).toBeLessThan(20)
    } finally {
      server.thaw()
    }
  })
})
