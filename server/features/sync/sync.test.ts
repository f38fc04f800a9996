import { afterAll, beforeAll, beforeEach, expect, test } from 'bun:test'
import type { ChannelModelWire } from '../../../contract/api/channel-models.ts'
import type { ModelWire, PriceVersionWire } from '../../../contract/api/models.ts'
import type { SyncPreview, SyncResult } from '../../../contract/api/sync.ts'
import { createTestApp, type TestApp } from '../../../test/app.ts'

let app: TestApp
/** What the upstream answers, by path; a number is a status. */
let answers: Record<string, unknown>
let asked: { path: string; authorization: string | null; key: string | null }[]
const upstream = Bun.serve({
  port: 0,
  hostname: '127.0.0.1',
  fetch(request) {
    const { pathname, search } = new URL(request.url)
    asked.push({ path: `${pathname}${search}`, authorization: request.headers.get('authorization'), key: request.headers.get('x-api-key') })
    const answer = answers[`${pathname}${search}`] ?? answers[pathname] ?? 404
    if (typeof answer === 'number') return new Response('secret text of the upstream', { status: answer })
    return typeof answer === 'string' ? new Response(answer) : Response.json(answer)
  },
})
beforeAll(async () => {
  app = await createTestApp({ settings: { ssrf_allowed_hosts: '127.0.0.1' } })
})
beforeEach(() => {
  answers = {}
  asked = []
})
afterAll(async () => {
  await upstream.stop(true)
  await app.close()
})

let channels = 0
const channel = async (body: object = {}): Promise<number> => {
  channels += 1
  const made = await app.api<{ id: number }>('POST', '/api/channels', {
    name: `up-${channels}`,
    base_url: `http://127.0.0.1:${upstream.port}/v1`,
    api_key: 'sk-upstream-key-of-this-test',
    ...body,
  })
  return made.body.id
}
const post = <T>(path: string, body?: object) => app.api<T>('POST', path, body)
const models = async (): Promise<Map<string, ModelWire>> =>
  new Map((await app.api<ModelWire[]>('GET', '/api/models')).body.map((model) => [model.model_name, model]))
const carried = async (id: number): Promise<ChannelModelWire[]> =>
  (await app.api<ChannelModelWire[]>('GET', `/api/channels/${id}/models`)).body
const apply = (id: number, list: object[], confirm?: string[]) =>
  post<{ results: SyncResult[]; error: string; code: string; result: SyncResult; unconfirmed: string[] }>('/api/models/prices/sync/apply', {
    channel_id: id,
    models: list,
    ...(confirm ? { confirm } : {}),
  })
const history = async (name: string): Promise<PriceVersionWire[]> =>
  (await app.api<PriceVersionWire[]>('GET', `/api/models/${(await models()).get(name)?.id}/price-history`)).body

test('a model list preview names what is new, what is there and what is gone, and changes nothing', async () => {
  const id = await channel()
  await post(`/api/channels/${id}/models`, { model_name: 'list-old' })
  await post(`/api/channels/${id}/models`, { model_name: 'list-gone' })
  answers['/v1/models'] = { object: 'list', data: [{ id: 'list-old' }, { id: 'list-new' }] }
  const { status, body } = await post<SyncPreview>('/api/models/sync/preview', { channel_id: id })
  expect(status).toBe(200)
  expect(body).toMatchObject({ channel_id: id, source: '/v1/models', gone: ['list-gone'] })
  expect(
    body.models.map(({ model_name: name, exists, input_price: price, input_price_tiers: tiers }) => [name, exists, price, tiers]),
  ).toEqual([
    ['list-new', false, '0', null],
    ['list-old', true, '0', null],
  ])
  expect(asked).toEqual([{ path: '/v1/models', authorization: 'Bearer sk-upstream-key-of-this-test', key: null }])
  expect((await models()).has('list-new')).toBe(false)
})

test('auto tries the next list; what was wrong with each is said, never in the words of the upstream (W99)', async () => {
  const id = await channel()
  answers = { '/v1/models': '<html>', '/models': { data: [] }, '/api/models': { data: { '1': ['auto-a'] } } }
  expect((await post<SyncPreview>('/api/models/sync/preview', { channel_id: id })).body).toMatchObject({ source: '/api/models' })
  answers = { '/v1/models': 500, '/models': '<html>', '/api/models': 'not json' }
  const failed = await post<{ error: string }>('/api/models/sync/preview', { channel_id: id, format: 'auto' })
  expect(failed.status).toBe(500)
  expect(failed.body.error).toBe(
    'all model list sources failed: /v1/models answered 500; /models returned HTML instead of JSON; /api/models returned something that is not JSON',
  )
})

