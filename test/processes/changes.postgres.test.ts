import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { Client } from 'pg'
import { startRedis, type TestRedis } from '../redis.ts'
import { startFleet, type Fleet } from './fleet.ts'

/** "Revocation is effective at once on every process": within a second. */
const IN_FORCE_MS = 1_000
/** Three processes start one after the other, on a machine that may be busy. */
const START_MS = 60_000

/** Milliseconds until the answer of every process has this status. */
async function untilAll(fleet: Fleet, status: number, ask: (server: number) => Promise<Response>): Promise<number> {
  const started = performance.now()
  await Promise.all(
    fleet.servers.map(async (_, server) => {
      for (;;) {
        const answer = await ask(server)
        await answer.arrayBuffer()
        if (answer.status === status) return
        if (performance.now() - started > 5 * IN_FORCE_MS) throw new Error(`process ${server} still answers ${answer.status}`)
        await Bun.sleep(10)
      }
    }),
  )
  return performance.now() - started
}

function everyChange(fleet: () => Fleet): void {
  test('a deleted key is refused by every process within a second', async () => {
    const { id, secret } = await fleet().site.addKey()
    await untilAll(fleet(), 200, (server) => fleet().chat(server, secret))
    expect((await fleet().api(0, 'DELETE', `/api/user/api-keys/${id}`)).status).toBe(200)
    expect(await untilAll(fleet(), 401, (server) => fleet().chat(server, secret))).toBeLessThan(IN_FORCE_MS)
  })

  test('settings and routing that one process changed are in force on every process within a second', async () => {
    const { secret } = await fleet().site.addKey()
    await untilAll(fleet(), 200, (server) => fleet().chat(server, secret))
    expect((await fleet().api(1, 'PUT', `/api/channels/${fleet().channelId}`, { enabled: false })).status).toBe(200)
    expect(await untilAll(fleet(), 503, (server) => fleet().chat(server, secret))).toBeLessThan(IN_FORCE_MS)
    await fleet().api(1, 'PUT', `/api/channels/${fleet().channelId}`, { enabled: true })
    expect(await untilAll(fleet(), 200, (server) => fleet().chat(server, secret))).toBeLessThan(IN_FORCE_MS)

    const limits = { rate_limit_enabled: true, rate_limit_requests_per_minute: '1', rate_limit_burst: '0' }
    expect((await fleet().api(2, 'PUT', '/api/settings', limits)).status).toBe(200)
    expect(await untilAll(fleet(), 429, (server) => fleet().chat(server, secret))).toBeLessThan(IN_FORCE_MS)
    await fleet().api(2, 'PUT', '/api/settings', { rate_limit_enabled: false })
    expect(await untilAll(fleet(), 200, (server) => fleet().chat(server, secret))).toBeLessThan(IN_FORCE_MS)
  })
}

// SQLite has one process by design: there is nobody to tell.
describe('three processes on PostgreSQL', () => {
  let fleet: Fleet
  beforeAll(async () => {
    fleet = await startFleet(3)
  }, START_MS)
  afterAll(() => fleet.close())
  everyChange(() => fleet)

  test('a change that was told while a process did not listen is in force within a second of its listening again', async () => {
    const { id, secret } = await fleet.site.addKey()
    await untilAll(fleet, 200, (server) => fleet.chat(server, secret))
    const admin = new Client({ connectionString: fleet.database.url })
    await admin.connect()
    await admin.query(
      "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and query in ('listen tollgate_changes', 'select 1')",
    )
    // Deleted behind the back of every process: there will never be a message.
    await admin.query('delete from api_keys where id = $1', [id])
    await admin.end()
    expect(await untilAll(fleet, 401, (server) => fleet.chat(server, secret))).toBeLessThan(1.5 * IN_FORCE_MS)
  })
})

describe('three processes on PostgreSQL and Redis', () => {
  let fleet: Fleet
  let redis: TestRedis
  beforeAll(async () => {
    redis = await startRedis()
    fleet = await startFleet(3, { REDIS_URL: redis.url })
  }, START_MS)
  afterAll(async () => {
    await fleet.close()
    await redis.close()
  })
  everyChange(() => fleet)

  test('a frozen Redis delays no revocation', async () => {
    const { id, secret } = await fleet.site.addKey()
    await untilAll(fleet, 200, (server) => fleet.chat(server, secret))
    redis.freeze()
    try {
      const asked = performance.now()
      expect((await fleet.api(0, 'DELETE', `/api/user/api-keys/${id}`)).status).toBe(200)
      await untilAll(fleet, 401, (server) => fleet.chat(server, secret))
      expect(performance.now() - asked).toBeLessThan(IN_FORCE_MS)
    } finally {
      redis.thaw()
    }
  })
})
