import { afterAll, afterEach, describe, expect, test } from 'bun:test'
import { isObject, type Json, type JsonObject } from '../../contract/json.ts'
import type { Loss } from '../../server/relay/protocols/canonical.ts'
import type { Wire } from '../upstream/script.ts'
import { modelOf, startBench, wires } from './bench.ts'
import { members } from './members.ts'

/*
 * What is asked beside the talk, whole and streamed: it arrives where the upstream looks for it, or is a named Loss, in the client's
 * own words. On the protocol's own road the body is the client's.
 */
const bench = await startBench()
afterEach(() => bench.served.expectBooks())
afterAll(() => bench.close())

const talks: Record<Wire, JsonObject> = {
  chat: { messages: [{ role: 'user', content: 'Hi' }] },
  responses: { input: 'Hi' },
  claude: { max_tokens: 100, messages: [{ role: 'user', content: 'Hi' }] },
  gemini: { contents: [{ role: 'user', parts: [{ text: 'Hi' }] }] },
}

function bodyOf(client: Wire, model: string, asked: JsonObject, stream: boolean): { path: string; body: JsonObject } {
  const body = { ...talks[client], ...asked }
  if (client === 'gemini') return { path: `/v1beta/models/${model}:${stream ? 'streamGenerateContent?alt=sse' : 'generateContent'}`, body }
  const path = { chat: '/v1/chat/completions', responses: '/v1/responses', claude: '/v1/messages' }[client]
  return { path, body: { model, ...body, ...(stream && { stream: true }) } }
}

/** What stands at a place such as `messages.0.content`. */
function at(body: JsonObject, place: string): Json | undefined {
  let found: Json | undefined = body
  for (const step of place.split('.')) found = Array.isArray(found) ? found[Number(step)] : isObject(found) ? found[step] : undefined
  return found
}

for (const { title, asks, arrives } of members) {
  describe(title, () => {
    for (const client of wires) {
      const asked = asks[client]
      if (!asked) continue
      for (const upstream of wires) {
        test(`${client} client on ${upstream} upstream`, async () => {
          for (const stream of [false, true]) {
            const { provider } = bench.pair(client, upstream, stream)
            const { path, body } = bodyOf(client, modelOf(upstream), asked, stream)
            const response = await bench.served.post(path, body)
            const text = await response.text()
            expect(response.status, text).toBe(200)
            const losses = (await bench.served.row(response.headers.get('x-tollgate-request-id') ?? '')).losses as unknown as Loss[]
            const { body: received } = provider.last
            if (client === upstream) {
              for (const [name, value] of Object.entries(asked)) expect(received[name]).toEqual(value)
              expect(losses).toEqual([])
              continue
            }
            const wanted = arrives[upstream]
            if (wanted)
              for (const [place, value] of Object.entries(wanted))
                expect({ place, value: at(received, place) ?? null }).toEqual({ place, value })
            expect({ stream, lost: losses.length > 0 }).toEqual({ stream, lost: !wanted })
            // A loss stands at what was asked for.
            const top = Object.keys(asked)
            for (const { path: lost } of losses) expect(top).toContain(lost.split(/[.[]/)[0] ?? '')
          }
        })
      }
    }
  })
}
