import { afterEach, beforeEach, expect, test } from 'bun:test'
import type { MonitorWire, PublicStatusWire } from '../../../contract/api/status.ts'
import { createTestApp, type TestApp } from '../../../test/app.ts'
import { until } from '../../../test/served.ts'
import { smtpSink } from '../../../test/smtp.ts'
import { recordCheck } from './record.ts'

const HOUR = 3_600_000
const DAY = 24 * HOUR

let app: TestApp
beforeEach(async () => {
  app = await createTestApp({ settings: { status_monitor_enabled: true, ssrf_allowed_hosts: '127.0.0.1' } })
})
afterEach(() => app.close())

/** Far from due, so that only what a test does is seen. */
async function add(body: object = {}): Promise<MonitorWire> {
  const full = { name: 'API', target_url: 'http://127.0.0.1:9/', interval_seconds: 86_400, enabled: false, ...body }
  const { status, body: monitor } = await app.api<MonitorWire>('POST', '/api/status-monitors', full)
  expect(status).toBe(200)
  return monitor
}
const record = (id: number, status: 'up' | 'down', latencyMs = 10) =>
  recordCheck(app.deps, id, { status, latencyMs, statusCode: 0, message: `it is ${status}` })
const shown = async (query = ''): Promise<PublicStatusWire> =>
  (await app.api<PublicStatusWire>('GET', `/api/public/status${query}`, undefined, null)).body
const listed = async (): Promise<MonitorWire[]> => (await app.api<MonitorWire[]>('GET', '/api/status-monitors')).body

test('the public page tells only names, states and times, and only of monitors that are on', async () => {
  const { id } = await add({ enabled: true, name: 'Zulu' })
  const { id: hidden } = await add({ name: 'Alpha' })
  for (let minute = 0; minute < 70; minute += 1) {
    await record(id, minute % 7 === 0 ? 'down' : 'up', minute)
    await record(hidden, 'down')
    app.clock.advance(60_000)
  }
  const status = await shown()
  expect(status.monitors.map(({ name }) => name)).toEqual(['Zulu'])
  const [monitor] = status.monitors
  expect(monitor?.recent_checks).toHaveLength(60)
  expect(monitor?.recent_checks.at(-1)).toEqual({
    status: 'up',
    latency_ms: 69,
    checked_at: new Date(app.clock.now() - 60_000).toISOString(),
  })
  expect(monitor?.uptime).toBe(85.71)
  expect(Object.keys(monitor ?? {}).toSorted()).toEqual([
    'id',
    'last_checked_at',
    'latency_ms',
    'name',
    'recent_checks',
    'status',
    'uptime',
  ])
  expect((await listed()).find((one) => one.id === id)?.recent_checks).toHaveLength(30)
  await app.api('PUT', '/api/settings', { status_monitor_enabled: false })
  expect((await app.api('GET', '/api/public/status', undefined, null)).status).toBe(404)
})

test('uptime is of the time checks are kept for, from sums that outlive them (W15)', async () => {
  const { id } = await add({ enabled: true, retention_hours: 1 })
  await record(id, 'down')
  app.clock.advance(3 * HOUR)
  for (let index = 0; index < 3; index += 1) await record(id, 'up')
  const [now] = (await shown('?days=3')).monitors
  expect(now).toMatchObject({ uptime: 100, uptimes: { '24h': 75, '7d': 75, '30d': 75, '90d': 75 } })
  expect(now?.recent_checks).toHaveLength(3)
  app.clock.advance(DAY + HOUR)
  await record(id, 'down')
  app.clock.advance(6_000)
  const [later] = (await shown('?days=90')).monitors
  expect(later?.uptimes).toEqual({ '24h': 0, '7d': 60, '30d': 60, '90d': 60 })
  expect(later?.days).toEqual([
    { day: '2026-11-22', uptime: 75, down_minutes: 1440 },
    { day: '2026-11-23', uptime: 0, down_minutes: 1440 },
  ])
  expect((await app.api('GET', '/api/public/status?days=91', undefined, null)).status).toBe(400)
})

test('a change is told when two checks in a row say so: in the audit log, and by mail not more than one in ten minutes', async () => {
  const sink = await smtpSink()
  try {
    await app.api('PUT', '/api/settings', { ...sink.settings, ssrf_allowed_hosts: '127.0.0.1' })
    await app.deps.db.query.updateTable('users').set({ email_verified: 1 }).execute()
    const { id } = await add()
    const actions = async (): Promise<string[]> => {
      const rows = await app.deps.db.query
        .selectFrom('audit_log')
        .select('action')
        .where('object_type', '=', 'status_monitor')
        .where('actor_user_id', 'is', null)
        .orderBy('id')
        .execute()
      return rows.map(({ action }) => action)
    }
    for (const status of ['up', 'up', 'down', 'up', 'down'] as const) await record(id, status)
    expect(await actions()).toEqual([])
    await record(id, 'down')
    expect(await actions()).toEqual(['down'])
    await record(id, 'up')
    await record(id, 'up')
    expect(await actions()).toEqual(['down', 'up'])
    app.clock.advance(10 * 60_000)
    await record(id, 'down')
    await record(id, 'down')
    expect(await until(() => sink.mails.length === 2)).toBe(true)
    expect(sink.mails.map(({ headers }) => headers.get('subject'))).toEqual(['API is down', 'API is down'])
    expect(sink.mails[0]?.text).toContain('it is down')
  } finally {
    await sink.close()
  }
})

test('checks are kept as long as the monitor says, a few dropped at a time', async () => {
  const { id } = await add({ retention_hours: 2 })
  for (let index = 0; index < 150; index += 1) await record(id, 'up')
  app.clock.advance(3 * HOUR)
  const left = async (): Promise<number> => {
    const { n } = await app.deps.db.query
      .selectFrom('status_checks')
      .select(({ fn }) => fn.countAll<number>().as('n'))
      .executeTakeFirstOrThrow()
    return n
  }
  await record(id, 'up')
  expect(await left()).toBe(51)
  await record(id, 'up')
  expect(await left()).toBe(2)
  await app.api('DELETE', `/api/status-monitors/${id}`)
  expect(await left()).toBe(0)
  expect(await record(id, 'up')).toBeUndefined()
})

test('an address that may not be reached is refused when it is saved; "false" and limits are honoured', async () => {
  const refused = { status: 400, body: { error: 'Unsafe or invalid target URL' } }
  const send = (target_url: string, check_type = 'http') => app.api('POST', '/api/status-monitors', { name: 'x', target_url, check_type })
  for (const url of ['http://169.254.169.254/latest', 'http://10.0.0.1/', 'http://localhost:1', 'http://[::1]:80/'])
    expect(await send(url)).toMatchObject(refused)
  expect(await send('10.0.0.1:22', 'tcp')).toMatchObject(refused)
  expect(await send('nothing', 'tcp')).toMatchObject(refused)
  const monitor = await add({ interval_seconds: 1, retention_hours: 1e9, method: 'POST', check_type: 'ping' })
  expect(monitor).toMatchObject({
    interval_seconds: 10,
    retention_hours: 8760,
    method: 'GET',
    check_type: 'http',
    enabled: false,
    last_status: 'pending',
    recent_checks: null,
  })
})
