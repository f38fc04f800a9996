import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'bun:test'
import type { PublicModelWire } from '../../contract/api/catalog.ts'
import { until } from '../served.ts'
import { amount, cost, says, startMetaBench, type MetaBench } from './bench.ts'

let bench: MetaBench
beforeAll(async () => {
  bench = await startMetaBench()
})
beforeEach(() => {
  bench.provider.reset()
  bench.provider.models.clear()
  for (const model of ['small', 'alpha', 'beta', 'large'] as const) bench.script(model, says(`${model} speaks`))
})
afterEach(() => bench.served.expectBooks())
afterAll(() => bench.close())

const HELLO = [{ role: 'user', content: 'Hello' }]
const chat = async (model: string, body: object = {}, key?: string) => {
  const response = await bench.served.post(
    '/v1/chat/completions',
    { model, messages: HELLO, max_tokens: 50, ...body },
    key === undefined ? {} : { key },
  )
  return { status: response.status, body: (await response.json()) as { error?: { message: string }; choices?: unknown } }
}
const WHEN = (condition: string): string => `route { when ${condition} => call "alpha" otherwise => call "beta" }`

test('facts of the request, the caller and his key decide', async () => {
  await bench.served.site.api('POST', '/api/groups', { name: 'vip' })
  const cases: [string, object, boolean][] = [
    ['request.input_tokens > 1000', {}, false],
    ['request.input_tokens > 1000', { messages: [{ role: 'user', content: 'word '.repeat(3000) }] }, true],
    ['request.max_output_tokens == 50', {}, true],
    ['request.message_count == 2', { messages: [{ role: 'system', content: 'x' }, ...HELLO] }, true],
    [
      'request.has_image == true',
      { messages: [{ role: 'user', content: [{ type: 'image_url', image_url: { url: 'https://x.test/a.png' } }] }] },
      true,
    ],
    ['request.has_image == true', {}, false],
    [
      'request.has_audio == true',
      { messages: [{ role: 'user', content: [{ type: 'input_audio', input_audio: { data: 'AAAA', format: 'wav' } }] }] },
      true,
    ],
    ['request.has_tools == true', { tools: [{ type: 'function', function: { name: 'f', parameters: { type: 'object' } } }] }, true],
    ['request.tool_count == 0', {}, true],
    ['request.stream == false', {}, true],
    ['request.temperature < 0.5', { temperature: 0.2 }, true],
    ['request.temperature < 0.5', {}, false],
    ['request.protocol == "openai-chat" and request.endpoint == "chat.completions"', {}, true],
    ['request.text contains "Hello"', {}, true],
    ['request.last_user_message == "Hello"', {}, true],
    ['request.system starts_with "Be"', { messages: [{ role: 'system', content: 'Be kind' }, ...HELLO] }, true],
    ['user.balance > 900 and user.balance <= 1000', {}, true],
    ['user.id == 1 and user.is_admin == true', {}, true],
    ['user.group == "user" and user.groups contains "user"', {}, true],
    ['api_key.quota_remaining < 1 or api_key.quota_limit > 0', {}, false],
    ['api_key.unlimited == true', {}, true],
    ['api_key.name matches "^[A-Za-z]"', {}, true],
    ['channel.name == ""', {}, true],
    ['time.hour >= 0 and time.minute_of_day < 1440 and time.weekday >= 1 and time.weekday <= 7', {}, true],
  ]
  const { body } = await bench.served.test.api<{ meta_model: { id: number } }>(
    'POST',
    '/api/meta-models',
    { name: 'asks', dsl: 'call "beta"' },
    bench.served.site.token,
  )
  for (const [condition, more, expected] of cases) {
    await bench.served.site.api('PUT', `/api/meta-models/${body.meta_model.id}`, { name: 'asks', dsl: WHEN(condition) })
    expect([condition, (await chat('asks', more)).status]).toEqual([condition, 200])
    expect([condition, bench.asked().at(-1)]).toEqual([condition, expected ? 'alpha' : 'beta'])
  }
})

