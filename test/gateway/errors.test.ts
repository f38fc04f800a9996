import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'bun:test'
import { type OpenAI, APIError, AuthenticationError, BadRequestError, NotFoundError, PermissionDeniedError, RateLimitError } from 'openai'
import { MAX_BODY_BYTES } from '../../server/http/body.ts'
import { serve, type Served } from '../served.ts'
import { Upstream } from '../upstream/server.ts'

const MODEL = 'shop-model'
const messages: OpenAI.ChatCompletionMessageParam[] = [{ role: 'user', content: 'Hello.' }]

let served: Served
let channel = 0
const upstream = await Upstream.start()

beforeAll(async () => {
  served = await serve()
  channel = await served.site.addChannel({ baseUrl: `${upstream.url}/v1`, key: 'upstream-secret-key' })
  await served.site.sell(channel, MODEL, undefined, 'upstream-model')
})
beforeEach(async () => {
  upstream.reset()
  await heal()
})
afterEach(() => served.expectBooks())
afterAll(async () => {
  await served.close()
  await upstream.stop()
})

/** What one case did to the channel is no concern of the next. */
const heal = () => served.site.api('POST', `/api/channels/${channel}/health/reset`)

/** The error the SDK makes of a call, streamed and not; both must be the same kind. */
async function failureOf(body: Partial<OpenAI.ChatCompletionCreateParams> = {}, key?: string): Promise<APIError> {
  const failures: APIError[] = []
  for (const stream of [false, true]) {
    const call = served
      .openai(key)
      .chat.completions.create({ model: MODEL, messages, ...body, stream } as OpenAI.ChatCompletionCreateParams)
    const failure = await call.then(
      () => undefined,
      (error: unknown) => error,
    )
    if (!(failure instanceof APIError)) throw new Error(`not refused: ${String(failure)}`)
    expect(failure.headers?.get('x-tollgate-request-id')).toStartWith('req_')
    failures.push(failure)
  }
  const [whole, streamed] = failures as [APIError, APIError]
  expect([streamed.status, streamed.code]).toEqual([whole.status, whole.code])
  expect(whole.message.length).toBeGreaterThan(10)
  return whole
}

test("400: a body that is no JSON, no object, without a model, or wrong inside, in OpenAI's words", async () => {
  for (const body of ['{', '[]', '"text"', '{"messages":[]}', '{"model":7,"messages":[]}', '{"model":"","messages":[]}']) {
    const response = await served.post('/v1/chat/completions', body)
    expect(response.status, body).toBe(400)
    const answer = (await response.json()) as { error: { message: string; type: string } }
    expect(answer.error.type).toBe('invalid_request_error')
    expect(answer.error.message).not.toBe('')
  }
  expect(upstream.received).toHaveLength(0)
})

test("400 of the upstream is the customer's 400 with its words, without our key and its model name", async () => {
  upstream.always = { error: { status: 400, message: 'upstream-model says: temperature is wrong (key upstream-secret-key)' } }
  const failure = await failureOf()
  expect(failure).toBeInstanceOf(BadRequestError)
  expect(failure.message).toContain('temperature is wrong')
  expect(failure.message).toContain(MODEL)
  expect(failure.message).not.toContain('upstream-model')
  expect(failure.message).not.toContain('upstream-secret-key')
})

test('401: no key, a key nobody made, a key that was deleted', async () => {
  expect((await served.post('/v1/chat/completions', { model: MODEL, messages }, { key: null })).status).toBe(401)
  expect(await failureOf({}, 'sk-nobody-made-this')).toBeInstanceOf(AuthenticationError)
  const { id, secret } = await served.site.addKey()
  await served.openai(secret).chat.completions.create({ model: MODEL, messages })
  await served.site.api('DELETE', `/api/user/api-keys/${id}`)
  expect(await failureOf({}, secret)).toBeInstanceOf(AuthenticationError)
})

test('402: an empty balance and an exhausted key, before the upstream is asked', async () => {
  const { secret } = await served.site.addKey({ quotaLimit: '0.0000001' })
  const quota = await failureOf({}, secret)
  expect([quota.status, quota.code]).toEqual([402, 'key_quota_exceeded'])
  await served.site.setBalance('0')
  const empty = await failureOf()
  expect([empty.status, empty.code]).toEqual([402, 'insufficient_balance'])
  await served.site.setBalance('1000')
  expect(upstream.received).toHaveLength(0)
})

