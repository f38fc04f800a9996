import { afterAll, beforeAll, expect, test } from 'bun:test'
import { serve, type Served } from '../served.ts'
import { startRawUpstream, type RawUpstream } from '../upstream/raw.ts'
import { Upstream } from '../upstream/server.ts'

/** S16: of a client's headers only what is listed reaches an upstream, of an upstream's only what is listed reaches a client. */
let served: Served
let upstream: Upstream
let raw: RawUpstream

const CALLS: [string, string, Record<string, unknown>][] = [
  ['/v1/chat/completions', 'chat', { messages: [{ role: 'user', content: 'Hi' }] }],
  ['/v1/responses', 'responses', { input: 'Hi' }],
  ['/v1/messages', 'claude', { messages: [{ role: 'user', content: 'Hi' }], max_tokens: 10 }],
  ['/v1beta/models/MODEL:generateContent', 'gemini', { contents: [{ role: 'user', parts: [{ text: 'Hi' }] }] }],
]
const MAKERS = { chat: 'openai', responses: 'openai_responses', claude: 'anthropic', gemini: 'gemini' } as const

beforeAll(async () => {
  upstream = await Upstream.start()
  raw = startRawUpstream()
  served = await serve()
  for (const [wire, type] of Object.entries(MAKERS)) {
    const version = type === 'openai' || type === 'openai_responses' ? '/v1' : ''
    await served.site.sell(await served.site.addChannel({ baseUrl: upstream.url + version, type, name: wire }), `to-${wire}`)
    await served.site.sell(await served.site.addChannel({ baseUrl: raw.url + version, type, name: `raw ${wire}` }), `raw-${wire}`)
  }
})
afterAll(async () => {
  await served.close()
  await upstream.stop()
  raw.stop()
})

const CANARY = 'canary-of-the-client'
/** Headers that name, route, unlock or steer something; none of them is an upstream's business. */
const FOREIGN = [
  'cookie',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-proto',
  'x-real-ip',
  'forwarded',
  'via',
  'true-client-ip',
  'cf-connecting-ip',
  'proxy-authorization',
  'www-authenticate',
  'x-api-token',
  'x-goog-user-project',
  'x-goog-api-client',
  'openai-organization',
  'openai-project',
  'referer',
  'origin',
  'x-request-id',
  'x-stainless-lang',
  'x-tollgate-cost',
  'x-http-method-override',
  'x-original-url',
  'x-rewrite-url',
  'if-none-match',
  'range',
  'te',
  'trailer',
  'accept-language',
  'x_forwarded_for',
  'x-amz-security-token',
  'authorization_',
  'traceparent',
  'baggage',
]
/** What an upstream sees: its own credential, the body's type, beta switches of its own maker, and what the HTTP client adds. */
const TO_UPSTREAM = new Set([
  'host',
  'connection',
  'accept',
  'accept-encoding',
  'user-agent',
  'content-type',
  'content-length',
  'authorization',
  'x-api-key',
  'x-goog-api-key',
  'anthropic-version',
  'anthropic-beta',
  'openai-beta',
])

for (const [path, from, body] of CALLS)
  for (const to of Object.keys(MAKERS))
    test(`a client's headers end here: ${from} to ${to}`, async () => {
      for (const stream of from === 'gemini' ? [false] : [false, true]) {
        const answer = await served.post(
          path.replace('MODEL', `to-${to}`),
          { ...body, model: `to-${to}`, stream },
          { headers: Object.fromEntries(FOREIGN.map((name) => [name, CANARY])) },
        )
        expect([answer.status, (await answer.text()).includes(CANARY)]).toEqual([200, false])
        const { headers, text, path: asked } = upstream.last
        expect([...headers.keys()].filter((name) => !TO_UPSTREAM.has(name))).toEqual([])
        const all = `${asked} ${JSON.stringify([...headers])} ${text}`
        expect([all.includes(CANARY), all.includes(served.key)]).toEqual([false, false])
      }
    })

const SECRET = 'canary-of-the-upstream'
const EVIL = [
  'set-cookie: a',
  'server: a',
  'x-powered-by: a',
  'location: http://',
  'refresh: 0;url=',
  'link: <x>',
  'content-security-policy: a',
  'x-request-id: a',
  'openai-organization: a',
  'openai-processing-ms: 1',
  'x-ratelimit-remaining-requests: 1',
  'anthropic-organization-id: a',
  'access-control-allow-origin: a',
  'access-control-allow-credentials: true',
  'strict-transport-security: a',
  'clear-site-data: a',
  'alt-svc: a',
  'via: a',
  'x-tollgate-cost: a',
  'www-authenticate: a',
  'authorization: a',
  'x-api-key: a',
  'x-accel-redirect: a',
  'x-sendfile: a',
  'service-worker-allowed: a',
  'nel: a',
  'report-to: a',
]
/** What a client sees. */
const TO_CLIENT = new Set([
  'content-type',
  'content-length',
  'transfer-encoding',
  'date',
  'connection',
  'cache-control',
  'x-accel-buffering',
  'retry-after',
  'x-tollgate-request-id',
  'x-tollgate-cost',
  'x-tollgate-dropped',
  'x-content-type-options',
  'x-frame-options',
  'referrer-policy',
  'content-security-policy',
])
const STREAMS: Record<string, string> = {
  chat: 'data: {"id":"1","choices":[{"index":0,"delta":{"content":"Hi"},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n',
  claude:
    'event: message_start\ndata: {"type":"message_start","message":{"id":"m","type":"message","role":"assistant","content":[],"usage":{"input_tokens":1}}}\n\n',
}