test('a list that is too large, too deep or without end is given up on', async () => {
  const id = await channel()
  const refused = async (): Promise<string> =>
    (await post<{ error: string }>('/api/models/sync/preview', { channel_id: id, format: 'openai' })).body.error
  answers['/v1/models'] = `"${'x'.repeat(17 * 1024 * 1024)}"`
  expect(await refused()).toBe('/v1/models is larger than 16 MiB')
  answers['/v1/models'] = `${'['.repeat(100_000)}${']'.repeat(100_000)}`
  expect(await refused()).toBe('/v1/models is nested too deep')
  answers['/v1/models'] = { data: [] }
  expect(await refused()).toBe('/v1/models names no models')
})

test('formats, the custom path, and the errors of the contract', async () => {
  const id = await channel()
  answers['/lists/x'] = ['custom-a']
  const at = (body: object) => post<{ error: string; source: string }>('/api/models/sync/preview', { channel_id: id, ...body })
  expect((await at({ format: 'custom', path: 'https://elsewhere.example/lists/x' })).body.source).toBe('/lists/x')
  expect(await at({ format: 'custom' })).toMatchObject({ status: 500, body: { error: 'custom sync path is required' } })
  expect(await at({ format: 'nope' })).toMatchObject({ status: 500, body: { error: 'unsupported model list sync format: nope' } })
  expect(await at({ channel_id: 0 })).toMatchObject({ status: 400, body: { error: 'Channel is required' } })
  expect(await at({ channel_id: 99_999 })).toMatchObject({ status: 500, body: { error: 'Channel not found' } })
  expect(await post('/api/models/prices/sync/preview', { channel_id: id, format: 'nope' })).toMatchObject({
    status: 500,
    body: { error: 'unsupported sync format: nope' },
  })
  const browser = { channel_id: id, source: 'browser /v1/models' }
  expect(await post('/api/models/sync/preview/browser', browser)).toMatchObject({ status: 400, body: { error: 'Payload is required' } })
  expect(await post('/api/models/sync/preview/browser', { ...browser, payload: null })).toMatchObject({ status: 400 })
  expect(await post('/api/models/sync/preview/browser', { ...browser, payload: { data: [{ id: 'pasted' }] } })).toMatchObject({
    status: 200,
    body: { source: 'browser /v1/models', models: [{ model_name: 'pasted' }] },
  })
  expect(await post('/api/models/sync/preview/browser', { channel_id: id, payload: 5 })).toMatchObject({ status: 500 })
  expect(await post('/api/models/sync/apply', { channel_id: id, models: [] })).toMatchObject({
    status: 400,
    body: { error: 'No models selected' },
  })
  expect(await post('/api/models/sync/apply', { models: [{ model_name: 'a' }] })).toMatchObject({
    status: 400,
    body: { error: 'Channel is required' },
  })
})

test("Claude's list is read to its last page with its own headers, Gemini's too", async () => {
  const claude = await channel({ type: 'claude' })
  answers['/v1/models?limit=1000'] = { data: [{ id: 'claude-a' }], has_more: true, last_id: 'claude-a' }
  answers['/v1/models?limit=1000&after_id=claude-a'] = { data: [{ id: 'claude-b' }], has_more: false, last_id: 'claude-b' }
  const list = await post<SyncPreview>('/api/models/sync/preview', { channel_id: claude })
  expect(list.body.models.map(({ model_name: name }) => name)).toEqual(['claude-a', 'claude-b'])
  expect(asked[0]).toMatchObject({ key: 'sk-upstream-key-of-this-test', authorization: null })
  const gemini = await channel({ type: 'gemini' })
  answers['/v1beta/models?pageSize=1000'] = { models: [{ name: 'models/gemini-a' }], nextPageToken: 'p 2' }
  answers['/v1beta/models?pageSize=1000&pageToken=p%202'] = { models: [{ name: 'models/gemini-b' }] }
  const second = await post<SyncPreview>('/api/models/sync/preview', { channel_id: gemini })
  expect(second.body.models.map(({ model_name: name }) => name)).toEqual(['gemini-a', 'gemini-b'])
  answers['/v1/models?limit=1000&after_id=claude-a'] = { data: [], has_more: true, last_id: 'claude-a' }
  expect((await post<{ error: string }>('/api/models/sync/preview', { channel_id: claude, format: 'claude' })).body.error).toContain(
    'same page',
  )
})

