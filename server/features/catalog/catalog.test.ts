import { afterAll, beforeAll, expect, test } from 'bun:test'
import { parseMoney, type Money } from '../../../contract/money.ts'
import { decodeCard } from '../../../contract/quote.ts'
import { createTestApp, type TestApp } from '../../../test/app.ts'
import { setUpSite, type Site } from '../../../test/site.ts'
import { SecretBox } from '../../lib/secret-box.ts'
import { Catalog, multiplierFor } from './service.ts'
import type { Candidate } from './snapshot.ts'

let app: TestApp
let site: Site
let catalog: Catalog
beforeAll(async () => {
  app = await createTestApp({ setUp: false })
  site = await setUpSite('http://localhost', app.request)
  catalog = new Catalog(app.deps)
  await catalog.load()
})
afterAll(() => app.close())

const amount = (text: string): Money => {
  const value = parseMoney(text)
  if (value === undefined) throw new Error(text)
  return value
}
const group = async (name: string, multiplier: string): Promise<number> =>
  (await site.api<{ id: number }>('POST', '/api/groups', { name, multiplier })).id
const names = (candidates: readonly Candidate[] | undefined): string[] => (candidates ?? []).map(({ channel }) => channel.name)
const firstOf = (model: string): Candidate => {
  const candidate = catalog.snapshot.models.get(model)?.all[0]
  if (!candidate) throw new Error(`nothing serves ${model}`)
  return candidate
}
const of = (ids: number[], mode: 'min' | 'max') => multiplierFor(catalog.snapshot, firstOf('multi'), ids, mode)

test('a change is in force when its answer is there', async () => {
  const { version } = catalog.snapshot
  const id = await site.addChannel({ baseUrl: 'http://127.0.0.1:1/v1', name: 'a', key: 'sk-the-real-key-of-a' })
  await site.sell(id, 'gpt-x', { input_price: '2.5', output_price: '10' }, 'gpt-x-2026')
  const model = catalog.snapshot.models.get('gpt-x')
  expect(catalog.snapshot.version).toBeGreaterThan(version)
  expect(model).toMatchObject({ name: 'gpt-x', provider: 'openai', enabled: true, priced: true, free: false, maxOutputTokens: null })
  expect(model?.card).toEqual(decodeCard(model?.cardText ?? ''))
  expect(model?.card.prices.output).toBe(amount('10'))
  expect(firstOf('gpt-x')).toMatchObject({
    upstreamModel: 'gpt-x-2026',
    costCard: undefined,
    channel: { id, name: 'a', type: 'openai', protocol: 'openai-chat', baseUrl: 'http://127.0.0.1:1/v1', key: 'sk-the-real-key-of-a' },
  })
  const before = catalog.snapshot
  await site.api('PUT', `/api/channels/${id}`, { api_key: 'sk-another-key' })
  expect(firstOf('gpt-x').channel.key).toBe('sk-another-key')
  expect(before.models.get('gpt-x')?.all[0]?.channel.key).toBe('sk-the-real-key-of-a')
})

test('candidates are in order: priority, then weight, then channel id', async () => {
  for (const [name, priority, weight] of [
    ['p1w1', 1, 1],
    ['p5w1', 5, 1],
    ['p5w9', 5, 9],
    ['p1w1-later', 1, 1],
  ] as const) {
    await site.sell(await site.addChannel({ baseUrl: 'http://127.0.0.1:1', name, priority, weight }), 'ordered')
  }
  expect(names(catalog.snapshot.models.get('ordered')?.all)).toEqual(['p5w9', 'p5w1', 'p1w1', 'p1w1-later'])
})

test('only what is enabled everywhere serves: model, channel, binding and user channel', async () => {
  const userChannel = (await site.api<{ id: number }>('POST', '/api/user-channels', { name: 'second' })).id
  const channel = await site.addChannel({ baseUrl: 'http://127.0.0.1:1', name: 'only', userChannelId: userChannel })
  await site.sell(channel, 'switched')
  const serving = (): string[] => names(catalog.snapshot.models.get('switched')?.byUserChannel.get(userChannel))
  expect(serving()).toEqual(['only'])
  const [binding] = await site.api<{ id: number; model_id: number }[]>('GET', `/api/channels/${channel}/models`)
  const prices = { input_price: 1 }
  for (const path of [
    `/api/models/${binding?.model_id}`,
    `/api/channels/${channel}`,
    `/api/channel-models/${binding?.id}`,
    `/api/user-channels/${userChannel}`,
  ]) {
    await site.api('PUT', path, { ...prices, enabled: false })
    expect([path, serving()]).toEqual([path, []])
    await site.api('PUT', path, { ...prices, enabled: true })
    expect([path, serving()]).toEqual([path, ['only']])
  }
  await site.api('PUT', `/api/channels/${channel}`, { user_channel_id: null })
  expect(serving()).toEqual([])
})

