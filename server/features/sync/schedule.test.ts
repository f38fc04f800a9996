import { afterAll, beforeAll, expect, test } from 'bun:test'
import type { SyncPreview } from '../../../contract/api/sync.ts'
import type { ModelWire } from '../../../contract/api/models.ts'
import { createTestApp, type TestApp } from '../../../test/app.ts'
import { PriceSync } from './schedule.ts'

let app: TestApp
const stuck: (() => void)[] = []
const asked: string[] = []
let ratio = 1
let status = 200
const upstream = Bun.serve({
  port: 0,
  hostname: '127.0.0.1',
  async fetch(request) {
    const { pathname } = new URL(request.url)
    asked.push(pathname)
    if (pathname.startsWith('/slow')) await new Promise<void>((resolve) => stuck.push(resolve))
    return Response.json({ data: [{ model_name: 'planned', quota_type: 0, model_ratio: ratio, completion_ratio: 2 }] }, { status })
  },
})
const HOUR_MS = 3_600_000
let fast: number
let slow: number

beforeAll(async () => {
  app = await createTestApp({ settings: { ssrf_allowed_hosts: '127.0.0.1' } })
  const make = async (path: string): Promise<number> =>
    (
      await app.api<{ id: number }>('POST', '/api/channels', {
        name: path,
        base_url: `http://127.0.0.1:${upstream.port}${path}`,
        price_sync_enabled: true,
        price_sync_cron: '@hourly',
      })
    ).body.id
  slow = await make('/slow')
  fast = await make('/fast')
  await app.api('POST', '/api/models', { model_name: 'planned', input_price: '2', output_price: '4' })
})
afterAll(async () => {
  for (const free of stuck) free()
  await upstream.stop(true)
  await app.close()
})

const kept = (id: number) =>
  app.api<SyncPreview & { error: string | null; fetched_at: string | null }>('GET', `/api/channels/${id}/price-sync`)
const model = async (): Promise<ModelWire | undefined> =>
  (await app.api<ModelWire[]>('GET', '/api/models')).body.find(({ model_name: name }) => name === 'planned')

test('a list is read when its time has come, kept, and changes no price; a slow one keeps nobody waiting', async () => {
  const sync = new PriceSync(app.deps)
  await sync.run()
  expect(asked).toEqual([])
  expect((await kept(fast)).status).toBe(404)
  ratio = 100
  const before = await model()
  app.clock.advance(HOUR_MS)
  const run = sync.run()
  while ((await kept(fast)).status === 404) await new Promise(setImmediate)
  expect((await kept(fast)).body).toMatchObject({
    source: '/api/pricing',
    error: null,
    models: [{ model_name: 'planned', change: 'jump', needs_confirmation: true }],
  })
  expect((await kept(slow)).status).toBe(404)
  expect(await model()).toEqual(before as ModelWire)
  expect((await app.api('GET', '/api/price-syncs')).body).toMatchObject([
    { channel_id: fast, changed: 1, needs_confirmation: 1, error: null },
  ])
  sync.stop()
  await run
  expect((await kept(slow)).body).toMatchObject({ models: [], fetched_at: null, error: expect.stringContaining('/api/pricing') })
})

test('two processes read a list once; a reading that fails keeps the last one', async () => {
  await app.api('PUT', `/api/channels/${slow}`, { price_sync_enabled: false })
  asked.length = 0
  app.clock.advance(HOUR_MS)
  await Promise.all([new PriceSync(app.deps).run(), new PriceSync(app.deps).run()])
  expect(asked).toEqual(['/fast/api/pricing'])
  status = 503
  app.clock.advance(HOUR_MS)
  await new PriceSync(app.deps).run()
  const { body } = await kept(fast)
  expect(body.models).toHaveLength(1)
  expect(body.error).toContain('/api/pricing answered 503')
})

test('a plan that cannot be read is refused in words', async () => {
  for (const plan of ['* * * *', '61 * * * *', '@never', '*/0 * * * *', '5-1 * * * *'])
    expect(await app.api<{ error: string }>('PUT', `/api/channels/${fast}`, { price_sync_cron: plan })).toMatchObject({
      status: 400,
      body: { code: 'price_sync_cron_invalid', error: expect.stringMatching(/^invalid price sync cron: /) },
    })
  expect(await app.api('PUT', `/api/channels/${fast}`, { price_sync_cron: '' })).toMatchObject({ body: { price_sync_cron: '0 * * * *' } })
})