test('an apply binds the selected models, once; a new one has no price and is not for sale (W43)', async () => {
  const id = await channel()
  const body = {
    channel_id: id,
    models: [{ model_name: 'apply-a' }, { model_name: 'apply-b', provider: 'OpenAI' }, { model_name: 'apply-a' }],
  }
  expect((await post<{ results: SyncResult[] }>('/api/models/sync/apply', body)).body.results).toEqual([
    { channel_id: id, channel_name: `up-${channels}`, source: 'selected', created: 2, updated: 0 },
  ])
  expect((await models()).get('apply-b')).toMatchObject({ provider: 'openai', priced: false })
  const [first] = await carried(id)
  await app.api('PUT', `/api/channel-models/${first?.id}`, { enabled: false })
  expect((await post<{ results: SyncResult[] }>('/api/models/sync/apply', body)).body.results[0]).toMatchObject({ created: 0, updated: 1 })
  expect((await post<{ results: SyncResult[] }>('/api/models/sync/apply', body)).body.results[0]).toMatchObject({ created: 0, updated: 0 })
  expect((await carried(id)).every(({ enabled }) => enabled)).toBe(true)
})

test('the sync of all channels publishes nothing and re-enables nothing (W100); one that fails stops nobody', async () => {
  const id = await channel()
  const broken = await channel({ base_url: 'http://127.0.0.1:1' })
  const made = await post<{ id: number }>(`/api/channels/${id}/models`, { model_name: 'bulk-off', upstream_model_name: 'own-name' })
  await app.api('PUT', `/api/channel-models/${made.body.id}`, { enabled: false })
  await post('/api/models', { model_name: 'bulk-priced', input_price: 1, output_price: 1 })
  answers['/v1/models'] = { data: [{ id: 'bulk-off' }, { id: 'bulk-priced' }, { id: 'bulk-new' }] }
  const { body } = await post<{ results: SyncResult[] }>('/api/models/sync', { channel_ids: [id, broken, 99_999] })
  expect(body.results.map(({ created, updated, error }) => [created, updated, error === undefined])).toEqual([
    [2, 0, true],
    [0, 0, false],
    [0, 0, false],
  ])
  expect((await carried(id)).map(({ model_name: name, enabled, upstream_model_name: up }) => [name, enabled, up])).toEqual([
    ['bulk-off', false, 'own-name'],
    ['bulk-priced', false, 'bulk-priced'],
    ['bulk-new', false, 'bulk-new'],
  ])
  const all = await post<{ message: string; results: SyncResult[] }>('/api/channels/sync')
  expect(all.body.message).toBe('Sync finished')
  expect(all.body.results.find(({ channel_id: one }) => one === id)).toMatchObject({ created: 0, updated: 0 })
})

const feed = (ratios: Record<string, number>) => ({
  success: true,
  data: Object.entries(ratios).map(([name, ratio]) => ({ model_name: name, quota_type: 0, model_ratio: ratio, completion_ratio: 2 })),
})

