import { afterAll, beforeAll, expect, test } from 'bun:test'
import type { ModelWire, PriceVersionWire } from '../../../contract/api/models.ts'
import { createTestApp, type TestApp } from '../../../test/app.ts'

let app: TestApp
beforeAll(async () => {
  app = await createTestApp()
})
afterAll(() => app.close())

const post = <T = ModelWire>(body: object) => app.api<T>('POST', '/api/models', body)
const put = <T = ModelWire>(id: number, body: object) => app.api<T>('PUT', `/api/models/${id}`, body)
const make = async (body: object): Promise<ModelWire> => (await post(body)).body
const history = async (id: number): Promise<PriceVersionWire[]> =>
  (await app.api<PriceVersionWire[]>('GET', `/api/models/${id}/price-history`)).body

test('a model has nine prices and nine tier lists, absent ones are "0" and null', async () => {
  expect(await make({ model_name: 'gpt-a', input_price: 2.5, output_price: '10', cached_input_price: '0.0000000001' })).toMatchObject({
    model_name: 'gpt-a',
    provider: 'openai',
    provider_icon_url: '',
    input_price: '2.5',
    output_price: '10',
    cached_input_price: '0.0000000001',
    cache_write_input_price: '0',
    cache_write_1h_input_price: '0',
    image_input_price: '0',
    image_output_price: '0',
    audio_input_price: '0',
    audio_output_price: '0',
    input_price_tiers: null,
    audio_output_price_tiers: null,
    quota_type: 0,
    free: false,
    priced: true,
    max_output_tokens: null,
    enabled: true,
  })
})

test('a model without prices is not priced; one that is free on purpose says so', async () => {
  expect(await make({ model_name: 'bare' })).toMatchObject({ priced: false, free: false, provider: 'custom' })
  expect(await make({ model_name: 'gift', free: true })).toMatchObject({ priced: false, free: true })
  expect(await make({ model_name: 'per-call', quota_type: 1, input_price: 5 })).toMatchObject({ priced: false })
  expect(await post<unknown>({ model_name: 'both', free: true, input_price: 1 })).toMatchObject({
    status: 400,
    body: { code: 'model_free_and_priced' },
  })
})

test('tiers come back normalised', async () => {
  const { input_price_tiers: tiers } = await make({
    model_name: 'tiered',
    input_price: 1,
    input_price_tiers: [
      { min_tokens: 200000, price: 5, condition: 'prompt_tokens' },
      { min_tokens: 10, price: '2' },
      { min_tokens: 10, price: '3', condition: null },
      { min_tokens: 5, price: -1 },
    ],
    output_price_tiers: [],
  })
  expect(tiers).toEqual([
    { min_tokens: 10, price: '3' },
    { min_tokens: 200000, price: '5', condition: 'full_input_tokens' },
  ])
})

test('explicit enabled:false, a maker and an icon are kept', async () => {
  expect(
    await make({ model_name: 'off', enabled: false, provider: 'deep seek', provider_icon_url: '/icons/own.svg', max_output_tokens: 4096 }),
  ).toMatchObject({ enabled: false, provider: 'deepseek', provider_icon_url: '/icons/own.svg', max_output_tokens: 4096 })
})

test('what a model must not be is refused', async () => {
  await make({ model_name: 'taken' })
  expect(await post<unknown>({})).toMatchObject({ status: 400, body: { error: 'Model is required' } })
  expect(await post<unknown>({ model_name: 'taken' })).toMatchObject({ status: 409, body: { code: 'name_taken' } })
  expect(await post<unknown>({ model_name: 'neg', input_price: -1 })).toMatchObject({
    status: 400,
    body: { error: 'input_price: must not be negative' },
  })
  const bad = [
    { output_price: '' },
    { output_price: '1e3' },
    { output_price: '0.00000000001' },
    { quota_type: 100 },
    { max_output_tokens: 0 },
    { provider_icon_url: 'javascript:alert(1)' },
    { model_name: 'x'.repeat(101) },
    { input_price_tiers: [{ min_tokens: 1.5, price: 1 }] },
  ]
  for (const body of bad) expect([body, (await post({ model_name: 'bad', ...body })).status]).toEqual([body, 400])
})