test('media and limits are seen in every protocol', async () => {
  await bench.meta('looks', WHEN('request.has_image == true and request.max_output_tokens == 77'))
  const { served } = bench
  const data = 'iVBORw0KGgo='
  await served.post('/v1/messages', {
    model: 'looks',
    max_tokens: 77,
    messages: [{ role: 'user', content: [{ type: 'image', source: { type: 'base64', media_type: 'image/png', data } }] }],
  })
  await served.post('/v1beta/models/looks:generateContent', {
    contents: [{ role: 'user', parts: [{ inlineData: { mimeType: 'image/png', data } }] }],
    generationConfig: { maxOutputTokens: 77 },
  })
  await served.post('/v1/responses', {
    model: 'looks',
    max_output_tokens: 77,
    store: false,
    input: [{ role: 'user', content: [{ type: 'input_image', image_url: `data:image/png;base64,${data}` }] }],
  })
  expect(bench.asked()).toEqual(['alpha', 'alpha', 'alpha'])
})

test("a key's models are checked by the meta model's name, its targets are not", async () => {
  await bench.meta('by-name', 'call "alpha"')
  const { secret: only } = await bench.served.site.addKey({ allowedModels: ['by-name'] })
  const { secret: other } = await bench.served.site.addKey({ allowedModels: ['alpha'] })
  expect((await chat('by-name', {}, only)).status).toBe(200)
  expect((await chat('alpha', {}, only)).status).toBe(403)
  expect(await chat('by-name', {}, other)).toMatchObject({
    status: 403,
    body: { error: { message: 'API key is not allowed to use this meta model' } },
  })
})

test('a meta model is listed for keys that reach one of its models, and only for them', async () => {
  const { served } = bench
  const { id } = await served.site.api<{ id: number }>('POST', '/api/user-channels', { name: 'apart' })
  const channel = await served.site.addChannel({ baseUrl: bench.provider.url, name: 'apart', userChannelId: id })
  await served.site.sell(channel, 'lonely')
  await bench.meta('far', 'route { when user.id == 1 => call "lonely" otherwise => call "lonely" }')
  await bench.meta('hidden', 'call "alpha"', { enabled: false })
  const { secret } = await served.site.addKey({ userChannels: [id] })
  const names = async (key: string): Promise<string[]> => {
    const response = await fetch(`${served.url}/v1/models`, { headers: { authorization: `Bearer ${key}` } })
    return ((await response.json()) as { data: { id: string }[] }).data.map((model) => model.id)
  }
  expect(await names(secret)).toEqual(['far', 'lonely'])
  const all = await names(served.key)
  expect([all.includes('far'), all.includes('hidden'), all.includes('by-name')]).toEqual([false, false, true])
  expect(await chat('far')).toMatchObject({ status: 503, body: { error: { message: 'Meta model did not resolve to a model' } } })
  expect((await chat('hidden')).status).toBe(404)
  expect((await bench.served.post('/v1/embeddings', { model: 'by-name', input: 'x' })).status).toBe(400)
})

test('the public catalogue shows meta models with the lowest prices, or their own with tiers', async () => {
  await bench.meta('cheapest', 'fallback { call "alpha" call "beta" }', { description: 'two of them' })
  await bench.meta('priced', 'call "beta"', {
    billing_mode: 'meta',
    input_price: '7',
    input_price_tiers: [{ min_tokens: 5, price: '9' }],
    expose_referenced_models: false,
  })
  const models = await bench.served.site.api<PublicModelWire[]>('GET', '/api/public/models')
  const find = (name: string) => models.find((model) => model.model_name === name)
  expect(find('cheapest')).toMatchObject({
    is_meta_model: true,
    meta_billing_mode: 'actual',
    description: 'two of them',
    provider: 'meta',
    provider_name: 'Meta Module',
    input_price: '3',
    output_price: '6',
    user_channels: [{ name: 'default', effective_input_price: '3' }],
    referenced_models: [{ model_name: 'alpha' }, { model_name: 'beta' }],
  })
  expect(find('priced')).toMatchObject({ meta_billing_mode: 'meta', input_price: '7', input_price_tiers: [{ min_tokens: 5, price: '9' }] })
  expect(find('priced')).not.toHaveProperty('referenced_models')
  expect(models.map((model) => model.model_name)).toEqual(models.map((model) => model.model_name).toSorted())
})

