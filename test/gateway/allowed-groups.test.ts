import { afterAll, beforeAll, expect, test } from 'bun:test'
import type { PublicModelWire } from '../../contract/api/catalog.ts'
import type { UserChannelWire } from '../../contract/api/user-channels.ts'
import { serve, type Served } from '../served.ts'
import { Upstream } from '../upstream/server.ts'

/** A user channel that is limited to groups (contract.md 2.5): prices, catalogue, keys and calls know it. */
const OPEN = 'open-model'
const CLUB = 'club-model'

/** A database of its own on a busy machine. */
const BUSY_MS = 30_000
let served: Served
let club = 0
let vip = 0
let userId = 0
let userToken = ''
let userKey = ''
const upstream = await Upstream.start()

beforeAll(async () => {
  served = await serve()
  const { site, test: app } = served
  const [open] = await site.api<UserChannelWire[]>('GET', '/api/user-channels')
  club = (await site.api<UserChannelWire>('POST', '/api/user-channels', { name: 'club' })).id
  vip = (await site.api<{ id: number }>('POST', '/api/groups', { name: 'vip' })).id
  await site.sell(await site.addChannel({ baseUrl: `${upstream.url}/v1`, name: 'open' }), OPEN)
  await site.sell(await site.addChannel({ baseUrl: `${upstream.url}/v1`, name: 'club', userChannelId: club }), CLUB)
  ;({ id: userId, token: userToken } = await app.user('member'))
  await site.api('PUT', `/api/users/${userId}`, { balance: '10' })
  const made = await app.api<{ api_key: string }>('POST', '/api/user/api-keys', { allowed_user_channels: [club, open?.id] }, userToken)
  userKey = made.body.api_key
  await site.api('POST', '/api/meta-models', { name: 'club-only', dsl: `call "${CLUB}"` })
}, BUSY_MS)
afterAll(async () => {
  await served.close()
  await upstream.stop()
}, BUSY_MS)

const limit = (groups: number[]) => served.site.api<{ group_id: number }[]>('PUT', `/api/user-channels/${club}/allowed-groups`, groups)
const join = (group: number) => served.site.api('PUT', `/api/users/${userId}`, { group_id: group })
const ask = async (model: string, key: string): Promise<number> => {
  const response = await served.post('/v1/chat/completions', { model, messages: [{ role: 'user', content: 'Hi' }], max_tokens: 5 }, { key })
  await response.text()
  return response.status
}
const listed = async (key: string): Promise<string[]> => (await served.openai(key).models.list()).data.map(({ id }) => id)
const seen = async () => ({
  calls: [await ask(CLUB, userKey), await ask(CLUB, userToken), await ask('club-only', userKey), await ask(OPEN, userKey)],
  models: await listed(userKey),
  session: await listed(userToken),
  catalog: (await served.test.api<{ name: string }[]>('GET', '/api/user/catalog', undefined, userToken)).body.map(({ name }) => name),
  bind: (await served.test.api('POST', '/api/user/api-keys', { allowed_user_channels: [club] }, userToken)).status,
  quote: (await served.test.api('POST', '/api/user/quote', { model: CLUB, input_tokens: 1 }, userToken)).status,
})
const EVERYTHING = [CLUB, 'club-only', OPEN].toSorted()
const ALLOWED = {
  calls: [200, 200, 200, 200],
  models: EVERYTHING,
  session: EVERYTHING,
  catalog: ['club', 'default'],
  bind: 200,
  quote: 200,
}
const REFUSED = { calls: [503, 503, 503, 200], models: [OPEN], session: [OPEN], catalog: ['default'], bind: 400, quote: 404 }

test(
  'members of its groups use it and nobody else does, from the answer of each change on',
  async () => {
    const { group_id: everyone } = (await served.test.api<{ group_id: number }>('GET', '/api/user/me', undefined, userToken)).body
    expect(await seen()).toEqual(ALLOWED)
    expect(await limit([vip, vip])).toMatchObject([{ user_channel_id: club, group_id: vip, group: { name: 'vip' } }])
    expect(await seen()).toEqual(REFUSED)
    await join(vip)
    expect(await seen()).toEqual(ALLOWED)
    await join(everyone)
    expect(await seen()).toEqual(REFUSED)
    await limit([vip, everyone])
    expect(await seen()).toEqual(ALLOWED)
    await limit([])
    expect(await seen()).toEqual(ALLOWED)
    await served.expectBooks()
  },
  BUSY_MS,
)

test(
  'visitors see neither a limited user channel, nor what only it has, nor its prices',
  async () => {
    await served.site.api('PUT', '/api/settings', { pricing_endpoint_enabled: true })
    const shown = async () => {
      const models = (await served.test.api<PublicModelWire[]>('GET', '/api/public/models', undefined, null)).body
      const pricing = await served.test.api<{ data: { user_channel_prices: object } }>('GET', '/api/pricing', undefined, null)
      const quote = await served.test.api('POST', '/api/public/quote', { model: CLUB, input_tokens: 1 }, null)
      return [models.map(({ model_name: name }) => name), Object.keys(pricing.body.data.user_channel_prices), quote.status]
    }
    expect(await shown()).toEqual([EVERYTHING, ['club', 'default'], 200])
    await limit([vip])
    expect(await shown()).toEqual([[OPEN], ['default'], 404])
    await limit([])
  },
  BUSY_MS,
)

test(
  'the list shows the groups, a taken group is not deleted, and what is unknown is refused',
  async () => {
    const rows = await limit([vip])
    const channels = await served.site.api<UserChannelWire[]>('GET', '/api/user-channels')
    expect(channels.map(({ name, allowed_groups: groups }) => [name, groups])).toEqual([
      ['default', []],
      ['club', rows as UserChannelWire['allowed_groups']],
    ])
    const api = (method: string, path: string, body?: unknown) => served.test.api(method, path, body, served.site.token)
    expect(await api('DELETE', `/api/groups/${vip}`)).toMatchObject({ status: 400, body: { error: 'Group is in use' } })
    expect(await api('PUT', `/api/user-channels/${club}/allowed-groups`, { group_ids: [999] })).toMatchObject({
      status: 400,
      body: { code: 'group_missing', error: 'Group not found: 999' },
    })
    expect(await api('PUT', '/api/user-channels/999/allowed-groups', [])).toMatchObject({
      status: 404,
      body: { error: 'User channel not found' },
    })
    expect(await api('PUT', '/api/user-channels/x/allowed-groups', [])).toMatchObject({ status: 400 })
    const audit = await served.test.deps.db.query.selectFrom('audit_log').selectAll().where('action', '=', 'limit_to_groups').execute()
    expect(audit.at(-1)).toMatchObject({ object_id: String(club), before: '{"group_ids":[]}', after: `{"group_ids":[${vip}]}` })
    await served.site.api('DELETE', `/api/user-channels/${club}`)
    expect(await served.test.deps.db.query.selectFrom('allowed_groups').selectAll().execute()).toEqual([])
  },
  BUSY_MS,
)
