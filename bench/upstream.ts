import { argv } from 'node:process'

/**
 * The cheapest upstream there is: an OpenAI Chat server whose answers are ready-made bytes. Its own process, so that what
 * is measured of the gateway is the gateway's. Prints its port.
 *
 * POST /v1/chat/completions answers by the model asked for:
 *   anything       a whole answer, or with `stream` 20 chunks that arrive at once
 *   `paced`        with `stream`: 20 chunks, one each CHUNK_MS (how models speak)
 */
const CHUNKS = 20
const CHUNK_MS = Number(argv[2] ?? 62.5)
const head = { id: 'chatcmpl-bench', created: 1_700_000_000 }
const words = 'The quick brown fox jumps over the lazy dog and then rests beside the calm river for a while'.split(' ')
const usage = { prompt_tokens: 12, completion_tokens: CHUNKS, total_tokens: 12 + CHUNKS }

const whole = (model: string): string =>
  JSON.stringify({
    ...head,
    object: 'chat.completion',
    model,
    choices: [{ index: 0, message: { role: 'assistant', content: words.join(' ') }, finish_reason: 'stop' }],
    usage,
  })
const frames = (model: string): string[] => {
  const chunk = (delta: object, finish: string | null = null): string =>
    `data: ${JSON.stringify({ ...head, object: 'chat.completion.chunk', model, choices: [{ index: 0, delta, finish_reason: finish }] })}\n\n`
  const list = [chunk({ role: 'assistant', content: '' })]
  for (let index = 0; index < CHUNKS - 3; index += 1) list.push(chunk({ content: ` ${words[index % words.length]}` }))
  list.push(chunk({}, 'stop'))
  list.push(`data: ${JSON.stringify({ ...head, object: 'chat.completion.chunk', model, choices: [], usage })}\n\ndata: [DONE]\n\n`)
  return list
}
const encode = (text: string): Uint8Array => new TextEncoder().encode(text)
const ready = new Map<string, { whole: Uint8Array; burst: Uint8Array; frames: Uint8Array[] }>()
const answerFor = (model: string) => {
  let answer = ready.get(model)
  if (!answer) {
    const list = frames(model)
    answer = { whole: encode(whole(model)), burst: encode(list.join('')), frames: list.map(encode) }
    ready.set(model, answer)
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
    const { model, stream } = (await request.json()) as { model: string; stream?: boolean }
    const answer = answerFor(model)
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