for (const [path, wire, body] of CALLS)
  test(`an upstream's headers end here: ${wire}, whole, refused and streamed`, async () => {
    const head = (status: string, type: string): string =>
      `HTTP/1.1 ${status}\r\n${EVIL.map((line) => `${line}${SECRET}\r\n`).join('')}content-type: ${type}\r\n`
    const answers = [
      [
        '200 OK',
        'application/json',
        '{"choices":[{"index":0,"message":{"role":"assistant","content":"Hi"},"finish_reason":"stop"}],"content":[{"type":"text","text":"Hi"}]}',
      ],
      ['302 Found', 'text/html', 'moved'],
      ['200 OK', 'text/event-stream', STREAMS[wire] ?? 'data: {}\n\n'],
      // Last: it takes the key out of service.
      ['401 Unauthorized', 'application/json', '{"error":{"message":"no"}}'],
    ] as const
    for (const [status, type, text] of answers) {
      raw.steps = [{ send: `${head(status, type)}content-length: ${text.length}\r\n\r\n${text}` }, { then: 'fin' }]
      const stream = type === 'text/event-stream'
      const action = path.replace('MODEL', `raw-${wire}`).replace(':generate', stream ? ':streamGenerate' : ':generate')
      const answer = await served.post(action, { ...body, model: `raw-${wire}`, ...(wire !== 'gemini' && { stream }) })
      expect([...answer.headers.keys()].filter((name) => !TO_CLIENT.has(name))).toEqual([])
      expect(JSON.stringify([...answer.headers]) + (await answer.text())).not.toContain(SECRET)
    }
  })

/** The headers that an SDK in a browser asks leave for (recorded from openai 7 and @anthropic-ai/sdk 1). */
const SDK_HEADERS =
  'anthropic-dangerous-direct-browser-access,anthropic-version,authorization,content-type,x-api-key,x-stainless-arch,x-stainless-lang'

test.each(['/v1/chat/completions', '/v1/messages', '/v1/responses', '/v1/models', '/v1beta/models/m:generateContent'])(
  'a page of another site may call %s with its key, and read what it needs of the answer, an error’s too',
  async (path) => {
    const origin = 'https://app.example.test'
    const asked = await fetch(served.url + path, {
      method: 'OPTIONS',
      headers: { origin, 'access-control-request-method': 'POST', 'access-control-request-headers': SDK_HEADERS },
    })
    expect([asked.status, asked.headers.get('access-control-allow-origin'), asked.headers.get('access-control-allow-headers')]).toEqual([
      204,
      '*',
      SDK_HEADERS,
    ])
    expect(asked.headers.get('access-control-allow-methods')).toContain('POST')
    for (const key of [served.key, 'sk-wrong']) {
      const answer = await fetch(served.url + path, { method: 'POST', headers: { origin, authorization: `Bearer ${key}` }, body: '{}' })
      await answer.text()
      expect(answer.headers.get('access-control-allow-origin')).toBe('*')
      expect(answer.headers.get('access-control-expose-headers')).toContain('x-tollgate-request-id')
      // With `*` a browser sends no cookie; with this it would refuse the answer. It must never be there.
      expect(answer.headers.get('access-control-allow-credentials')).toBeNull()
    }
    const odd = await fetch(served.url + path, {
      method: 'OPTIONS',
      headers: { origin, 'access-control-request-method': 'POST', 'access-control-request-headers': 'a b; c' },
    })
    expect(odd.headers.get('access-control-allow-headers')).toBeNull()
  },
)

test('no page of another site may read anything else', async () => {
  for (const path of [
    '/',
    '/health',
    '/api/settings/public',
    '/api/users',
    '/auth/password/login',
    '/openapi.json',
    '/assets/x.js',
    '/v1x',
  ])
    for (const method of ['OPTIONS', 'GET', 'POST']) {
      const answer = await fetch(served.url + path, {
        method,
        headers: {
          origin: 'https://app.example.test',
          'access-control-request-method': 'GET',
          authorization: `Bearer ${served.site.token}`,
        },
      })
      await answer.text()
      expect([path, method, [...answer.headers.keys()].filter((name) => name.startsWith('access-control'))]).toEqual([path, method, []])
    }
})

test('every answer has the security headers; what the API says is kept by no cache', async () => {
  const paths = [
    '/',
    '/health',
    '/api/users',
    '/api/nope',
    '/auth/nope',
    '/assets/none.js',
    '/v1/models',
    '/v1/nope',
    '/v1/chat/completions',
    '/v1beta/models',
  ]
  for (const path of paths)
    for (const method of ['GET', 'POST', 'OPTIONS', 'HEAD', 'PUT', 'DELETE'])
      for (const token of [undefined, served.key, served.site.token]) {
        const answer = await fetch(served.url + path, { method, headers: token === undefined ? {} : { authorization: `Bearer ${token}` } })
        await answer.text()
        const { headers } = answer
        const where = `${method} ${path} ${answer.status}`
        expect([where, headers.get('x-content-type-options'), headers.get('x-frame-options')]).toEqual([where, 'nosniff', 'DENY'])
        expect([where, headers.get('content-security-policy')]).toEqual([where, expect.stringContaining("default-src 'none'") as never])
        expect([where, headers.get('referrer-policy')]).toEqual([where, 'same-origin'])
        if (path.startsWith('/api') || path.startsWith('/auth')) expect([where, headers.get('cache-control')]).toEqual([where, 'no-store'])
        expect([headers.get('server'), headers.get('x-powered-by')]).toEqual([null, null])
      }
  const overTls = await fetch(`${served.url}/v1/models`, { headers: { 'x-forwarded-proto': 'https' } })
  expect(overTls.headers.get('strict-transport-security')).toBe('max-age=31536000')
})