test('M12: zeros and 100x jumps change nothing without explicit confirmation, and nothing else of the same apply', async () => {
  const id = await channel()
  for (const name of ['m12-zero', 'm12-jump', 'm12-drop', 'm12-fine'])
    await post('/api/models', { model_name: name, input_price: '2', output_price: '4', image_input_price: '7' })
  await post('/api/models', { model_name: 'm12-free', free: true })
  answers['/api/pricing'] = feed({ 'm12-zero': 0, 'm12-jump': 100, 'm12-drop': 0.01, 'm12-fine': 1.25, 'm12-free': 1, 'm12-new': 3 })
  const before = await models()
  const { body } = await post<SyncPreview>('/api/models/prices/sync/preview', { channel_id: id })
  expect(body.source).toBe('/api/pricing')
  expect(asked).toEqual([{ path: '/api/pricing', authorization: null, key: null }])
  expect(body.models.map(({ model_name: name, change, needs_confirmation: open, exists }) => [name, change, open, exists])).toEqual([
    ['m12-drop', 'jump', true, true],
    ['m12-fine', 'higher', false, true],
    ['m12-free', 'free', true, true],
    ['m12-jump', 'jump', true, true],
    ['m12-new', 'new', false, false],
    ['m12-zero', 'zero', true, true],
  ])
  const refused = await apply(id, body.models)
  expect(refused).toMatchObject({
    status: 409,
    body: { code: 'sync_unconfirmed', unconfirmed: ['m12-drop', 'm12-free', 'm12-jump', 'm12-zero'], result: { created: 0, updated: 0 } },
  })
  expect(refused.body.result.error).toBe(refused.body.error)
  expect(await models()).toEqual(before)
  const fine = body.models.filter((model) => !model.needs_confirmation)
  expect((await apply(id, fine)).body.results[0]).toMatchObject({ source: 'prices', created: 1, updated: 1 })
  const after = await models()
  expect(after.get('m12-fine')).toMatchObject({ input_price: '2.5', output_price: '5', cached_input_price: '2.5', image_input_price: '7' })
  expect(after.get('m12-new')).toMatchObject({ input_price: '6', output_price: '12', enabled: true, priced: true })
  for (const name of ['m12-zero', 'm12-jump', 'm12-drop', 'm12-free']) expect(after.get(name)).toEqual(before.get(name) as ModelWire)
  expect((await apply(id, body.models, ['m12-drop', 'm12-free', 'm12-jump', 'm12-zero'])).body.results[0]).toMatchObject({
    created: 0,
    updated: 4,
  })
  expect((await models()).get('m12-free')).toMatchObject({ free: false, input_price: '2' })
})

test('an apply is dated, audited and idempotent', async () => {
  const id = await channel()
  const list = [{ model_name: 'dated', input_price: '1', output_price: '2', cached_input_price: '0.5' }]
  expect((await apply(id, list)).body.results[0]).toMatchObject({ created: 1, updated: 0 })
  expect((await apply(id, [{ ...list[0], model_name: 'dated', input_price: 1.5 }])).body.results[0]).toMatchObject({
    created: 0,
    updated: 1,
  })
  expect((await apply(id, [{ ...list[0], model_name: 'dated', input_price: '1.50' }])).body.results[0]).toMatchObject({
    created: 0,
    updated: 0,
  })
  expect((await history('dated')).map(({ input_price: price, source }) => [price, source])).toEqual([
    ['1.5', 'sync'],
    ['1', 'sync'],
  ])
  const rows = await app.deps.db.query
    .selectFrom('audit_log')
    .select(['action', 'object_id'])
    .where('object_type', '=', 'model')
    .orderBy('id')
    .execute()
  const own = (await models()).get('dated')?.id
  expect(rows.filter(({ object_id: object }) => object === String(own)).map(({ action }) => action)).toEqual(['create', 'update'])
})

test('what is absent from an item stays: prices, steps, further meters', async () => {
  const id = await channel()
  await post('/api/models', {
    model_name: 'partial',
    input_price: 2,
    output_price: 4,
    cached_input_price: 1,
    audio_input_price: 9,
    input_price_tiers: [{ min_tokens: 100, price: 3, condition: 'full_input_tokens' }],
  })
  expect((await apply(id, [{ model_name: 'partial', output_price: '5' }])).body.results[0]).toMatchObject({ updated: 1 })
  expect((await models()).get('partial')).toMatchObject({
    input_price: '2',
    output_price: '5',
    cached_input_price: '1',
    audio_input_price: '9',
    input_price_tiers: [{ min_tokens: 100, price: '3', condition: 'full_input_tokens' }],
  })
})

test('an apply takes no price that cannot be one', async () => {
  const id = await channel()
  for (const price of ['NaN', -1, '1e5', 1e308, '1000001', '']) {
    const { status } = await apply(id, [{ model_name: 'wild', input_price: price }])
    expect([price, status]).toEqual([price, 400])
  }
  expect((await apply(id, [{ model_name: 'wild', input_price: '20000', output_price: '1' }])).status).toBe(409)
  expect((await models()).has('wild')).toBe(false)
})

test('only who administers may sync; support may look', async () => {
  const { token } = await app.user('plain-user')
  for (const path of ['/api/channels/sync', '/api/models/sync', '/api/models/sync/preview', '/api/models/prices/sync/apply'])
    expect((await app.api('POST', path, { channel_id: 1, models: [] }, token)).status).toBe(403)
  expect((await app.api('GET', '/api/price-syncs', undefined, token)).status).toBe(403)
})
