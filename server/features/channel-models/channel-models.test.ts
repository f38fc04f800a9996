import { afterAll, beforeAll, beforeEach, expect, test } from 'bun:test'
import type { ChannelModelWire } from '../../../contract/api/channel-models.ts'
import type { ModelWire } from '../../../contract/api/models.ts'
import { createTestApp, type TestApp } from '../../../test/app.ts'

let app: TestApp
let channelId: number
beforeAll(async () => {
  app = await createTestApp()
})
beforeEach(async () => {
  channelId = await addChannel()
})
afterAll(() => app.close())

const addChannel = async (): Promise<number> =>
  (await app.api<{ id: number }>('POST', '/api/channels', { name: 'up', base_url: 'https://up.example.test' })).body.id
const addModel = async (body: object): Promise<ModelWire> => (await app.api<ModelWire>('POST', '/api/models', body)).body
const modelNamed = async (name: string): Promise<ModelWire | undefined> =>
  (await app.api<ModelWire[]>('GET', '/api/models')).body.find((model) => model.model_name === name)
const post = <T = ChannelModelWire>(body: object, channel = channelId) => app.api<T>('POST', `/api/channels/${channel}/models`, body)
const put = <T = ChannelModelWire>(id: number, body: object) => app.api<T>('PUT', `/api/channel-models/${id}`, body)

test('a name nobody knows becomes a model without price, so not for sale', async () => {
  expect(await post({ model_id: 0, model_name: 'gpt-new', upstream_model_name: 'gpt-new-2026' })).toMatchObject({
    status: 200,
    body: {
      channel_id: channelId,
      upstream_model_name: 'gpt-new-2026',
      input_price: '0',
      output_price: '0',
      enabled: true,
      cost: null,
      model_name: 'gpt-new',
      provider: 'openai',
      model: { priced: false, free: false, enabled: true },
    },
  })
})

test('the upstream name is the model name unless one is given, and enabled:false is kept', async () => {
  expect((await post({ model_name: 'plain', enabled: false })).body).toMatchObject({ upstream_model_name: 'plain', enabled: false })
})

test('binding neither renames nor enables the model: with id and another name the name decides (W42)', async () => {
  const first = await addModel({ model_name: 'first', enabled: false, input_price: 1 })
  const { body: binding } = await post({ model_id: first.id })
  expect((await modelNamed('first'))?.enabled).toBe(false)
  const { body: after } = await put(binding.id, { model_id: first.id, model_name: 'second', enabled: true })
  await put(binding.id, { model_name: 'first', provider: 'Own', provider_icon_url: '/own.svg', enabled: true })
  expect(after).toMatchObject({ model_name: 'second', upstream_model_name: 'first' })
  expect(after.model_id).not.toBe(first.id)
  expect(await modelNamed('first')).toMatchObject({
    id: first.id,
    enabled: false,
    input_price: '1',
    provider: 'Own',
    provider_icon_url: '/own.svg',
  })
})

test('a channel carries a model once', async () => {
  await post({ model_name: 'once' })
  expect(await post<unknown>({ model_name: 'once', upstream_model_name: 'other' })).toMatchObject({
    status: 409,
    body: { code: 'channel_model_exists' },
  })
})

test('channel and model must exist', async () => {
  expect(await post<unknown>({})).toMatchObject({ status: 400, body: { error: 'Model is required' } })
  expect(await post<unknown>({ model_id: 999 })).toMatchObject({ status: 400, body: { error: 'record not found' } })
  expect(await post<unknown>({ model_name: 'lost' }, 999)).toMatchObject({ status: 404, body: { error: 'Channel not found' } })
  expect(await modelNamed('lost')).toBeUndefined()
  expect(await app.api('POST', '/api/channels/x/models', {})).toMatchObject({ status: 400, body: { error: 'Invalid channel id' } })
  expect((await app.api('GET', '/api/channels/999/models')).body).toEqual([])
  expect(await put<unknown>(999, {})).toMatchObject({ status: 404, body: { error: 'Model config not found' } })
})

test('a change keeps what is absent and may move the binding to another channel', async () => {
  const { body: binding } = await post({ model_name: 'mover', upstream_model_name: 'up-name', cost: { input_price: '0.5' } })
  const other = await addChannel()
  expect((await put(binding.id, { channel_id: other, enabled: false })).body).toMatchObject({
    channel_id: other,
    model_name: 'mover',
    upstream_model_name: 'up-name',
    enabled: false,
    cost: { input_price: '0.5' },
  })
  expect(await put<unknown>(binding.id, { channel_id: 999 })).toMatchObject({ status: 400, body: { error: 'Channel not found' } })
})

test('cost prices are kept apart from prices; null, or an object that says nothing, is unknown', async () => {
  const { body: binding } = await post({
    model_name: 'costly',
    cost: { input_price: 1, output_price: '4', input_price_tiers: [{ min_tokens: 10, price: 0.5 }] },
  })
  expect(binding).toMatchObject({
    cost: { input_price: '1', output_price: '4', cached_input_price: '0', input_price_tiers: [{ min_tokens: 10, price: '0.5' }] },
    model: { priced: false },
  })
  expect((await put(binding.id, { cost: {} })).body.cost).toBeNull()
  expect((await put(binding.id, { cost: { input_price: 0 } })).body.cost).toMatchObject({ input_price: '0' })
  expect((await put(binding.id, { cost: null })).body.cost).toBeNull()
  expect((await put(binding.id, { cost: { input_price: -1 } })).status).toBe(400)
})

test('group multipliers of a binding are replaced as a set and shown with it', async () => {
  const { body: group } = await app.api<{ id: number }>('POST', '/api/groups', { name: 'vip' })
  const { body: binding } = await post({ model_name: 'special' })
  const path = `/api/channel-models/${binding.id}/group-multipliers`
  expect(await app.api('PUT', path, [{ group_id: group.id, multiplier: 0.5 }])).toMatchObject({
    status: 200,
    body: [{ model_config_id: binding.id, group: { name: 'vip' }, multiplier: '0.5' }],
  })
  expect((await app.api('GET', `/api/channels/${channelId}/models`)).body).toMatchObject([
    { group_multipliers: [{ group_id: group.id, multiplier: '0.5' }] },
  ])
  expect((await app.api('PUT', path, [{ group_id: group.id, multiplier: 0 }])).body).toEqual([])
  expect(await app.api('PUT', '/api/channel-models/999/group-multipliers', [])).toMatchObject({
    status: 404,
    body: { error: 'Model config not found' },
  })
})

test('unbinding leaves the model', async () => {
  const { body: binding } = await post({ model_name: 'stays' })
  expect(await app.api('DELETE', `/api/channel-models/${binding.id}`)).toMatchObject({
    status: 200,
    body: { message: 'Model config deleted' },
  })
  expect((await app.api('GET', `/api/channels/${channelId}/models`)).body).toEqual([])
  expect(await modelNamed('stays')).toBeDefined()
  expect(await app.api('DELETE', '/api/channel-models/x')).toMatchObject({ status: 400, body: { error: 'Invalid model config id' } })
})
