import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'bun:test'
import OpenAI from 'openai'
import Anthropic from '@anthropic-ai/sdk'
import { serve, type Served } from '../served.ts'
import { Upstream } from '../upstream/server.ts'

const MODEL = 'shop-model'
const MESSAGES = [{ role: 'user' as const, content: 'hello' }]
const NONE = { rate_limit_rpm: null, rate_limit_tpm: null, rate_limit_concurrency: null }
const body = { model: MODEL, max_tokens: 100, messages: MESSAGES }

let served: Served
let channelIds: number[]
let groupId: number
const first = await Upstream.start()
const upstreams = [first, await Upstream.start()]

beforeAll(async () => {
  served = await serve()
  channelIds = []
  for (const [index, { url }] of upstreams.entries()) {
    const id = await served.site.addChannel({ baseUrl: `${url}/v1`, priority: 9 - index, name: `channel ${index}` })
    await served.site.sell(id, MODEL)
    channelIds.push(id)
  }
  const groups = await served.site.api<{ id: number; name: string }[]>('GET', '/api/groups')
  groupId = groups.find(({ name }) => name === 'user')?.id ?? 0
})
beforeEach(async () => {
  // Windows of the test before are over.
  served.clock.advance(61_000)
  for (const upstream of upstreams) upstream.always = { answer: { parts: [{ text: 'hi' }], tokens: { input: 10, output: 5 } } }
  await served.site.api('PUT', '/api/settings', {
    rate_limit_enabled: false,
    rate_limit_site_requests_per_minute: '0',
    rate_limit_site_concurrency: '0',
  })
  await served.site.api('PUT', `/api/users/${served.site.userId}`, NONE)
  await served.site.api('PUT', `/api/groups/${groupId}`, NONE)
  for (const id of channelIds) await served.site.api('PUT', `/api/channels/${id}`, NONE)
})
afterEach(() => served.expectBooks())
afterAll(async () => {
  await served.close()
  for (const upstream of upstreams) await upstream.stop()
})

async function statuses(times: number, key?: string): Promise<Record<number, number>> {
  const counts: Record<number, number> = {}
  await Promise.all(
    Array.from({ length: times }, async () => {
      const response = await served.post('/v1/chat/completions', body, key === undefined ? {} : { key })
      await response.text()
      counts[response.status] = (counts[response.status] ?? 0) + 1
    }),
  )
  return counts
}

test('the requests of a user are limited over all his keys; a group limits each member who has no limit of his own', async () => {
  const { secret } = await served.site.addKey()
  await served.site.api('PUT', `/api/users/${served.site.userId}`, { rate_limit_rpm: 6 })
  expect(await statuses(4)).toEqual({ 200: 4 })
  expect(await statuses(4, secret)).toEqual({ 200: 2, 429: 2 })
  served.clock.advance(61_000)
  await served.site.api('PUT', `/api/users/${served.site.userId}`, NONE)
  await served.site.api('PUT', `/api/groups/${groupId}`, { rate_limit_rpm: 3 })
  expect(await statuses(5, secret)).toEqual({ 200: 3, 429: 2 })
  await served.site.api('PUT', `/api/users/${served.site.userId}`, { rate_limit_rpm: 5 })
  expect(await statuses(5)).toEqual({ 200: 2, 429: 3 })
})

test('the site as a whole is limited, and does not say by how much', async () => {
  await served.site.api('PUT', '/api/settings', { rate_limit_site_requests_per_minute: '2' })
  expect(await statuses(2)).toEqual({ 200: 2 })
  const response = await served.post('/v1/chat/completions', body)
  expect(response.status).toBe(429)
  expect(response.headers.get('retry-after')).toBe('60')
  expect(response.headers.get('x-ratelimit-limit-requests')).toBeNull()
  expect(await response.text()).not.toContain('(2 ')
})

test('calls at once of a key: the rest is refused, and there is room again when they end', async () => {
  const { id, secret } = await served.site.addKey()
  const keys = await served.site.api<{ allowed_user_channels: number[]; id: number }[]>('GET', '/api/user/api-keys')
  const mine = keys.find((key) => key.id === id)
  await served.site.api('PUT', `/api/user/api-keys/${id}`, {
    allowed_user_channels: mine?.allowed_user_channels,
    rate_limit_concurrency: 3,
  })
  first.always = { delayMs: 150 }
  expect(await statuses(10, secret)).toEqual({ 200: 3, 429: 7 })
  expect(await statuses(10, secret)).toEqual({ 200: 3, 429: 7 })
})

test('tokens a minute: the estimate is taken when a call is admitted, what it used when it is over', async () => {
  await served.site.api('PUT', `/api/users/${served.site.userId}`, { rate_limit_tpm: 400 })
  // Each asks for some 100 tokens and uses 15.
  for (let call = 0; call < 12; call += 1) expect((await statuses(1))[200]).toBe(1)
  const response = await served.post('/v1/chat/completions', body)
  await response.text()
  expect(response.headers.get('x-ratelimit-limit-tokens')).toBe('400')
  expect(Number(response.headers.get('x-ratelimit-remaining-tokens'))).toBeLessThan(400 - 12 * 15 - 100 + 1)
  expect((await statuses(10))[429]).toBeGreaterThan(0)
})

