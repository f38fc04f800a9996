import { afterAll, beforeAll, expect, test } from 'bun:test'
import { pricingWire, publicModelWire, type PricingWire, type PublicModelWire } from '../../../contract/api/catalog.ts'
import { createTestApp, type TestApp } from '../../../test/app.ts'
import { setUpSite, type Site } from '../../../test/site.ts'

let app: TestApp
let site: Site
let premium: number

beforeAll(async () => {
  app = await createTestApp({ setUp: false })
  site = await setUpSite('http://localhost', app.request)
  premium = (await site.api<{ id: number }>('POST', '/api/user-channels', { name: 'premium', description: 'fast', multiplier: '1.2' })).id
  const plain = await site.addChannel({ baseUrl: 'http://127.0.0.1:1', name: 'plain' })
  const fast = await site.addChannel({ baseUrl: 'http://127.0.0.1:1', name: 'fast', userChannelId: premium })
  const prices = { input_price: '2.5', output_price: '10', cached_input_price: '1.25' }
  await site.api('POST', '/api/models', {
    model_name: 'gpt-x',
    ...prices,
    input_price_tiers: [{ min_tokens: 1000, price: '5', condition: 'full_input_tokens' }],
  })
  for (const channel of [plain, fast]) await site.sell(channel, 'gpt-x')
  await site.sell(fast, 'a-fast-one', { output_price: '3' })
  await site.api('POST', `/api/channels/${plain}/models`, { model_name: 'unpriced' })
  await site.api('POST', '/api/models', { model_name: 'free-one', free: true })
  await site.sell(plain, 'free-one')
  await site.api('POST', '/api/models', { model_name: 'nowhere', input_price: 1 })
})
afterAll(() => app.close())

const models = async (): Promise<PublicModelWire[]> => publicModelWire.array().parse(await (await app.fetch('/api/public/models')).json())
const pricing = async (query = ''): Promise<PricingWire['data']> =>
  pricingWire.parse(await (await app.fetch(`/api/pricing${query}`)).json()).data

test('models for sale are public by name; unpriced ones and those nobody serves are not', async () => {
  expect((await models()).map(({ model_name: name }) => name)).toEqual(['a-fast-one', 'free-one', 'gpt-x'])
})

test('a public model shows base and effective prices at each user channel', async () => {
  const model = (await models()).find(({ model_name: name }) => name === 'gpt-x')
  expect(model).toMatchObject({
    provider: 'openai',
    provider_name: 'OpenAI',
    provider_icon_url: '',
    is_meta_model: false,
    input_price: '2.5',
    output_price: '10',
    output_price_tiers: null,
    user_channels: [
      { name: 'default', multiplier: '1', effective_input_price: '2.5' },
      {
        id: premium,
        name: 'premium',
        description: 'fast',
        multiplier: '1.2',
        input_price: '2.5',
        effective_input_price: '3',
        effective_output_price: '12',
        effective_cached_input_price: '1.5',
        effective_input_price_tiers: [{ min_tokens: 1000, price: '6', condition: 'full_input_tokens' }],
        effective_output_price_tiers: null,
      },
    ],
  })
})

test('an answer follows each change', async () => {
  await site.api('PUT', `/api/user-channels/${premium}`, { enabled: false })
  expect((await models()).map(({ model_name: name }) => name)).toEqual(['free-one', 'gpt-x'])
  await site.api('PUT', `/api/user-channels/${premium}`, { enabled: true })
  expect((await models()).length).toBe(3)
})

test('pricing is there only when it is switched on', async () => {
  const refused = await app.fetch('/api/pricing')
  expect([refused.status, await refused.json()]).toMatchObject([404, { error: 'Not found' }])
  await site.api('PUT', '/api/settings', { pricing_endpoint_enabled: true })
  expect((await app.fetch('/api/pricing')).status).toBe(200)
})

test('pricing has USD per million tokens, and ratios as other gateways count them', async () => {
  const data = await pricing()
  expect(data.unit).toBe('per_1m_tokens')
  expect(data.input_price['gpt-x']).toBe('2.5')
  expect(data.model_ratio).toEqual({ 'gpt-x': '1.25', 'a-fast-one': '0', 'free-one': '0' })
  expect(data.completion_ratio).toEqual({ 'gpt-x': '4', 'a-fast-one': '3.6', 'free-one': '1' })
  expect([data.cached_input_price['gpt-x'], data.cache_read_input_price['gpt-x']]).toEqual(['1.25', '1.25'])
  expect([data.output_price['a-fast-one'], data.base_output_price['a-fast-one']]).toEqual(['3.6', '3'])
  expect(data.base_input_price_tiers['gpt-x']).toEqual([{ min_tokens: 1000, price: '5', condition: 'full_input_tokens' }])
  expect(data.user_channel_prices['premium']).toMatchObject({
    id: premium,
    multiplier: '1.2',
    input_price: { 'gpt-x': '3' },
    model_ratio: { 'gpt-x': '1.5' },
  })
})

test('pricing of one user channel has its prices only', async () => {
  expect((await pricing(`?user_channel_id=${premium}`)).input_price).toEqual({ 'gpt-x': '3', 'a-fast-one': '0' })
  expect(Object.keys((await pricing('?user_channel_id=0')).user_channel_prices)).toEqual(['premium', 'default'])
  expect((await pricing('?user_channel_id=')).input_price['gpt-x']).toBe('2.5')
  expect((await pricing('?user_channel_id=999')).input_price).toEqual({})
  const bad = await app.fetch('/api/pricing?user_channel_id=abc')
  expect([bad.status, await bad.json()]).toMatchObject([400, { error: 'Invalid user_channel_id' }])
})
