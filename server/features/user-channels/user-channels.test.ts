import { afterAll, beforeAll, expect, test } from 'bun:test'
import type { ChannelWire } from '../../../contract/api/channels.ts'
import type { UserChannelWire } from '../../../contract/api/user-channels.ts'
import { createTestApp, type TestApp } from '../../../test/app.ts'
import { ensureDefaults } from '../catalog/defaults.ts'

let app: TestApp
beforeAll(async () => {
  app = await createTestApp()
})
afterAll(() => app.close())

const list = async (): Promise<UserChannelWire[]> => (await app.api<UserChannelWire[]>('GET', '/api/user-channels')).body
const make = async (body: unknown): Promise<UserChannelWire> => (await app.api<UserChannelWire>('POST', '/api/user-channels', body)).body
const upstream = async (body: object): Promise<ChannelWire> =>
  (await app.api<ChannelWire>('POST', '/api/channels', { name: 'up', base_url: 'https://up.example.test', ...body })).body

test('a new site has the user channel `default`', async () => {
  expect(await list()).toMatchObject([
    {
      name: 'default',
      description: 'Default user-facing channel',
      multiplier: '1',
      routing_algorithm: 'priority',
      enabled: true,
      channels: [],
    },
  ])
})

test('what is said is stored: disabled from the start, synonyms of algorithms, unknown ones as priority', async () => {
  expect(await make({ name: 'a', enabled: false, multiplier: 1.25, routing_algorithm: 'wrr' })).toMatchObject({
    enabled: false,
    multiplier: '1.25',
    routing_algorithm: 'weighted_round_robin',
  })
  expect(await make({ name: 'b', routing_algorithm: 'Round-Robin' })).toMatchObject({
    enabled: true,
    multiplier: '1',
    routing_algorithm: 'round_robin',
  })
  expect(await make({ name: 'c', routing_algorithm: 'best' })).toMatchObject({ routing_algorithm: 'priority' })
})

test('a change touches what it names only', async () => {
  const { id } = await make({ name: 'merge', description: 'first', multiplier: '2', routing_algorithm: 'rr' })
  expect(
    (await app.api('PUT', `/api/user-channels/${id}`, { description: 'second', created_at: '2000-01-01T00:00:00Z', channels: [] })).body,
  ).toMatchObject({ name: 'merge', description: 'second', multiplier: '2', routing_algorithm: 'round_robin', enabled: true })
  expect((await app.api('PUT', `/api/user-channels/${id}`, { enabled: false })).body).toMatchObject({
    description: 'second',
    multiplier: '2',
    enabled: false,
  })
  expect(await app.api('PUT', '/api/user-channels/999', {})).toMatchObject({ status: 404, body: { error: 'User channel not found' } })
})

test('a multiplier of 0 is refused with the way to give a model away, a taken name with 409, an empty one with 400', async () => {
  const { id } = await make({ name: 'strict' })
  const zero = await app.api<{ error: string }>('PUT', `/api/user-channels/${id}`, { multiplier: 0 })
  expect(zero).toMatchObject({ status: 400, body: { code: 'multiplier_zero' } })
  expect(zero.body.error).toContain('mark the model as free')
  expect(await app.api('POST', '/api/user-channels', { name: 'strict' })).toMatchObject({ status: 409, body: { code: 'name_taken' } })
  expect((await app.api('POST', '/api/user-channels', { name: '' })).status).toBe(400)
})

test('upstreams are listed with their models, best first', async () => {
  const { id } = await make({ name: 'nested' })
  await upstream({ name: 'low', user_channel_id: id, priority: 1 })
  const high = await upstream({ name: 'high', user_channel_id: id, priority: 5 })
  await app.api('POST', `/api/channels/${high.id}/models`, { model_name: 'gpt-nested' })
  const nested = (await list()).find((channel) => channel.id === id)
  expect(nested?.channels?.map(({ name }) => name)).toEqual(['high', 'low'])
  expect(nested?.channels?.[0]?.models[0]?.model?.model_name).toBe('gpt-nested')
})

test('deleting a user channel switches its upstreams off, so that the next start does not sell them under another price', async () => {
  const { id } = await make({ name: 'leaving' })
  const channel = await upstream({ user_channel_id: id })
  expect(await app.api('DELETE', `/api/user-channels/${id}`)).toMatchObject({ status: 200, body: { message: 'User channel deleted' } })
  expect((await app.api('GET', `/api/channels/${channel.id}`)).body).toMatchObject({ user_channel_id: null, enabled: false })
  await ensureDefaults(app.deps)
  expect((await app.api('GET', `/api/channels/${channel.id}`)).body).toMatchObject({ user_channel: { name: 'default' }, enabled: false })
})

test('an owner may rename the default user channel; a start makes it anew only for upstreams that belong nowhere', async () => {
  const [first] = await list()
  await app.api('PUT', `/api/user-channels/${first?.id}`, { name: 'main' })
  await ensureDefaults(app.deps)
  expect((await list()).some(({ name }) => name === 'default')).toBe(false)
  const orphan = await upstream({ user_channel_id: null })
  await ensureDefaults(app.deps)
  expect((await app.api('GET', `/api/channels/${orphan.id}`)).body).toMatchObject({ user_channel: { name: 'default' }, enabled: true })
})
