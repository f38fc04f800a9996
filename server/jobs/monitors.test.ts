import { afterEach, beforeEach, expect, test } from 'bun:test'
import { createServer, type Server } from 'node:net'
import type { AddressInfo } from 'node:net'
import type { CheckWire, MonitorWire } from '../../contract/api/status.ts'
import { createTestApp, type TestApp } from '../../test/app.ts'
import { until } from '../../test/served.ts'
import { siteOf } from '../../test/site.ts'
import { Upstream } from '../../test/upstream/server.ts'

let app: TestApp
beforeEach(async () => {
  app = await createTestApp({ settings: { ssrf_allowed_hosts: '127.0.0.1' } })
})
afterEach(() => app.close())

async function add(body: object): Promise<number> {
  const { status, body: monitor } = await app.api<MonitorWire>('POST', '/api/status-monitors', { name: 'API', ...body })
  expect(status).toBe(200)
  return monitor.id
}
const check = async (id: number): Promise<CheckWire> => (await app.api<CheckWire>('POST', `/api/status-monitors/${id}/check`)).body

/** A server that takes connections and says nothing. */
async function silent(): Promise<{ port: number; close(): void }> {
  const sockets: { destroy(): void }[] = []
  const server: Server = createServer((socket) => void sockets.push(socket))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as AddressInfo).port,
    close() {
      for (const socket of sockets) socket.destroy()
      server.close()
    },
  }
}

test('HTTP: the status decides, redirects are followed through the guard, what cannot be reached is down', async () => {
  const asked: string[] = []
  const server = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    fetch(request) {
      const { pathname } = new URL(request.url)
      asked.push(`${request.method} ${pathname} ${request.headers.get('user-agent') ?? ''}`)
      if (pathname === '/moved') return new Response(null, { status: 302, headers: { location: '/fine' } })
      if (pathname === '/inside') return new Response(null, { status: 302, headers: { location: 'http://169.254.169.254/' } })
      if (pathname === '/round') return new Response(null, { status: 302, headers: { location: '/round' } })
      return new Response('body', { status: pathname === '/broken' ? 503 : 200 })
    },
  })
  try {
    const base = `http://127.0.0.1:${server.port}`
    const of = async (path: string, method = 'GET') => check(await add({ target_url: base + path, method, enabled: false }))
    expect(await of('/fine')).toMatchObject({ status: 'up', status_code: 200, message: 'HTTP 200' })
    expect(await of('/broken', 'HEAD')).toMatchObject({ status: 'down', status_code: 503, message: 'HTTP 503' })
    expect(await of('/moved')).toMatchObject({ status: 'up', status_code: 200 })
    expect(await of('/inside')).toMatchObject({ status: 'down', message: expect.stringContaining('169.254.169.254') })
    expect(await of('/round')).toMatchObject({ status: 'down', message: expect.stringContaining('more than 5 redirects') })
    expect(asked.slice(0, 2)).toEqual(['GET /fine Tollgate-Status/1.0', 'HEAD /broken Tollgate-Status/1.0'])
  } finally {
    await server.stop(true)
  }
  expect(await check(await add({ target_url: `http://127.0.0.1:${server.port}/`, enabled: false }))).toMatchObject({ status: 'down' })
})

test('TCP: who takes a connection is up', async () => {
  const server = await silent()
  const id = await add({ target_url: `127.0.0.1:${server.port}`, check_type: 'tcp', enabled: false })
  const first = await check(id)
  expect(first).toMatchObject({ status: 'up', message: 'TCP connected' })
  expect(first.status_code).toBeUndefined()
  server.close()
  expect(await check(id)).toMatchObject({ status: 'down' })
})

test('a target that never answers delays no other, and stopping does not wait for it (W86)', async () => {
  const slow = await silent()
  const server = Bun.serve({ port: 0, hostname: '127.0.0.1', fetch: () => new Response('ok') })
  try {
    await add({ name: 'slow', target_url: `http://127.0.0.1:${slow.port}/` })
    await add({ name: 'fine', target_url: `http://127.0.0.1:${server.port}/` })
    await app.api('PUT', '/api/settings', { status_monitor_enabled: true })
    const states = async (): Promise<string[]> =>
      (await app.api<MonitorWire[]>('GET', '/api/status-monitors')).body.map(({ name, last_status }) => `${name} ${last_status}`)
    expect(await until(async () => (await states()).includes('fine up'))).toBe(true)
    expect(await states()).toContain('slow pending')
    const stopped = performance.now()
    await app.close()
    expect(performance.now() - stopped).toBeLessThan(8_000)
    app = await createTestApp({ settings: { ssrf_allowed_hosts: '127.0.0.1' } })
  } finally {
    slow.close()
    await server.stop(true)
  }
})

test('a model is asked through its channel; its cost is counted; a canary that does not know the answer is down', async () => {
  const upstream = await Upstream.start()
  try {
    const site = siteOf('http://localhost', await app.admin(), 0, app.request)
    const channel = await site.addChannel({ baseUrl: upstream.url })
    await site.sell(channel, 'fast')
    const [bound] = await site.api<{ id: number }[]>('GET', `/api/channels/${channel}/models`)
    await app.api('PUT', `/api/channel-models/${bound?.id ?? 0}`, { cost: { input_price: '1', output_price: '10' } })
    upstream.always = { answer: { parts: [{ text: 'ok' }] } }
    const id = await add({ target_url: `channel://${channel}/fast`, check_type: 'model', enabled: false })
    expect(await check(id)).toMatchObject({ status: 'up', message: expect.stringContaining('first token after') })
    upstream.always = { answer: { parts: [{ text: 'I am a teapot' }] } }
    const canary = await add({ target_url: `channel://${channel}/fast`, check_type: 'canary', enabled: false })
    expect(await check(canary)).toMatchObject({ status: 'down', message: expect.stringContaining('simple sum') })
    upstream.always = { answer: { parts: [{ text: '382' }] } }
    expect(await check(canary)).toMatchObject({ status: 'up' })
    const rows = (await app.api<MonitorWire[]>('GET', '/api/status-monitors')).body
    for (const { cost_total } of rows) expect(Number(cost_total)).toBeGreaterThan(0)
  } finally {
    await upstream.stop()
  }
})
