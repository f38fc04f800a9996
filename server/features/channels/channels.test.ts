import { afterAll, beforeAll, expect, test } from 'bun:test'
import type { ChannelWire } from '../../../contract/api/channels.ts'
import type { GroupWire } from '../../../contract/api/groups.ts'
import { createTestApp, type TestApp } from '../../../test/app.ts'
import { CHANNEL_KEY_PURPOSE } from '../catalog/service.ts'

const KEY = 'sk-upstream-secret-9f3a'

let app: TestApp
beforeAll(async () => {
  app = await createTestApp()
})
afterAll(() => app.close())

const post = <T = ChannelWire>(body: object) => app.api<T>('POST', '/api/channels', body)
const put = <T = ChannelWire>(id: number, body: object) => app.api<T>('PUT', `/api/channels/${id}`, body)
const make = async (body: object = {}): Promise<ChannelWire> =>
  (await post({ name: 'up', type: 'openai', base_url: 'https://up.example.test/v1', api_key: KEY, ...body })).body
const row = (id: number) => app.deps.db.query.selectFrom('channels').selectAll().where('id', '=', id).executeTakeFirstOrThrow()
const storedKey = async (id: number): Promise<string> => app.deps.secrets.open(CHANNEL_KEY_PURPOSE, (await row(id)).api_key_sealed)

test('a channel is made with the defaults of the contract and belongs to the default user channel', async () => {
  expect(await make()).toMatchObject({
    type: 'openai',
    protocol: 'openai-chat',
    user_channel: { name: 'default' },
    multiplier: '1',
    priority: 1,
    weight: 1,
    enabled: true,
    models: [],
    price_sync_enabled: false,
    consecutive_failures: 0,
    auto_disabled_at: null,
  })
})

test('enabled:false, priority 0 and weight 0 are stored as said', async () => {
  expect(await make({ enabled: false, priority: 0, weight: 0 })).toMatchObject({ enabled: false, priority: 0, weight: 0 })
})

test('the upstream key is encrypted at rest and never on the wire', async () => {
  const channel = await make()
  expect(channel.api_key).toBe('********9f3a')
  expect(JSON.stringify(await row(channel.id), (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value))).not.toContain(
    'upstream-secret',
  )
  const everything = JSON.stringify([(await app.api('GET', '/api/channels')).body, (await app.api('GET', '/api/user-channels')).body])
  expect(everything).not.toContain('upstream-secret')
  expect(await storedKey(channel.id)).toBe(KEY)
})

test('the mask, "" and nothing keep the key, another text replaces it, null clears it', async () => {
  const { id, api_key: mask } = await make()
  for (const body of [{ api_key: mask }, { api_key: '' }, {}]) {
    expect((await put(id, body)).body.api_key).toBe('********9f3a')
    expect(await storedKey(id)).toBe(KEY)
  }
  expect((await put(id, { api_key: 'short' })).body.api_key).toBe('********')
  expect(await storedKey(id)).toBe('short')
  expect((await put(id, { api_key: null })).body.api_key).toBe('')
  expect(await storedKey(id)).toBe('')
  expect((await post({ name: 'copy', base_url: 'https://x.test', api_key: mask })).status).toBe(400)
})

test('a base URL that is not an absolute http(s) address of at most 255 characters is refused', async () => {
  const { id } = await make()
  const bad = [
    '',
    'ftp://x.test',
    '/v1',
    'x.test/v1',
    'http://',
    'javascript:alert(1)',
    'https://u:p@x.test',
    'https://u@x.test',
    'https://x.test/?a=b',
    'https://x.test/#a',
    `https://x.test/${'a'.repeat(250)}`,
  ]
  for (const base_url of bad) {
    expect(await post<unknown>({ name: 'bad', base_url })).toMatchObject({ status: 400, body: { error: 'Unsafe or invalid base URL' } })
    expect((await put(id, { base_url })).status).toBe(400)
  }
  expect((await post({ name: 'bad' })).status).toBe(400)
})

test('type, name, user channel, weight and multiplier are checked', async () => {
  expect(await make({ type: 'Anthropic' })).toMatchObject({ type: 'anthropic', protocol: 'claude' })
  for (const body of [{ type: 'telnet' }, { name: '' }, { user_channel_id: 999 }, { weight: -1 }, { multiplier: 0 }, { priority: 1.5 }]) {
    expect([body, (await post({ name: 'up', base_url: 'https://up.example.test', ...body })).status]).toEqual([body, 400])
  }
  expect(await put<unknown>(999, {})).toMatchObject({ status: 404, body: { error: 'Channel not found' } })
  expect(await app.api('PUT', '/api/channels/x', {})).toMatchObject({ status: 400, body: { error: 'Invalid channel id' } })
})