test('a judgement is remembered for the conversation, and forgotten with the program', async () => {
  bench.script('small', says('alpha'))
  const dsl = 'judge "small" { route { when judge.output == "alpha" => call "alpha" otherwise => call "beta" } }'
  const { body } = await bench.served.test.api<{ meta_model: { id: number } }>(
    'POST',
    '/api/meta-models',
    { name: 'remembers', dsl },
    bench.served.site.token,
  )
  await chat('remembers')
  await chat('remembers', { messages: [...HELLO, { role: 'assistant', content: 'Hi' }, { role: 'user', content: 'More' }] })
  expect(bench.asked()).toEqual(['small', 'alpha', 'alpha'])
  expect(bench.provider.received[0]?.text).toContain('Answer with exactly one of these and nothing else: alpha')
  await chat('remembers', { messages: [{ role: 'user', content: 'Another talk' }] })
  await bench.served.site.api('PUT', `/api/meta-models/${body.meta_model.id}`, { name: 'remembers', dsl: `${dsl} # changed` })
  await chat('remembers')
  expect(bench.asked().slice(3)).toEqual(['small', 'alpha', 'small', 'alpha'])
})

test('own prices count for every meter of every part: cache writes are not free', async () => {
  bench.script('alpha', { answer: { parts: [{ text: 'x' }], tokens: { input: 10, output: 5, cachedInput: 20, cacheWrite: 30 } } })
  await bench.meta('all-meters', 'call "alpha"', {
    billing_mode: 'meta',
    input_price: '1',
    output_price: '2',
    cached_input_price: '3',
    cache_write_input_price: '4',
  })
  await bench.meta('no-write-price', 'call "alpha"', { billing_mode: 'meta', input_price: '1' })
  await bench.meta('unpriced', 'call "alpha"', { billing_mode: 'meta' })
  const price = async (model: string): Promise<string> => {
    await chat(model)
    return (await bench.served.row(bench.served.lastHeaders().get('x-tollgate-request-id') ?? '')).cost
  }
  expect(await price('all-meters')).toBe('0.0002')
  expect(await price('no-write-price')).toBe('0.00006')
  expect((await chat('unpriced')).status).toBe(503)
})

test('a candidate that is late is left out, read to its end and charged', async () => {
  bench.script('alpha', { ...says('alpha speaks'), delayMs: 300 })
  await bench.meta('hurried', 'option timeout_ms = 100 parallel { call "alpha" call "beta" } synthesize "large"')
  const before = await bench.served.balance()
  expect((await chat('hurried')).status).toBe(200)
  const id = bench.served.lastHeaders().get('x-tollgate-request-id') ?? ''
  expect(bench.provider.last.text).not.toContain('alpha speaks')
  await bench.served.expectBooks()
  const row = await bench.served.row(id)
  expect(row.parts.map(({ model_name: name, cost: charged }) => [name, amount(charged)])).toEqual([
    ['beta', cost('beta', 10, 5)],
    ['alpha', cost('alpha', 10, 5)],
  ])
  expect(before - (await bench.served.balance())).toBe(amount(row.total))
})

