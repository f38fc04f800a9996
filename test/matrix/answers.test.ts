import { afterAll, afterEach, describe, expect, test } from 'bun:test'
import type { JsonObject } from '../../contract/json.ts'
import type { Script, Wire } from '../upstream/script.ts'
import { modelOf, startBench, wires } from './bench.ts'

/*
 * Answers that are no plain text: refusals, the stop sequence that was met, alternatives, log probabilities; whole and streamed.
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

/** What a client reads, byte for byte. */
async function read(client: Wire, upstream: Wire, stream: boolean, script: Script): Promise<{ text: string; losses: string }> {
  const { provider } = bench.pair(client, upstream, stream)
  provider.next(script)
  const model = modelOf(upstream)
  const paths: Record<Wire, string> = {
    chat: '/v1/chat/completions',
    responses: '/v1/responses',
    claude: '/v1/messages',
    gemini: `/v1beta/models/${model}:${stream ? 'streamGenerateContent?alt=sse' : 'generateContent'}`,
  }
  const own = client === 'gemini' ? {} : { model, ...(stream && { stream: true }) }
  const response = await bench.served.post(paths[client], { ...own, ...talks[client] })
  expect(response.status).toBe(200)
  const text = await response.text()
  const row = await bench.served.row(response.headers.get('x-tollgate-request-id') ?? '')
  return { text, losses: JSON.stringify(row.losses) }
}

/** How each protocol marks a refusal. */
const REFUSED: Record<Wire, RegExp> = {
  chat: /"refusal":"No, never\."|"finish_reason":"content_filter"/,
  responses: /"type":"refusal","refusal":"No, never\."|"incomplete_details":\{"reason":"content_filter"\}/,
  claude: /"stop_reason":"refusal"/,
  // It has no word for one.
  gemini: /"finishReason":"(SAFETY|STOP|PROHIBITED_CONTENT|OTHER)"/,
}

for (const client of wires) {
  for (const upstream of wires) {
    describe(`${client} client on ${upstream} upstream`, () => {
      for (const stream of [false, true]) {
        const how = stream ? 'streamed' : 'whole'
        // Google's answers have no refusal apart from a filter's.
        if (upstream !== 'gemini') {
          test(`a refusal, ${how}`, async () => {
            const answer = { parts: [{ refusal: 'No, never.' }], stop: 'refusal' as const }
            const { text } = await read(client, upstream, stream, { answer, pieces: 1 })
            expect(text).toContain('No, never.')
            expect(text).toMatch(REFUSED[client])
          })
        }
      }
    })
  }
}

test('the stop sequence that Claude met is told to Claude clients, and is a plain stop to others', async () => {
  const script: Script = { answer: { parts: [{ text: 'So far' }], stop: 'stop_sequence', stopText: 'END' } }
  const ends: Record<Wire, RegExp> = {
    chat: /"finish_reason":"stop"/,
    responses: /"status":"completed"/,
    claude: /"stop_reason":"stop_sequence","stop_sequence":"END"/,
    gemini: /"finishReason":"STOP"/,
  }
  for (const client of wires) {
    for (const stream of [false, true]) expect((await read(client, 'claude', stream, script)).text).toMatch(ends[client])
  }
})

const logprobs = { content: [{ token: 'A', logprob: -0.25, bytes: [65], top_logprobs: [{ token: 'B', logprob: -1.5, bytes: [66] }] }] }
const usage = { prompt_tokens: 5, completion_tokens: 2, total_tokens: 7 }
const head = { id: 'c1', created: 1_790_000_000, model: 'm' }
const choices = ['A', 'Z'].map((content, index) => ({
  index,
  finish_reason: 'stop',
  logprobs: index === 0 ? logprobs : null,
  message: { role: 'assistant', content },
}))
const chunks = [
  ...choices.map(({ message, finish_reason: _, ...choice }) => ({ ...choice, delta: message, finish_reason: null })),
  ...choices.map(({ index }) => ({ index, delta: {}, finish_reason: 'stop' })),
].map((choice) => `data: ${JSON.stringify({ ...head, object: 'chat.completion.chunk', choices: [choice] })}\n\n`)
const last = `data: ${JSON.stringify({ ...head, object: 'chat.completion.chunk', choices: [], usage })}\n\ndata: [DONE]\n\n`

function twoAnswers(stream: boolean): Script {
  if (!stream) return { reply: { body: { ...head, object: 'chat.completion', choices, usage } as unknown as JsonObject } }
  return { reply: { headers: { 'content-type': 'text/event-stream' }, body: chunks.join('') + last } }
}

test('alternatives and log probabilities reach every client that has a place for them', async () => {
  for (const stream of [false, true]) {
    const { text: gemini } = await read('gemini', 'chat', stream, twoAnswers(stream))
    expect(gemini).toContain('"text":"A"')
    expect(gemini).toContain('"text":"Z"')
    expect(gemini).toContain('"index":1')
    expect(gemini).toMatch(/"logProbability":-0\.25/)
    expect(gemini).toMatch(/"logProbability":-1\.5/)
    const { text: chat } = await read('chat', 'chat', stream, twoAnswers(stream))
    expect(chat).toContain('"content":"Z"')
    const { text: responses, losses } = await read('responses', 'chat', stream, twoAnswers(stream))
    expect(responses).toContain('"logprob":-0.25')
    expect(responses).toContain('"logprob":-1.5')
    expect(losses).toContain('choices[1]')
  }
})
