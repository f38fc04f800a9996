import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'bun:test'
import type { ChannelHealthWire } from '../../contract/api/channel-health.ts'
import type { ChannelWire } from '../../contract/api/channels.ts'
import type { ReceiptWire } from '../../contract/api/logs.ts'
import { serve, until, type Row, type Served } from '../served.ts'
import { Upstream } from '../upstream/server.ts'

const MODEL = 'shop-model'
const messages = [{ role: 'user', content: 'Hello.' }]
/** The default cooldown and all its jitter. */
const COOLDOWN_MS = 33_000

let served: Served
let top = 0
let backup = 0
let userChannel = 0
const first = await Upstream.start()
const second = await Upstream.start()

beforeAll(async () => {
  served = await serve({ settings: { reliability_first_byte_timeout_seconds: 1, reliability_stream_idle_timeout_seconds: 1 } })
  const { site } = served
  top = await site.addChannel({ baseUrl: `${first.url}/v1`, name: 'top', priority: 10, key: 'top-secret-key-one' })
  backup = await site.addChannel({ baseUrl: `${second.url}/v1`, name: 'backup' })
  await site.sell(top, MODEL)
  await site.sell(backup, MODEL)
  userChannel = (await site.api<{ id: number }[]>('GET', '/api/user-channels'))[0]?.id ?? 0
})
beforeEach(async () => {
  first.reset()
  second.reset()
  for (const id of [top, backup]) await served.site.api('POST', `/api/channels/${id}/health/reset`)
})
afterEach(() => served.expectBooks())
afterAll(async () => {
  await served.close()
  await Promise.all([first.stop(), second.stop()])
})

const ask = (more: object = {}) => served.post('/v1/chat/completions', { model: MODEL, messages, ...more })
async function rowOf(response: Response): Promise<Row> {
  await response.text()
  return served.row(response.headers.get('x-tollgate-request-id') ?? '')
}
const health = (id: number) => served.site.api<ChannelHealthWire>('GET', `/api/channels/${id}/health`)
const change = (id: number, body: object) => served.site.api('PUT', `/api/channels/${id}`, body)