test('a change touches the fields it may only: not times, models or multipliers', async () => {
  const before = await make({ priority: 7, weight: 3 })
  app.clock.advance(1000)
  const { body: after } = await put(before.id, {
    name: 'renamed',
    created_at: '2000-01-01T00:00:00Z',
    models: [{ id: 1 }],
    user_channel: { name: 'x' },
    group_multipliers: [{ group_id: 1 }],
    consecutive_failures: 9,
  })
  expect(after).toEqual({ ...before, name: 'renamed', updated_at: after.updated_at })
  expect(after.updated_at).not.toBe(before.updated_at)
})

test('group multipliers are replaced as a set; group 0 and multiplier 0 are none', async () => {
  const { id } = await make()
  const { body: vip } = await app.api<GroupWire>('POST', '/api/groups', { name: 'vip' })
  const { body: low } = await app.api<GroupWire>('POST', '/api/groups', { name: 'low' })
  const path = `/api/channels/${id}/group-multipliers`
  expect(
    await app.api('PUT', path, [
      { group_id: vip.id, multiplier: 0.8 },
      { group_id: low.id, multiplier: 1.2 },
      { group_id: 0, multiplier: 3 },
    ]),
  ).toMatchObject({
    status: 200,
    body: [
      { channel_id: id, group: { name: 'vip' }, multiplier: '0.8' },
      { group: { name: 'low' }, multiplier: '1.2' },
    ],
  })
  expect(
    (
      await app.api('PUT', path, [
        { group_id: vip.id, multiplier: '0.5' },
        { group_id: low.id, multiplier: 0 },
      ])
    ).body,
  ).toMatchObject([{ group_id: vip.id, multiplier: '0.5' }])
  expect((await app.api('GET', `/api/channels/${id}`)).body).toMatchObject({
    group_multipliers: [{ group: { name: 'vip' }, multiplier: '0.5' }],
  })
  expect((await app.api('DELETE', `/api/groups/${vip.id}`)).status).toBe(400)
  for (const bad of [
    [{ group_id: 999, multiplier: 1 }],
    [{ group_id: vip.id, multiplier: -1 }],
    [
      { group_id: vip.id, multiplier: 1 },
      { group_id: vip.id, multiplier: 2 },
    ],
    {},
  ]) {
    expect((await app.api('PUT', path, bad)).status).toBe(400)
  }
  expect((await app.api('PUT', path, [])).body).toEqual([])
  expect(await app.api('PUT', '/api/channels/999/group-multipliers', [])).toMatchObject({
    status: 404,
    body: { error: 'Channel not found' },
  })
})

test('deleting a channel leaves nothing of it behind', async () => {
  const { id } = await make()
  const [group] = (await app.api<GroupWire[]>('GET', '/api/groups')).body
  const { body: binding } = await app.api<{ id: number }>('POST', `/api/channels/${id}/models`, { model_name: 'gpt-deleted' })
  await app.api('PUT', `/api/channels/${id}/group-multipliers`, [{ group_id: group?.id, multiplier: 2 }])
  await app.api('PUT', `/api/channel-models/${binding.id}/group-multipliers`, [{ group_id: group?.id, multiplier: 2 }])
  expect(await app.api('DELETE', `/api/channels/${id}`)).toMatchObject({ status: 200, body: { message: 'Channel deleted' } })
  const { query } = app.deps.db
  expect(await query.selectFrom('channel_models').select('id').where('channel_id', '=', id).execute()).toEqual([])
  expect(await query.selectFrom('channel_group_multipliers').select('id').where('channel_id', '=', id).execute()).toEqual([])
  expect(
    await query.selectFrom('channel_model_group_multipliers').select('id').where('channel_model_id', '=', binding.id).execute(),
  ).toEqual([])
  expect((await app.api('DELETE', `/api/channels/${id}`)).status).toBe(200)
})

test('the audit row of a new key shows that it changed, not what it is', async () => {
  const { id } = await make()
  await put(id, { api_key: 'another-upstream-secret' })
  const rows = await app.deps.db.query
    .selectFrom('audit_log')
    .selectAll()
    .where('object_type', '=', 'channel')
    .where('object_id', '=', String(id))
    .orderBy('id')
    .execute()
  expect(JSON.parse(rows[1]?.after ?? '')).toMatchObject({ api_key_sealed: '********' })
  expect(JSON.stringify(rows)).not.toContain('upstream-secret')
})