test('a change replaces every price and keeps the rest when it is absent or empty', async () => {
  const { id } = await make({
    model_name: 'edit',
    provider: 'openai',
    provider_icon_url: '/i.svg',
    input_price: 1,
    output_price: 2,
    quota_type: 0,
    max_output_tokens: 10,
    enabled: false,
  })
  expect((await put(id, { model_name: '', provider: '', provider_icon_url: '', output_price: 3 })).body).toMatchObject({
    model_name: 'edit',
    provider: 'openai',
    provider_icon_url: '/i.svg',
    input_price: '0',
    output_price: '3',
    max_output_tokens: 10,
    enabled: false,
  })
  expect((await put(id, { model_name: 'edited', max_output_tokens: null, enabled: true })).body).toMatchObject({
    model_name: 'edited',
    max_output_tokens: null,
    enabled: true,
    priced: false,
  })
  expect(await put<unknown>(999, {})).toMatchObject({ status: 404, body: { error: 'Model not found' } })
})

test('who prices a free model without a word about it ends its being free', async () => {
  const { id } = await make({ model_name: 'was-free', free: true })
  expect((await put(id, { max_output_tokens: 5 })).body).toMatchObject({ free: true })
  expect((await put(id, { input_price: 1 })).body).toMatchObject({ free: false, priced: true })
})

test('each change of price leaves a version with its author, other changes leave none', async () => {
  const { id } = await make({ model_name: 'history', input_price: 1 })
  await put(id, { input_price: '1.0', provider: 'Own' })
  app.clock.advance(60_000)
  await put(id, { input_price: 2, input_price_tiers: [{ min_tokens: 100, price: 1 }] })
  await put(id, { input_price: 2, input_price_tiers: [{ min_tokens: 100, price: 1 }], quota_type: 1 })
  const versions = await history(id)
  expect(versions.map(({ input_price: price, quota_type: type }) => [price, type])).toEqual([
    ['2', 1],
    ['2', 0],
    ['1', 0],
  ])
  expect(versions[1]).toMatchObject({ model_id: id, source: 'manual', input_price_tiers: [{ min_tokens: 100, price: '1' }] })
  expect(versions[1]?.actor_user_id).toBeGreaterThan(0)
  expect(Date.parse(versions[1]?.created_at ?? '') - Date.parse(versions[2]?.created_at ?? '')).toBe(60_000)
  expect((await app.api('GET', `/api/models/${id}/price-history?page=2&page_size=2`)).body).toMatchObject({
    total: 3,
    items: [{ input_price: '1' }],
  })
  expect((await app.api('GET', '/api/models/999/price-history')).status).toBe(404)
})

test('models are listed by name, or as a page newest first', async () => {
  const names = (await app.api<ModelWire[]>('GET', '/api/models')).body.map(({ model_name: name }) => name)
  expect(names).toEqual(names.toSorted())
  expect((await app.api<{ items: ModelWire[] }>('GET', '/api/models?page_size=1')).body.items.map(({ model_name: name }) => name)).toEqual([
    'history',
  ])
})

test('deleting a model takes its bindings, their multipliers and its history along', async () => {
  const { id } = await make({ model_name: 'gone', input_price: 1 })
  const { body: channel } = await app.api<{ id: number }>('POST', '/api/channels', { name: 'up', base_url: 'https://up.example.test' })
  const { body: binding } = await app.api<{ id: number }>('POST', `/api/channels/${channel.id}/models`, { model_id: id })
  const [group] = (await app.api<{ id: number }[]>('GET', '/api/groups')).body
  await app.api('PUT', `/api/channel-models/${binding.id}/group-multipliers`, [{ group_id: group?.id, multiplier: 2 }])
  expect(await app.api('DELETE', `/api/models/${id}`)).toMatchObject({ status: 200, body: { message: 'Model deleted' } })
  const { query } = app.deps.db
  expect((await app.api('GET', `/api/channels/${channel.id}/models`)).body).toEqual([])
  expect(await query.selectFrom('price_versions').select('id').where('model_id', '=', id).execute()).toEqual([])
  expect(
    await query.selectFrom('channel_model_group_multipliers').select('id').where('channel_model_id', '=', binding.id).execute(),
  ).toEqual([])
  expect((await app.api('DELETE', `/api/models/${id}`)).status).toBe(200)
  expect(await app.api('DELETE', '/api/models/x')).toMatchObject({ status: 400, body: { error: 'Invalid model id' } })
})
