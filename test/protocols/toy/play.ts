/**
 * Adds the toy protocol to the gateway and plays it as a client on all four upstreams, and as the upstream of all four clients. Run by
 * fifth.test.ts in a process of its own: what is added stays. Prints what happened as JSON.
 */
import { channelTypes } from '../../../contract/channel-types.ts'
import { isObject, type JsonObject } from '../../../contract/json.ts'
import { protocols } from '../../../server/relay/protocols/index.ts'
import type { Wire } from '../../upstream/script.ts'
import { toy } from './index.ts'

// All that a fifth protocol touches beside its folder.
Object.assign(protocols, { toy })
Object.assign(channelTypes, { toy: 'toy' })

// The server is built from the two tables, so it comes after them.
const { serve } = await import('../../served.ts')
const { Upstream } = await import('../../upstream/server.ts')

const types: Record<Wire, string> = { chat: 'openai', responses: 'responses', claude: 'claude', gemini: 'gemini' }
const requests: Record<Wire, { path: (stream: boolean) => string; body: (stream: boolean) => JsonObject }> = {
  chat: {
    path: () => '/v1/chat/completions',
    body: (stream) => ({ stream, messages: [{ role: 'user', content: 'Hello?' }], temperature: 1 }),
  },
  responses: { path: () => '/v1/responses', body: (stream) => ({ stream, input: 'Hello?', temperature: 1 }) },
  claude: {
    path: () => '/v1/messages',
    body: (stream) => ({ stream, max_tokens: 9, messages: [{ role: 'user', content: 'Hello?' }], temperature: 1 }),
  },
  gemini: {
    path: (stream) => `/v1beta/models/on-toy:${stream ? 'streamGenerateContent?alt=sse' : 'generateContent'}`,
    body: () => ({ contents: [{ role: 'user', parts: [{ text: 'Hello?' }] }], generationConfig: { temperature: 1 } }),
  },
}

const served = await serve()
const provider = await Upstream.start()
provider.always = { answer: { parts: [{ text: 'Hello from afar.' }], tokens: { input: 100, output: 20 } } }
const toyAsked: unknown[] = []
/** A toy's own server. */
const maker = Bun.serve({
  port: 0,
  hostname: '127.0.0.1',
  async fetch(request) {
    const body = (await request.json()) as JsonObject
    toyAsked.push(body.lines)
    if (body.live !== true) return Response.json({ model: 'up', line: 'Hello from a toy.', spent: [100, 20] })
    const frames = [{ bit: 'Hello ' }, { bit: 'from a toy.' }, { spent: [100, 20] }]
    return new Response(frames.map((frame) => `data: ${JSON.stringify({ model: 'up', ...frame })}\n\n`).join(''), {
      headers: { 'content-type': 'text/event-stream' },
    })
  },
})

async function play(path: string, body: JsonObject): Promise<JsonObject> {
  const response = await served.post(path, body)
  const answer = await response.text()
  const row = await served.row(response.headers.get('x-tollgate-request-id') ?? '')
  return {
    status: response.status,
    text: answer,
    cost: row.cost,
    losses: row.losses.map((loss) => (isObject(loss) ? (loss.path ?? null) : null)),
    endpoint: row.endpoint,
  }
}

const results: JsonObject = {}
for (const wire of Object.keys(types) as Wire[]) {
  const channel = await served.site.addChannel({ baseUrl: provider.url, type: types[wire], name: wire })
  await served.site.sell(channel, `on-${wire}`)
}
await served.site.sell(await served.site.addChannel({ baseUrl: `http://127.0.0.1:${maker.port}`, type: 'toy', name: 'toy' }), 'on-toy')
for (const wire of Object.keys(types) as Wire[]) {
  for (const stream of [false, true]) {
    const key = stream ? 'streamed' : 'whole'
    results[`toy on ${wire}, ${key}`] = await play('/v1/toy', { model: `on-${wire}`, lines: ['> Hello?'], live: stream, heat: 1 })
    const { path, body } = requests[wire]
    results[`${wire} on toy, ${key}`] = await play(path(stream), { model: 'on-toy', ...body(stream) })
  }
}
for (const live of [false, true])
  results[`toy on toy, ${live ? 'streamed' : 'whole'}`] = await play('/v1/toy', { model: 'on-toy', lines: ['> Hello?'], live })
results.unknown = await served.post('/v1/toy', { model: 'nobody', lines: [] }).then((response) => response.json() as Promise<JsonObject>)
await served.expectBooks()
console.log(JSON.stringify({ results, toyAsked }))
await served.close()
await provider.stop()
await maker.stop(true)
process.exit(0)
