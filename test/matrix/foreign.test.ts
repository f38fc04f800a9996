import { afterAll, afterEach, expect, test } from 'bun:test'
import type { JsonObject } from '../../contract/json.ts'
import { names, ownAnswers, ownRequests, ownStreams, type ProtocolName } from '../protocols/recorded.ts'
import type { Wire } from '../upstream/script.ts'
import { modelOf, startBench } from './bench.ts'

/*
 * The protocol's own road carries what we have no name for: a maker's search, its results and citations, blocks of tomorrow. Only the
 * model's name differs.
 */
const bench = await startBench()
afterEach(() => bench.served.expectBooks())
afterAll(() => bench.close())

const wireOf: Record<ProtocolName, Wire> = { 'openai-chat': 'chat', 'openai-responses': 'responses', claude: 'claude', gemini: 'gemini' }
const MODEL_NAMES = /"(model|modelVersion)":\s*"[^"]*"/g

function pathOf(wire: Wire, stream: boolean): string {
  const method = stream ? 'streamGenerateContent?alt=sse' : 'generateContent'
  return {
    chat: '/v1/chat/completions',
    responses: '/v1/responses',
    claude: '/v1/messages',
    gemini: `/v1beta/models/${modelOf(wire)}:${method}`,
  }[wire]
}

function bodyOf(wire: Wire, request: JsonObject, stream: boolean): JsonObject {
  const { stream: _stream, ...rest } = request
  return wire === 'gemini' ? rest : { ...rest, model: modelOf(wire), ...(stream && { stream: true, ...(wire === 'chat' && ASKED) }) }
}
const ASKED = { stream_options: { include_usage: true } }

for (const name of names) {
  const wire = wireOf[name]
  const [request] = ownRequests(name).filter((each) => JSON.stringify(each).length > 500)
  test(`every recorded ${name} answer comes back as it was, streamed and whole`, async () => {
    if (!request) throw new Error('the fixtures are gone')
    const streams = ownStreams().filter(({ by }) => by === name)
    expect(streams.length).toBeGreaterThan(0)
    for (const { frames } of streams) {
      const { provider } = bench.pair(wire, wire, true)
      const body = frames.map(({ event, data }) => `${event === undefined ? '' : `event: ${event}\n`}data: ${data}\n\n`).join('')
      provider.next({ reply: { headers: { 'content-type': 'text/event-stream' }, body } })
      const response = await bench.served.post(pathOf(wire, true), bodyOf(wire, request, true))
      expect((await response.text()).replace(MODEL_NAMES, '').trim()).toBe(body.replace(MODEL_NAMES, '').trim())
    }
    for (const answer of ownAnswers(name)) {
      const { provider } = bench.pair(wire, wire, false)
      provider.next({ reply: { body: answer } })
      const response = await bench.served.post(pathOf(wire, false), bodyOf(wire, request, false))
      expect((await response.text()).replace(MODEL_NAMES, '')).toBe(JSON.stringify(answer).replace(MODEL_NAMES, ''))
    }
  })
}

for (const name of names) {
  const wire = wireOf[name]
  test(`every recorded ${name} request reaches its own kind of upstream as it was`, async () => {
    const [answer] = ownAnswers(name)
    if (!answer) throw new Error('the fixtures are gone')
    for (const request of ownRequests(name)) {
      const { provider } = bench.pair(wire, wire, false)
      provider.next({ reply: { body: answer } })
      const body = bodyOf(wire, request, false)
      const response = await bench.served.post(pathOf(wire, false), body)
      expect(response.status, await response.text()).toBe(200)
      const { model: _sent, ...sent } = body
      const { model: _received, ...received } = provider.last.body
      expect(received).toEqual(sent)
    }
  })
}