describe('a dead top channel', () => {
  test('costs five tries, then one in each cooldown; it is used again as soon as it is healed and due', async () => {
    first.always = { error: { status: 503, message: 'overloaded' } }
    for (let at = 0; at < 20; at++) expect((await ask()).status).toBe(200)
    expect(first.received).toHaveLength(5)
    served.clock.advance(COOLDOWN_MS)
    for (let at = 0; at < 20; at++) expect((await ask()).status).toBe(200)
    expect(first.received).toHaveLength(6)
    first.always = {}
    served.clock.advance(COOLDOWN_MS)
    for (let at = 0; at < 5; at++) await ask()
    expect(first.received).toHaveLength(11)
  })

  test('is explained: in its health, on the channel, in the plan of a call that went round it, for admins only', async () => {
    first.always = { error: { status: 500, message: 'the pump broke' } }
    for (let at = 0; at < 5; at++) await ask()
    expect(await health(top)).toMatchObject({
      state: 'closed',
      models: [{ model_name: MODEL, state: 'open', consecutive_failures: 5 }],
      calls: 5,
      failures: 5,
      in_flight: 0,
    })
    const { plan, request_id: requestId } = await rowOf(await ask())
    expect(plan).toMatchObject({
      algorithm: 'priority',
      picked_by: 'algorithm',
      candidates: 2,
      order: [{ channel_name: 'backup' }, { channel_name: 'top' }],
      skipped_count: 1,
      skipped: [{ channel_id: top, channel_name: 'top', reason: 'model_open' }],
    })
    expect(plan?.skipped[0]?.detail).toContain('the pump broke')
    expect(plan?.skipped[0]?.for_ms).toBeGreaterThan(25_000)
    const own = await served.site.api<ReceiptWire>('GET', `/api/user/logs/${requestId}`)
    expect(JSON.stringify(own)).not.toMatch(/backup|pump/)
    const kept = async () => (await served.site.api<ChannelWire[]>('GET', '/api/channels')).find(({ id }) => id === top)
    expect((await kept())?.last_failure_reason).toContain('the pump broke')
    expect((await kept())?.enabled).toBe(true)
  })

  test('is used again at once after a test that went well', async () => {
    first.always = { error: { status: 500, message: 'broken' } }
    for (let at = 0; at < 6; at++) await ask()
    first.always = {}
    const tested = await fetch(`${served.url}/api/channels/test`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${served.site.token}` },
      body: JSON.stringify({ channel_id: top, models: [MODEL], timeout_ms: 2_000 }),
    })
    expect(await tested.text()).toContain('"ok":true')
    expect((await rowOf(await ask())).channel_name).toBe('top')
  })

  test('is used again at once at another address', async () => {
    first.always = { error: { status: 500, message: 'broken' } }
    for (let at = 0; at < 6; at++) await ask()
    first.always = {}
    await change(top, { base_url: `${first.url}/v1/` })
    expect((await rowOf(await ask())).channel_name).toBe('top')
  })

  test('is used again at once after a reset, which stands in the audit', async () => {
    first.always = { error: { status: 500, message: 'broken' } }
    for (let at = 0; at < 6; at++) await ask()
    first.always = {}
    await served.site.api('POST', `/api/channels/${top}/health/reset`)
    expect((await rowOf(await ask())).channel_name).toBe('top')
    const audit = await served.test.deps.db.query.selectFrom('audit_log').selectAll().where('action', '=', 'reset_health').execute()
    expect(audit.at(-1)).toMatchObject({ object_type: 'channel', object_id: String(top) })
  })
})

test('a storm: every channel says 503 to 400 calls; tries stay within 1.1 x calls, and the first call after it is answered', async () => {
  first.always = second.always = { error: { status: 503, message: 'overloaded' } }
  for (let at = 0; at < 400; at += 20) {
    for (const { status } of await Promise.all(Array.from({ length: 20 }, () => ask()))) expect(status).toBe(503)
    served.clock.advance(1_000)
  }
  expect(first.received.length + second.received.length).toBeLessThanOrEqual(440)
  first.always = second.always = {}
  for (let at = 0; at < 3; at++) expect((await ask()).status).toBe(200)
})

test('Retry-After: nobody asks that channel before, and when all are told so the customer is told it', async () => {
  first.always = second.always = { error: { status: 429, message: 'slow down', headers: { 'retry-after': '9' } } }
  expect((await ask()).status).toBe(503)
  for (let at = 0; at < 10; at++) {
    const refused = await ask()
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '9'])
  }
  expect([first.received.length, second.received.length]).toEqual([1, 1])
  first.always = second.always = {}
  served.clock.advance(9_000)
  expect((await rowOf(await ask())).channel_name).toBe('top')
})

describe('before the first content', () => {
  for (const how of ['break', 'end', 'error', 'silence'] as const) {
    test(`a stream that began and then meets ${how} is tried on the next channel, and the customer sees one stream`, async () => {
      first.always = { cut: { after: 1, how } }
      const response = await ask({ stream: true })
      const text = await response.text()
      expect(text).toContain('[DONE]')
      expect(text).not.toContain('error')
      expect(text.match(/"role":"assistant"/g)).toHaveLength(1)
      const row = await served.row(response.headers.get('x-tollgate-request-id') ?? '')
      expect(row.attempts.map(({ outcome }) => outcome)).toEqual(['failed', 'ok'])
      expect(row.channel_name).toBe('backup')
    })
  }

  test('a channel and a model on it may have deadlines of their own', async () => {
    first.always = { delayMs: 1_300 }
    await change(top, { first_byte_timeout_seconds: 2 })
    expect((await rowOf(await ask())).channel_name).toBe('top')
    const [binding] = await served.site.api<{ id: number }[]>('GET', `/api/channels/${top}/models`)
    await served.site.api('PUT', `/api/channel-models/${binding?.id}`, { first_byte_timeout_seconds: 1 })
    expect((await rowOf(await ask())).attempts.map(({ channel_name: name, outcome }) => [name, outcome])).toEqual([
      ['top', 'failed'],
      ['backup', 'ok'],
    ])
    await served.site.api('PUT', `/api/channel-models/${binding?.id}`, { first_byte_timeout_seconds: null })
    await change(top, { first_byte_timeout_seconds: null })
  })
})

describe('keys of a channel', () => {
  const used = () => first.received.map(({ headers }) => headers.get('authorization')?.slice(7))

  test('one a line are used in turn; a refused one is left out, and the call goes on with another', async () => {
    await change(backup, { enabled: false })
    await change(top, { api_key: 'bad-key-000000001\ngood-key-00000002' })
    first.next({ error: { status: 401, message: 'Incorrect API key provided: bad-key-000000001' } })
    const row = await rowOf(await ask())
    expect(row.attempts.map(({ status }) => status)).toEqual([401, 200])
    expect(JSON.stringify(row)).not.toContain('bad-key-000000001')
    for (let at = 0; at < 3; at++) await ask()
    expect(used()).toEqual(['bad-key-000000001', ...Array<string>(4).fill('good-key-00000002')])
    const { keys, auto_disabled: disabled } = await health(top)
    expect(keys).toMatchObject([
      { key: '********0001', state: 'open' },
      { key: '********0002', state: 'closed' },
    ])
    expect(disabled).toBe(false)
    await change(backup, { enabled: true })
    await change(top, { api_key: 'top-secret-key-one' })
  })

  test('none works: out of service with its reason, in every process and after a restart; a new key is a fresh start', async () => {
    first.always = { error: { status: 401, message: 'Incorrect API key' } }
    for (let at = 0; at < 8; at++) expect((await ask()).status).toBe(200)
    expect(first.received).toHaveLength(5)
    const stored = async () => served.site.api<ChannelWire>('GET', `/api/channels/${top}`)
    await until(() => false, 50)
    expect(await stored()).toMatchObject({ enabled: true, auto_disabled_reason: expect.stringContaining('Incorrect API key') })
    expect((await stored()).auto_disabled_at).not.toBeNull()
    expect(await health(top)).toMatchObject({ auto_disabled: true })
    first.always = {}
    await change(top, { api_key: 'another-key-00000003' })
    expect((await stored()).auto_disabled_at).toBeNull()
    expect((await rowOf(await ask())).channel_name).toBe('top')
  })

  test('with nothing else left it is tried all the same, and its first success puts it back', async () => {
    await change(backup, { enabled: false })
    first.always = { error: { status: 402, message: 'no credit' } }
    for (let at = 0; at < 6; at++) expect((await ask()).status).toBe(503)
    expect(first.received).toHaveLength(6)
    first.always = {}
    expect((await ask()).status).toBe(200)
    await until(() => false, 50)
    expect((await served.site.api<ChannelWire>('GET', `/api/channels/${top}`)).auto_disabled_at).toBeNull()
    await change(backup, { enabled: true })
  })
})

describe('hedging', () => {
  const hedge = (delay: number | null) => served.site.api('PUT', `/api/user-channels/${userChannel}`, { hedge_delay_ms: delay })
  afterEach(() => hedge(null))

  test('off by default', async () => {
    first.always = { delayMs: 300 }
    expect((await rowOf(await ask({ stream: true }))).attempts).toHaveLength(1)
    expect(second.received).toHaveLength(0)
  })

  test('the faster channel answers, the other is broken off, the call is charged once', async () => {
    await hedge(50)
    first.always = { delayMs: 700 }
    const before = await served.balance()
    const row = await rowOf(await ask({ stream: true }))
    expect(row).toMatchObject({ channel_name: 'backup', end_reason: 'complete' })
    expect(row.attempts.map(({ channel_name: name, outcome }) => [name, outcome])).toEqual([
      ['top', 'aborted'],
      ['backup', 'ok'],
    ])
    expect(before - (await served.balance())).toBe(1_000_000n)
    expect(await until(() => first.last.closedMs !== undefined, 300)).toBe(true)
    expect(await health(top)).toMatchObject({ failures: 0, in_flight: 0 })
  })

  test('a channel that answers in time is asked alone, and a failure is taken over without waiting', async () => {
    await hedge(200)
    expect((await rowOf(await ask({ stream: true }))).attempts).toHaveLength(1)
    expect(second.received).toHaveLength(0)
    first.always = { error: { status: 500, message: 'broken' } }
    expect((await rowOf(await ask({ stream: true }))).attempts.map(({ outcome }) => outcome)).toEqual(['failed', 'ok'])
  })

  test('both failing is one refusal', async () => {
    await hedge(20)
    first.always = { delayMs: 100, error: { status: 500, message: 'broken' } }
    second.always = { delayMs: 150, error: { status: 500, message: 'broken too' } }
    const response = await ask({ stream: true })
    expect(response.status).toBe(502)
    expect((await rowOf(response)).attempts.map(({ outcome }) => outcome)).toEqual(['failed', 'failed'])
  })
})

test('a conversation stays where it is, and what the upstream had cached is counted', async () => {
  await served.site.api('PUT', `/api/user-channels/${userChannel}`, { routing_algorithm: 'round_robin' })
  first.always = second.always = { answer: { parts: [{ text: 'Hi.' }], tokens: { input: 100, output: 7, cachedInput: 40 } } }
  for (let at = 0; at < 6; at++) await (await ask({ prompt_cache_key: 'talk-1' })).text()
  expect(Math.max(first.received.length, second.received.length)).toBe(6)
  const place = first.received.length === 6 ? top : backup
  expect((await health(place)).cache_hit_rate).toBeCloseTo(40 / 140, 5)
  const listed = await served.site.api<ChannelHealthWire[]>('GET', '/api/channel-health')
  expect(listed.map(({ channel_id: id }) => id)).toContain(place)
  await served.site.api('PUT', `/api/user-channels/${userChannel}`, { routing_algorithm: 'priority' })
})