test('403: a model the key may not use', async () => {
  const { secret } = await served.site.addKey({ allowedModels: ['another-*'] })
  expect(await failureOf({}, secret)).toBeInstanceOf(PermissionDeniedError)
})

test('404: a model nobody sells, with the code that clients know', async () => {
  const failure = await failureOf({ model: 'no-such-model' })
  expect(failure).toBeInstanceOf(NotFoundError)
  expect([failure.code, failure.param]).toEqual(['model_not_found', 'model'])
})

test('404: an address that is none', async () => {
  for (const path of ['/v1/nothing', '/v1/chat/completions/more', '/v1beta/nothing']) {
    const response = await served.post(path, {})
    expect(response.status).toBe(404)
    expect(await response.json()).toMatchObject({ error: 'Not found' })
  }
})

test('413: a body over 32 MiB', async () => {
  const response = await served.post(
    '/v1/chat/completions',
    `{"model":"${MODEL}","messages":[{"role":"user","content":"${'x'.repeat(MAX_BODY_BYTES)}"}]}`,
  )
  expect(response.status).toBe(413)
  expect(((await response.json()) as { error: { message: string } }).error.message).toContain('32 MiB')
})

test('429 with Retry-After when the key asks too often; another key is not affected', async () => {
  const { secret } = await served.site.addKey()
  await served.site.api('PUT', '/api/settings', { rate_limit_enabled: true, rate_limit_requests_per_minute: 2, rate_limit_burst: 1 })
  try {
    const codes: number[] = []
    for (let index = 0; index < 5; index += 1) {
      const response = await served.post('/v1/chat/completions', { model: MODEL, messages }, { key: secret })
      codes.push(response.status)
      if (response.status === 429) expect(Number(response.headers.get('retry-after'))).toBeGreaterThan(0)
      await response.text()
    }
    expect(codes).toEqual([200, 200, 200, 429, 429])
    const failure = await failureOf({}, secret)
    expect(failure).toBeInstanceOf(RateLimitError)
    await served.openai().chat.completions.create({ model: MODEL, messages })
  } finally {
    await served.site.api('PUT', '/api/settings', { rate_limit_enabled: false })
  }
})

test("an upstream that refuses our key, our credit or us is the shop's trouble: 502 or 503, never the customer's 401, 402 or 403", async () => {
  for (const status of [401, 402, 403]) {
    upstream.always = { error: { status, message: 'Incorrect API key provided: upstream-secret-key' } }
    const failure = await failureOf()
    expect([502, 503]).toContain(failure.status ?? 0)
    expect(failure.message).not.toContain('API key')
  }
})

test('429 and 503 of the upstream are 503 with its Retry-After; 500 and 404 are 502', async () => {
  for (const [status, shown] of [
    [429, 503],
    [503, 503],
    [500, 502],
    [404, 502],
  ] as const) {
    await heal()
    upstream.always = { error: { status, message: 'no', headers: { 'retry-after': '7' } } }
    const failure = await failureOf()
    expect(failure.status).toBe(shown)
    if (shown === 503) expect(failure.headers?.get('retry-after')).toBe('7')
  }
})

test('a refused call has a row of cost 0 with the real cause for the admin only', async () => {
  upstream.always = { error: { status: 401, message: 'Incorrect API key provided' } }
  const failure = await failureOf()
  const row = await served.row(failure.headers?.get('x-tollgate-request-id') ?? '')
  expect(row).toMatchObject({ cost: '0', end_reason: 'upstream_error_before_content', usage_source: 'none', lines: [] })
  expect(row.attempts).toMatchObject([{ status: 401, outcome: 'failed' }])
  expect(row.attempts[0]?.error).toContain('Incorrect API key')
  const own = await served.site.api<{ attempts: object[] }>('GET', `/api/user/logs/${row.request_id}`)
  expect(JSON.stringify(own)).not.toContain('Incorrect API key')
})

test('503 when a sold model has no channel that may serve it now', async () => {
  await served.site.api('PUT', `/api/channels/${channel}`, { enabled: false })
  try {
    const failure = await failureOf()
    expect([failure.status, failure.code]).toEqual([503, 'no_channel'])
  } finally {
    await served.site.api('PUT', `/api/channels/${channel}`, { enabled: true })
  }
})
