import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'bun:test'
import { serve, type Served } from '../served.ts'
import { startPlainUpstream } from '../upstream/plain.ts'

const upstream = startPlainUpstream()
let served: Served
const HELLO = [{ role: 'user' as const, content: 'hello world' }]

beforeAll(async () => {
  served = await serve()
  for (const type of ['openai', 'claude', 'responses', 'gemini']) {
    const channel = await served.site.addChannel({ baseUrl: upstream.url, type, name: type })
    await served.site.sell(channel, `on-${type}`, undefined, `up-${type}`)
  }
})
beforeEach(() => {
  upstream.received.length = 0
})
afterEach(async () => {
  await served.expectBooks()
  expect(await served.rows()).toEqual([])
})
afterAll(async () => {
  await served.close()
  await upstream.stop()
})

test('a channel of the same protocol is asked, under its own model name and with the beta headers', async () => {
  upstream.answer = () => Response.json({ input_tokens: 4711 })
  const counted = await served
    .anthropic()
    .messages.countTokens({ model: 'on-claude', messages: HELLO }, { headers: { 'anthropic-beta': 'x-1' } })
  expect(counted.input_tokens).toBe(4711)
  expect([
    upstream.last.path,
    upstream.last.json?.model,
    upstream.last.headers.get('x-api-key'),
    upstream.last.headers.get('anthropic-beta'),
  ]).toEqual(['/v1/messages/count_tokens', 'up-claude', 'upstream-secret', 'x-1'])
  upstream.answer = () => Response.json({ object: 'response.input_tokens', input_tokens: 99 })
  expect((await served.openai().responses.inputTokens.count({ model: 'on-responses', input: 'hello world' })).input_tokens).toBe(99)
  expect([upstream.last.path, upstream.last.json?.model]).toEqual(['/v1/responses/input_tokens', 'up-responses'])
  upstream.answer = () => Response.json({ totalTokens: 31 })
  expect((await served.google().models.countTokens({ model: 'on-gemini', contents: 'hello world' })).totalTokens).toBe(31)
  expect(upstream.last.path).toBe('/v1beta/models/up-gemini:countTokens')
  const inner = { generateContentRequest: { model: 'models/on-gemini', contents: [{ parts: [{ text: 'hello world' }] }] } }
  await served.post('/v1beta/models/on-gemini:countTokens', inner)
  expect(upstream.last.json).toMatchObject({ generateContentRequest: { model: 'models/up-gemini' } })
})

test('without such a channel it is counted here', async () => {
  expect((await served.anthropic().messages.countTokens({ model: 'on-openai', messages: HELLO })).input_tokens).toBeGreaterThanOrEqual(2)
  expect((await served.openai().responses.inputTokens.count({ model: 'on-openai', input: 'hello world' })).input_tokens).toBe(2)
  expect((await served.google().models.countTokens({ model: 'on-openai', contents: 'hello world' })).totalTokens).toBe(2)
  expect(upstream.received.length).toBe(0)
})

test('an upstream that cannot count is helped out, one that refuses the request is believed', async () => {
  upstream.answer = () => Response.json({ error: { message: 'no such address' } }, { status: 404 })
  expect((await served.openai().responses.inputTokens.count({ model: 'on-responses', input: 'hello world' })).input_tokens).toBe(2)
  upstream.answer = () =>
    Response.json({ type: 'error', error: { type: 'invalid_request_error', message: 'messages: too odd for up-claude' } }, { status: 400 })
  const refused = await served.post('/v1/messages/count_tokens', { model: 'on-claude', messages: HELLO })
  expect([refused.status, await refused.json()]).toMatchObject([
    400,
    { type: 'error', error: { message: 'messages: too odd for on-claude' } },
  ])
})

test("the key's rules hold: model, rate, and no body that cannot be read", async () => {
  const { secret } = await served.site.addKey({ allowedModels: ['on-claude'] })
  expect((await served.post('/v1/messages/count_tokens', { model: 'on-openai', messages: HELLO }, { key: secret })).status).toBe(403)
  expect((await served.post('/v1beta/models/on-gemini:countTokens', {})).status).toBe(400)
  expect((await served.post('/v1/messages/count_tokens', {}, { key: null })).status).toBe(401)
  await served.site.api('PUT', '/api/settings', { rate_limit_enabled: true, rate_limit_requests_per_minute: 1, rate_limit_burst: 0 })
  const { secret: limited } = await served.site.addKey()
  const statuses = [1, 2].map(
    async () => (await served.post('/v1/messages/count_tokens', { model: 'on-openai', messages: HELLO }, { key: limited })).status,
  )
  expect((await Promise.all(statuses)).sort((a, b) => a - b)).toEqual([200, 429])
  await served.site.api('PUT', '/api/settings', { rate_limit_enabled: false })
})
