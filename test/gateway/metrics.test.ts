import { afterAll, beforeAll, expect, test } from 'bun:test'
import { serve, type Served } from '../served.ts'
import { Upstream } from '../upstream/server.ts'

let served: Served
const upstream = await Upstream.start()
beforeAll(async () => {
  served = await serve()
  await served.site.sell(await served.site.addChannel({ baseUrl: upstream.url }), 'secret-model')
  upstream.always = { answer: { parts: [{ text: 'word' }], tokens: { input: 10, output: 5 } } }
})
afterAll(async () => {
  await served.close()
  await upstream.stop()
})

const read = (headers: Record<string, string> = {}, from?: string): Promise<Response> => served.test.fetch('/metrics', { headers }, from)
const valueOf = (text: string, line: string): number => {
  const found = text.split('\n').find((one) => one.startsWith(`${line} `))
  if (found === undefined) throw new Error(`no ${line} in ${text}`)
  return Number(found.slice(line.length + 1))
}

test('counts calls by their end, errors by code, tokens and times; every line has a name, a type and a number', async () => {
  const body = { model: 'secret-model', max_tokens: 10, messages: [{ role: 'user', content: 'Go.' }] }
  for (let n = 0; n < 3; n += 1) await (await served.post('/v1/chat/completions', body)).text()
  await (await served.post('/v1/chat/completions', { ...body, model: 'unknown' })).text()
  const response = await read()
  expect([response.status, response.headers.get('content-type')]).toEqual([200, 'text/plain; version=0.0.4; charset=utf-8'])
  const text = await response.text()
  expect(valueOf(text, 'tollgate_gateway_calls_total{end_reason="complete"}')).toBe(3)
  expect(valueOf(text, 'tollgate_gateway_errors_total{code="model_not_found"}')).toBe(1)
  expect(valueOf(text, 'tollgate_gateway_tokens_total{kind="input"}')).toBe(30)
  expect(valueOf(text, 'tollgate_gateway_tokens_total{kind="output"}')).toBe(15)
  expect(valueOf(text, 'tollgate_gateway_call_seconds_bucket{le="+Inf"}')).toBe(3)
  expect(valueOf(text, 'tollgate_gateway_call_seconds_count')).toBe(3)
  expect(valueOf(text, 'tollgate_upstream_in_flight')).toBe(0)
  expect(valueOf(text, 'tollgate_upstream_breakers{state="closed"}')).toBeGreaterThanOrEqual(1)
  expect(valueOf(text, 'tollgate_holds')).toBe(0)
  expect(valueOf(text, 'tollgate_writer_queue')).toBe(0)
  expect(valueOf(text, 'tollgate_http_requests_total{status="2xx"}')).toBeGreaterThan(0)
  expect(valueOf(text, 'process_resident_memory_bytes')).toBeGreaterThan(1e6)
  // The text format: comments that name and type each metric before its lines (prometheus.io/docs/instrumenting/exposition_formats).
  const typed = new Set<string>()
  for (const line of text.trimEnd().split('\n')) {
    const type = /^# TYPE (\w+) (?:counter|gauge|histogram)$/.exec(line)
    if (type) typed.add(type[1] ?? '')
    else if (!/^# HELP \w+ \S/.test(line)) {
      const [, name = ''] = /^(\w+?)(?:_bucket|_sum|_count)?(?:\{\w+="[^"]*"\})? -?[\d.e+-]+$/.exec(line) ?? []
      expect({ line, known: typed.has(name) }).toEqual({ line, known: true })
    }
  }
  for (const secret of ['secret-model', upstream.url, 'owner']) expect(text).not.toContain(secret)
})

test('is read from this machine or with an administrator’s session, by nobody else', async () => {
  const user = await served.test.user('reader')
  const far = '203.0.113.9'
  const bearer = (token: string) => ({ authorization: `Bearer ${token}` })
  expect((await read({}, far)).status).toBe(401)
  expect((await read(bearer(user.token), far)).status).toBe(403)
  expect((await read(bearer(await served.test.admin()), far)).status).toBe(200)
  // A proxy on this machine connects from it for everybody; a page in a local browser comes from its own origin.
  expect((await read({ 'x-forwarded-for': far })).status).toBe(401)
  expect((await read({ origin: 'https://elsewhere.example' })).status).toBe(401)
})
