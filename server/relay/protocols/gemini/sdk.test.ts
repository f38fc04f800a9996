import { GoogleGenAI } from '@google/genai'
import { expect, test } from 'bun:test'
import type { Event } from '../canonical.ts'
import { framerFor, gemini } from './index.ts'
import { CALL, run } from './test-kit.ts'

const EVENTS: Event[] = [
  { type: 'start', id: 'msg_1', model: 'claude-x' },
  { type: 'open', choice: 0, index: 0, block: { type: 'text', text: '' } },
  { type: 'delta', choice: 0, index: 0, text: 'Hello ' },
  { type: 'delta', choice: 0, index: 0, text: 'wörld' },
  { type: 'close', choice: 0, index: 0 },
  { type: 'open', choice: 0, index: 1, block: { type: 'call', id: 'toolu_1', name: 'f', input: '{"a":1}' } },
  { type: 'close', choice: 0, index: 1 },
  {
    type: 'usage',
    usage: {
      input: 5,
      output: 9,
      cachedInput: 0,
      cacheWrite: 0,
      cacheWrite1h: 0,
      imageInput: 0,
      imageOutput: 0,
      audioInput: 0,
      audioOutput: 0,
    },
  },
  { type: 'finish', choice: 0, finish: { reason: 'tool_calls' } },
]

/** Google's SDK against a server of ours that answers `frames`, with a keep-alive before each. */
async function sdkAgainst(
  frames: { data: string }[],
  work: (sdk: GoogleGenAI) => Promise<void>,
): Promise<{ address: string; key: string | null }[]> {
  const seen: { address: string; key: string | null }[] = []
  const framer = framerFor({})
  const server = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    fetch(request) {
      const { pathname, search } = new URL(request.url)
      seen.push({ address: pathname + search, key: request.headers.get('x-goog-api-key') })
      const body = frames.map((frame) => framer.keepAlive + framer.write(frame)).join('') + framer.end()
      return new Response(body, { headers: { 'content-type': framer.contentType } })
    },
  })
  try {
    await work(new GoogleGenAI({ apiKey: 'k', httpOptions: { baseUrl: server.url.href } }))
  } finally {
    await server.stop(true)
  }
  return seen
}

test("Google's SDK reads a translated stream, and asks at the address our encoder uses", async () => {
  const frames = run(gemini.encodeStream(CALL), EVENTS)
  const requests = await sdkAgainst(frames, async (sdk) => {
    const texts: string[] = []
    const calls: unknown[] = []
    let last
    for await (const chunk of await sdk.models.generateContentStream({ model: 'gemini-3-flash', contents: 'hi' })) {
      texts.push(...(chunk.candidates?.[0]?.content?.parts ?? []).map((part) => part.text ?? ''))
      calls.push(...(chunk.functionCalls ?? []))
      last = chunk
    }
    expect(texts.join('')).toBe('Hello wörld')
    expect(calls).toEqual([{ id: 'toolu_1', name: 'f', args: { a: 1 } }])
    expect(last?.candidates?.[0]?.finishReason as string).toBe('STOP')
    expect(last?.usageMetadata?.totalTokenCount).toBe(14)
    expect(last?.modelVersion).toBe('house-model')
  })
  const ours = new URL(gemini.endpoint('http://host', { model: 'gemini-3-flash', stream: true }).url)
  // The SDK's default version is v1, ours v1beta; Google serves both.
  expect(requests).toEqual([{ address: (ours.pathname + ours.search).replace('/v1beta/', '/v1/'), key: 'k' }])
})

test("Google's SDK throws on the error that breaks a stream off", async () => {
  const broken = gemini.encodeStreamError({ kind: 'upstream', status: 502, message: 'The upstream broke off' }, 'r1')
  await sdkAgainst([...run(gemini.encodeStream(CALL), EVENTS.slice(0, 3)), ...broken], async (sdk) => {
    const read = async (): Promise<void> => {
      for await (const chunk of await sdk.models.generateContentStream({ model: 'm', contents: 'hi' })) expect(chunk).toBeDefined()
    }
    await expect(read()).rejects.toThrow('The upstream broke off')
  })
})