test('one hold covers all parts: a balance below it is refused before anyone is asked', async () => {
  await bench.meta('dear', 'parallel { call "alpha" call "beta" } synthesize "large"')
  await bench.served.site.setBalance('0.0055')
  expect((await chat('dear', { max_tokens: 100 })).status).toBe(402)
  expect(bench.asked()).toEqual([])
  await bench.served.site.setBalance('0.02')
  expect((await chat('dear', { max_tokens: 100 })).status).toBe(200)
  const row = await bench.served.row(bench.served.lastHeaders().get('x-tollgate-request-id') ?? '')
  expect(amount(row.total)).toBe(cost('alpha', 10, 5) + cost('beta', 10, 5) + cost('large', 10, 5))
  await bench.served.site.setBalance('1000')
})

test("a key's quota counts every part", async () => {
  await bench.meta('counted', 'parallel { call "alpha" call "beta" } synthesize "large"')
  const { id, secret } = await bench.served.site.addKey({ quotaLimit: '1' })
  expect((await chat('counted', {}, secret)).status).toBe(200)
  await bench.served.expectBooks()
  const keys = await bench.served.site.api<{ id: number; quota_remaining: string; usage: { request_count: number } }[]>(
    'GET',
    '/api/user/api-keys',
  )
  const key = keys.find((one) => one.id === id)
  expect(amount('1') - amount(key?.quota_remaining ?? '')).toBe(cost('alpha', 10, 5) + cost('beta', 10, 5) + cost('large', 10, 5))
  expect(key?.usage.request_count).toBe(3)
})

test('a call and all its parts are one of the calls a key may have at once', async () => {
  bench.script('alpha', { ...says('alpha speaks'), delayMs: 50 })
  await bench.meta('at-once', 'judge "small" { route { otherwise => call "alpha" } }')
  const { secret } = await bench.served.site.addKey()
  const keys = await bench.served.site.api<{ id: number }[]>('GET', '/api/user/api-keys')
  const all = await bench.served.site.api<{ id: number }[]>('GET', '/api/user-channels')
  await bench.served.site.api('PUT', `/api/user/api-keys/${keys[0]?.id}`, {
    allowed_user_channels: [all[0]?.id],
    rate_limit_concurrency: 1,
  })
  const first = chat('at-once', {}, secret)
  expect(await until(() => bench.asked().length === 2)).toBe(true)
  expect((await chat('at-once', {}, secret)).status).toBe(429)
  expect((await first).status).toBe(200)
  expect((await chat('at-once', {}, secret)).status).toBe(200)
})

test('a customer who leaves while drafts are made: they are settled, the synthesizer is not asked', async () => {
  bench.script('alpha', { ...says('alpha speaks'), delayMs: 150 })
  await bench.meta('left', 'parallel { call "alpha" } synthesize "large"')
  const abort = new AbortController()
  const call = bench.served
    .post('/v1/chat/completions', { model: 'left', messages: HELLO, stream: true }, { signal: abort.signal })
    .catch(() => undefined)
  expect(await until(() => bench.asked().length === 1)).toBe(true)
  abort.abort()
  await call
  await bench.served.expectBooks()
  expect(bench.asked()).toEqual(['alpha'])
  const [row] = await bench.served.rows()
  const receipt = await bench.served.row(row?.request_id ?? '')
  expect([receipt.end_reason, receipt.cost, receipt.meta_model]).toEqual(['client_gone', '0', 'left'])
  expect(amount(receipt.total)).toBe(cost('alpha', 10, 5))
})

test('a model that was deleted leaves the other branches working', async () => {
  const { site } = bench.served
  const channel = await site.addChannel({ baseUrl: bench.provider.url, name: 'gone' })
  await site.sell(channel, 'going')
  await bench.meta('partly', 'fallback { call "going" call "alpha" }')
  const models = await site.api<{ id: number; model_name: string }[]>('GET', '/api/models')
  await site.api('DELETE', `/api/models/${models.find((model) => model.model_name === 'going')?.id}`)
  expect((await chat('partly')).status).toBe(200)
  expect(bench.asked()).toEqual(['alpha'])
})