test('each protocol is told in its own words and headers, also when all is well', async () => {
  await served.site.api('PUT', '/api/settings', { rate_limit_enabled: true, rate_limit_requests_per_minute: '3', rate_limit_burst: '0' })
  const { secret } = await served.site.addKey()
  const { response } = await served.openai(secret).chat.completions.create(body).withResponse()
  expect(response.headers.get('x-ratelimit-limit-requests')).toBe('3')
  expect(response.headers.get('x-ratelimit-remaining-requests')).toBe('2')
  expect(response.headers.get('x-ratelimit-reset-requests')).toBe('60s')
  const claude = await served.anthropic(secret).messages.create(body).withResponse()
  expect(claude.response.headers.get('anthropic-ratelimit-requests-limit')).toBe('3')
  expect(claude.response.headers.get('anthropic-ratelimit-requests-remaining')).toBe('1')
  expect(Date.parse(claude.response.headers.get('anthropic-ratelimit-requests-reset') ?? '')).toBe(served.clock.now() + 60_000)
  await (await served.post('/v1/responses', { model: MODEL, input: 'hello', stream: true }, { key: secret })).text()
  expect(served.lastHeaders().get('x-ratelimit-remaining-requests')).toBe('0')

  const refused = await served
    .openai(secret)
    .chat.completions.create(body)
    .catch((error: unknown) => error)
  expect(refused).toBeInstanceOf(OpenAI.RateLimitError)
  expect((refused as { code: unknown }).code).toBe('rate_limit_exceeded')
  expect(served.lastHeaders().get('retry-after')).toBe('60')
  expect(served.lastHeaders().get('x-ratelimit-remaining-requests')).toBe('0')
  const claudes = await served
    .anthropic(secret)
    .messages.create(body)
    .catch((error: unknown) => error)
  expect(claudes).toBeInstanceOf(Anthropic.RateLimitError)
  expect((claudes as { error: unknown }).error).toMatchObject({ type: 'error', error: { type: 'rate_limit_error' } })
  expect(served.lastHeaders().get('anthropic-ratelimit-requests-remaining')).toBe('0')
  const gemini = await served.post(`/v1beta/models/${MODEL}:generateContent`, { contents: [] }, { key: secret })
  expect(gemini.status).toBe(429)
  expect(await gemini.json()).toMatchObject({ error: { code: 429, status: 'RESOURCE_EXHAUSTED' } })
})

test('a body that cannot be read counts as a request; one that is refused for its balance gives its place back', async () => {
  await served.site.api('PUT', `/api/users/${served.site.userId}`, { rate_limit_rpm: 4, rate_limit_concurrency: 1 })
  expect((await served.post('/v1/chat/completions', '{')).status).toBe(400)
  await served.site.setBalance('0')
  expect((await served.post('/v1/chat/completions', body)).status).toBe(402)
  await served.site.setBalance('1000')
  expect(await statuses(1)).toEqual({ 200: 1 })
  expect(await statuses(1)).toEqual({ 200: 1 })
  expect(await statuses(1)).toEqual({ 429: 1 })
})

test('a channel over its limit is left out for the next, and the receipt says why', async () => {
  const before = upstreams.map((upstream) => upstream.received.length)
  await served.site.api('PUT', `/api/channels/${channelIds[0]}`, { rate_limit_rpm: 2 })
  expect(await statuses(2)).toEqual({ 200: 2 })
  expect(await statuses(3)).toEqual({ 200: 3 })
  expect(upstreams.map((upstream) => upstream.received.length)).toEqual([(before[0] ?? 0) + 2, (before[1] ?? 0) + 3])
  const response = await served.post('/v1/chat/completions', body)
  await response.text()
  const row = await served.row(response.headers.get('x-tollgate-request-id') ?? '')
  expect(JSON.stringify(row)).toContain('its own limit is reached')
  await served.site.api('PUT', `/api/channels/${channelIds[1]}`, { rate_limit_rpm: 1 })
  expect(await statuses(1)).toEqual({ 200: 1 })
  const nowhere = await served.post('/v1/chat/completions', body)
  expect(nowhere.status).toBe(503)
  expect(Number(nowhere.headers.get('retry-after'))).toBeGreaterThan(0)
})

test('a channel that serves as many as it may makes the others wait a moment, not fail', async () => {
  await served.site.api('PUT', `/api/channels/${channelIds[1]}`, { enabled: false })
  await served.site.api('PUT', `/api/channels/${channelIds[0]}`, { rate_limit_concurrency: 2 })
  first.always = { delayMs: 60 }
  let most = 0
  const before = first.received.length
  const watching = setInterval(() => {
    most = Math.max(most, first.received.slice(before).filter(({ finished }) => !finished).length)
  }, 3)
  expect(await statuses(8)).toEqual({ 200: 8 })
  clearInterval(watching)
  expect(most).toBe(2)
  await served.site.api('PUT', `/api/channels/${channelIds[1]}`, { enabled: true })
})

test('limits are checked on write', async () => {
  const put = (rate_limit_rpm: unknown): Promise<unknown> =>
    served.site.api('PUT', `/api/groups/${groupId}`, { rate_limit_rpm }).then(
      () => 'stored',
      (error: Error) => error.message,
    )
  expect(await put(0)).toContain('400')
  expect(await put(-1)).toContain('400')
  expect(await put(1.5)).toContain('400')
  expect(await put(10)).toBe('stored')
  const groups = await served.site.api<Record<string, unknown>[]>('GET', '/api/groups')
  expect(groups.find(({ id }) => id === groupId)).toMatchObject({ rate_limit_rpm: 10, rate_limit_tpm: null, rate_limit_concurrency: null })
})
