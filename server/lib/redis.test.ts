import { afterAll, beforeAll, expect, test } from 'bun:test'
import { startRedis, type TestRedis } from '../../test/redis.ts'
import { until } from '../../test/served.ts'
import { createLog } from './log.ts'
import { Redis, RedisDown, RedisScript } from './redis.ts'

const TIMEOUT_MS = 50
/** Back by itself within this. */
const BACK_MS = 5_000

let server: TestRedis
let redis: Redis

beforeAll(async () => {
  server = await startRedis()
  redis = new Redis(
    server.url,
    'test:',
    createLog('silent', () => 0),
  )
  await redis.start()
})

afterAll(async () => {
  redis.close()
  await server.close()
})

test('a script runs as one step, also on a server that does not know it yet', async () => {
  const script = new RedisScript(`return {redis.call('INCRBY', KEYS[1], ARGV[1]), 'x'}`)
  expect(await redis.run(script, ['a'], ['2'], 1_000)).toEqual([2, 'x'])
  expect(await redis.run(script, ['a'], ['3'], 1_000)).toEqual([5, 'x'])
  const wrong = redis.run(new RedisScript('return redis.call("NOSUCH")'), [], [], 1_000)
  expect(await wrong.catch((error: unknown) => error)).not.toBeInstanceOf(RedisDown)
  expect(redis.up).toBe(true)
})

test('a frozen Redis costs one short wait, then nothing; news go on when it is back, and what was missed is known', async () => {
  const heard: string[] = []
  let begun = 0
  redis.subscribe('news', { message: (text) => heard.push(text), begun: () => (begun += 1) })
  expect(await until(() => begun === 1, BACK_MS)).toBe(true)
  await redis.publish('news', 'one')
  expect(await until(() => heard.length === 1)).toBe(true)

  server.freeze()
  const asked = performance.now()
  expect(await redis.send('PING', [], TIMEOUT_MS).catch((error: unknown) => error)).toBeInstanceOf(RedisDown)
  expect(performance.now() - asked).toBeLessThan(TIMEOUT_MS + 50)
  const again = performance.now()
  expect(await redis.send('PING', [], TIMEOUT_MS).catch((error: unknown) => error)).toBeInstanceOf(RedisDown)
  expect(performance.now() - again).toBeLessThan(TIMEOUT_MS / 2)
  // Silent for longer than a subscription may be.
  await Bun.sleep(2_500)
  server.thaw()
  expect(await until(() => redis.up && begun >= 2, BACK_MS)).toBe(true)

  await server.kill()
  expect(await until(() => !redis.up, BACK_MS)).toBe(true)
  const before = begun
  await server.restart()
  expect(await until(() => redis.up && begun > before, BACK_MS)).toBe(true)
  await redis.publish('news', 'two')
  expect(await until(() => heard.length === 2)).toBe(true)
  expect(heard).toEqual(['one', 'two'])
}, 30_000)
