import { argv } from 'node:process'
import { EMPTY_USAGE } from '../contract/meters.ts'
import type { Event } from '../server/relay/protocols/canonical.ts'
import { protocols } from '../server/relay/protocols/index.ts'
import { formatFrame } from '../server/relay/protocols/sse.ts'

/**
 * The cheapest upstream there is: a server of the four protocols whose answers are ready-made bytes. Its own process, so that
 * what is measured of the gateway is the gateway's. Prints its port.
 *
 * It answers by the model asked for:
 *   anything       a whole answer (OpenAI Chat only), or with `stream` 20 chunks that arrive at once
 *   `chunks-<n>`   the same with n chunks
 *   `paced`        with `stream`: 20 chunks, one each CHUNK_MS (how models speak)
 */
const CHUNKS = 20
const CHUNK_MS = Number(argv[2] ?? 62.5)
const head = { id: 'chatcmpl-bench', created: 1_700_000_000 }
const words = 'The quick brown fox jumps over the lazy dog and then rests beside the calm river for a while'.split(' ')
const usage = { prompt_tokens: 12, completion_tokens: CHUNKS, total_tokens: 12 + CHUNKS }

type Wire = keyof typeof protocols
const wireOf = (path: string): Wire =>
  path.endsWith('/messages')
    ? 'claude'
    : path.endsWith('/responses')
      ? 'openai-responses'
      : path.includes('enerateContent')
        ? 'gemini'
        : 'openai-chat'

const whole = (model: string): string =>
  JSON.stringify({
    ...head,
    object: 'chat.completion',
    model,
    choices: [{ index: 0, message: { role: 'assistant', content: words.join(' ') }, finish_reason: 'stop' }],
    usage,
  })

/** One answer of words, a chunk each but for the chunks that begin and end it. */
function frames(wire: Wire, model: string): string[] {
  const texts = Number(/^chunks-(\d+)$/.exec(model)?.[1] ?? CHUNKS) - 3
  const events: Event[] = [
    { type: 'start', id: head.id, model },
    { type: 'open', choice: 0, index: 0, block: { type: 'text', text: '' } },
    ...Array.from({ length: texts }, (_, index): Event => ({
      type: 'delta',
      choice: 0,
      index: 0,
      text: ` ${words[index % words.length]}`,
    })),
    { type: 'close', choice: 0, index: 0 },
    { type: 'usage', usage: { ...EMPTY_USAGE, input: 12, output: texts } },
    { type: 'finish', choice: 0, finish: { reason: 'stop' } },
  ]
  const encoder = protocols[wire].encodeStream({ ...head, model, wantsUsage: true, estimatedInput: 12 })
  return [...events.flatMap((event) => encoder.push(event)), ...encoder.end()].map(formatFrame)
}

const encode = (text: string): Uint8Array => new TextEncoder().encode(text)
const ready = new Map<string, { whole: Uint8Array; burst: Uint8Array; frames: Uint8Array[] }>()
const answerFor = (wire: Wire, model: string) => {
  let answer = ready.get(wire + model)
  if (!answer) {
    const list = frames(wire, model)
    answer = { whole: encode(whole(model)), burst: encode(list.join('')), frames: list.map(encode) }
    ready.set(wire + model, answer)
  }
  return answer
}

/** Streams that are being paced; one timer serves them all. */
interface Paced {
  controller: ReadableStreamDefaultController<Uint8Array>
  frames: Uint8Array[]
  next: number
  dueMs: number
}
const paced = new Set<Paced>()
setInterval(() => {
  const now = performance.now()
  for (const stream of paced) {
    while (stream.dueMs <= now && stream.next < stream.frames.length) {
      stream.controller.enqueue(stream.frames[stream.next] as Uint8Array)
      stream.next += 1
      stream.dueMs += CHUNK_MS
    }
    if (stream.next < stream.frames.length) continue
    paced.delete(stream)
    stream.controller.close()
  }
}, 2)

const server = Bun.serve({
  port: 0,
  hostname: '127.0.0.1',
  idleTimeout: 0,
  async fetch(request) {
    if (request.method !== 'POST') return Response.json({ object: 'list', data: [] })
    const { pathname } = new URL(request.url)
    const wire = wireOf(pathname)
    const { model = /models\/([^:]+):/.exec(pathname)?.[1] ?? '', stream = pathname.includes('streamGenerate') } =
      (await request.json()) as { model?: string; stream?: boolean }
    const answer = answerFor(wire, model)
    if (!stream) return new Response(answer.whole as BodyInit, { headers: { 'content-type': 'application/json' } })
    const headers = { 'content-type': 'text/event-stream' }
    if (model !== 'paced') return new Response(answer.burst as BodyInit, { headers })
    let entry: Paced | undefined
    return new Response(
      new ReadableStream<Uint8Array>({
        start(controller) {
          entry = { controller, frames: answer.frames, next: 0, dueMs: performance.now() + Math.random() * CHUNK_MS }
          paced.add(entry)
        },
        cancel() {
          if (entry) paced.delete(entry)
        },
      }),
      { headers },
    )
  },
})
console.log(server.port)