test('the multiplier of a group is overridden by the channel, then by the binding; of several groups the mode decides', async () => {
  const [gold, silver, plain] = [await group('gold', '0.5'), await group('silver', '0.9'), await group('plain', '1.5')]
  const channel = await site.addChannel({ baseUrl: 'http://127.0.0.1:1', name: 'multi' })
  await site.sell(channel, 'multi')
  const [binding] = await site.api<{ id: number }[]>('GET', `/api/channels/${channel}/models`)
  await site.api('PUT', `/api/channels/${channel}/group-multipliers`, [
    { group_id: gold, multiplier: 0.6 },
    { group_id: silver, multiplier: 0.8 },
  ])
  await site.api('PUT', `/api/channel-models/${binding?.id}/group-multipliers`, [{ group_id: silver, multiplier: 3 }])
  expect(of([plain], 'min')).toEqual({ multiplier: amount('1.5'), source: 'group' })
  expect(of([gold], 'min')).toEqual({ multiplier: amount('0.6'), source: 'channel' })
  expect(of([silver], 'min')).toEqual({ multiplier: amount('3'), source: 'model' })
  expect(of([plain, gold, silver], 'min')).toEqual({ multiplier: amount('0.6'), source: 'channel' })
  expect(of([plain, gold, silver], 'max')).toEqual({ multiplier: amount('3'), source: 'model' })
  expect(of([], 'min')).toEqual({ multiplier: amount('1'), source: 'group' })
  expect(of([999_999], 'max')).toEqual({ multiplier: amount('1'), source: 'group' })
})

test('cost is counted as the model is sold', async () => {
  const channel = await site.addChannel({ baseUrl: 'http://127.0.0.1:1', name: 'cost' })
  await site.sell(channel, 'cost-model')
  const [binding] = await site.api<{ id: number; model_id: number }[]>('GET', `/api/channels/${channel}/models`)
  await site.api('PUT', `/api/channel-models/${binding?.id}`, { cost: { output_price: '0.02' } })
  expect(firstOf('cost-model').costCard).toMatchObject({ quotaType: 0, prices: { output: amount('0.02') } })
  await site.api('PUT', `/api/models/${binding?.model_id}`, { output_price: '0.03', quota_type: 1 })
  expect(firstOf('cost-model').costCard).toMatchObject({ quotaType: 1, prices: { output: amount('0.02') } })
})

test('a key that cannot be opened or a price that cannot be read takes only its own row out', async () => {
  const broken = await site.addChannel({ baseUrl: 'http://127.0.0.1:1', name: 'broken', priority: 9 })
  await site.sell(broken, 'half-broken')
  await site.sell(await site.addChannel({ baseUrl: 'http://127.0.0.1:1', name: 'fine' }), 'half-broken')
  await site.sell(broken, 'unreadable')
  const { query } = app.deps.db
  await query
    .updateTable('channels')
    .set({ api_key_sealed: new SecretBox('another master secret').seal('channel-key', 'x') })
    .where('id', '=', broken)
    .execute()
  await query
    .updateTable('models')
    .set({ price_card: '{"prices":{"input":"-1"},"tiers":{}}', free: 1 })
    .where('model_name', '=', 'unreadable')
    .execute()
  await catalog.load()
  expect(names(catalog.snapshot.models.get('half-broken')?.all)).toEqual(['fine'])
  expect(catalog.snapshot.models.get('unreadable')).toMatchObject({ priced: false, free: false })
  await query.deleteFrom('models').where('model_name', '=', 'unreadable').execute()
})

test('loads asked for at once are shared, and each sees what was committed before it was asked for', async () => {
  const { version } = catalog.snapshot
  await Promise.all([catalog.load(), catalog.load(), catalog.load()])
  expect(catalog.snapshot.version).toBe(version + 2)
  const running = catalog.load()
  await app.deps.db.query.updateTable('models').set({ max_output_tokens: 777 }).where('model_name', '=', 'gpt-x').execute()
  await Promise.all([running, catalog.load()])
  expect(catalog.snapshot.models.get('gpt-x')?.maxOutputTokens).toBe(777)
})
