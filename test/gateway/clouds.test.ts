import { afterAll, beforeAll, beforeEach, expect, test } from 'bun:test'
import { serve, type Served } from '../served.ts'
import { AWS, FakeCloud } from './cloud.ts'

let served: Served
let cloud: FakeCloud
let nowMs = 0

beforeAll(async () => {
  served = await serve()
  nowMs = served.clock.now()
  cloud = new FakeCloud(() => served.clock.now())
  const places = `${cloud.url}/v1/projects/p/locations/global`
  const channels = {
    'gemini-on-vertex': { type: 'vertex', baseUrl: places, key: cloud.keyFile },
    'gemini-express': { type: 'vertex', baseUrl: places, key: 'express-key' },
    'claude-on-vertex': { type: 'vertex_claude', baseUrl: places, key: cloud.keyFile },
    'claude-on-bedrock': { type: 'bedrock_claude', baseUrl: cloud.url, key: `${AWS.id}|${AWS.secret}|${AWS.region}` },
    'claude-by-api-key': { type: 'bedrock_claude', baseUrl: cloud.url, key: 'ABSK-key' },
  }
  for (const [model, channel] of Object.entries(channels)) {
    const id = await served.site.addChannel({ ...channel, name: model })
    await served.site.sell(id, model, undefined, model.startsWith('claude') ? 'anthropic.claude-sonnet-4-5-v1:0' : 'gemini-3-pro')
  }
})
beforeEach(() => {
  cloud.received.length = 0
})
afterAll(async () => {
  await served.expectBooks()
  await served.close()
  await cloud.stop()
})

const ask = (model: string, stream: boolean) =>
  served.post('/v1/chat/completions', { model, stream, messages: [{ role: 'user', content: 'Hi' }], max_tokens: 50 })

async function heard(response: Response): Promise<string> {
  const text = await response.text()
  if (response.status !== 200) return `${response.status} ${text}`
  if (!response.headers.get('content-type')?.includes('event-stream'))
    return (JSON.parse(text) as { choices: { message: { content: string } }[] }).choices[0]?.message.content ?? ''
  expect(text).toEndWith('data: [DONE]\n\n')
  return [...text.matchAll(/"content":"([^"]*)"/g)].map(([, piece]) => piece).join('')
}

for (const model of ['gemini-on-vertex', 'gemini-express', 'claude-on-vertex', 'claude-on-bedrock', 'claude-by-api-key'])
  for (const stream of [false, true])
    test(`${model} answers ${stream ? 'streamed' : 'whole'} and is billed by its own usage`, async () => {
      const response = await ask(model, stream)
      expect(await heard(response)).toBe('Hello there')
      const row = await served.row(response.headers.get('x-tollgate-request-id') ?? '')
      expect([row.input_tokens, row.output_tokens, row.end_reason, row.usage_source]).toEqual([10, 4, 'complete', 'upstream'])
    })

test('Vertex AI gets a token, for many calls the same, and a new one when it ends', async () => {
  const before = cloud.tokens
  await Promise.all([1, 2, 3].map(() => ask('gemini-on-vertex', false).then(heard)))
  expect(cloud.tokens - before).toBeLessThanOrEqual(1)
  served.clock.advance(3_600_000)
  expect(await heard(await ask('gemini-on-vertex', false))).toBe('Hello there')
  expect(cloud.tokens).toBeGreaterThan(before)
  const [call] = cloud.received
  expect(call?.path).toBe('/v1/projects/p/locations/global/publishers/google/models/gemini-3-pro:generateContent')
  expect(call?.headers).not.toHaveProperty('x-goog-api-key')
})

test('Claude on a cloud is told the version in its body, and no model', async () => {
  await ask('claude-on-vertex', true).then(heard)
  await ask('claude-on-bedrock', true).then(heard)
  const [vertex, bedrock] = cloud.received
  expect(vertex?.path).toEndWith('/publishers/anthropic/models/anthropic.claude-sonnet-4-5-v1%3A0:streamRawPredict')
  expect(vertex?.body).toMatchObject({ anthropic_version: 'vertex-2023-10-16', stream: true })
  expect(vertex?.body).not.toHaveProperty('model')
  expect(bedrock?.path).toBe('/model/anthropic.claude-sonnet-4-5-v1%3A0/invoke-with-response-stream')
  expect(bedrock?.body).toMatchObject({ anthropic_version: 'bedrock-2023-05-31' })
  expect(bedrock?.body).not.toContainAnyKeys(['model', 'stream'])
})

test("a Claude client's betas reach Bedrock in the body", async () => {
  const body = { model: 'claude-on-bedrock', max_tokens: 50, messages: [{ role: 'user', content: 'Hi' }] }
  const response = await served.post('/v1/messages', body, { headers: { 'anthropic-beta': 'context-1m-2025-08-07, other' } })
  expect(response.status).toBe(200)
  expect(cloud.received[0]?.body).toMatchObject({ anthropic_beta: ['context-1m-2025-08-07', 'other'] })
})

test('tokens of a Claude on a cloud are counted here', async () => {
  const body = { model: 'claude-on-bedrock', messages: [{ role: 'user', content: 'How many are these?' }] }
  const response = await served.post('/v1/messages/count_tokens', body)
  expect(((await response.json()) as { input_tokens: number }).input_tokens).toBeGreaterThan(2)
  expect(cloud.received).toEqual([])
})

test('a service account that Google refuses is trouble of the channel, not of the customer', async () => {
  served.clock.advance(3_600_000)
  cloud.refuseTokens = true
  const response = await ask('claude-on-vertex', false)
  cloud.refuseTokens = false
  expect(response.status).toBe(503)
  expect(cloud.received).toEqual([])
  expect(served.clock.now()).toBeGreaterThan(nowMs)
})
