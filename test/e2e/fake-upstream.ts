/** An OpenAI-like provider of one key and two models, for driving the console through a real browser. */
export interface FakeUpstream {
  readonly baseUrl: string
  readonly key: string
  stop(): void
}

/** Listed by the provider; neither has a list price, so the owner types both. */
const MODELS = ['fake-large', 'fake-mini']
/** Pause between two pieces: long enough that the browser paints the answer growing. */
const PIECE_MS = 40

/** Starts it on a free port of this machine. `answer` is streamed word by word; usage is 12 tokens in, 9 out. */
export function startFakeUpstream(answer: string): FakeUpstream {
  const key = `up-${crypto.randomUUID()}`
  const server = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    async fetch(request) {
      const { pathname } = new URL(request.url)
      if (request.headers.get('authorization') !== `Bearer ${key}`) {
        return Response.json(
          { error: { message: 'Incorrect API key provided', type: 'invalid_request_error', code: 'invalid_api_key' } },
          { status: 401 },
        )
      }
      if (pathname === '/v1/models')
        return Response.json({ object: 'list', data: MODELS.map((id) => ({ id, object: 'model', created: 1, owned_by: 'fake' })) })
      if (pathname !== '/v1/chat/completions') return Response.json({ error: { message: 'Unknown address' } }, { status: 404 })
      const body = (await request.json()) as { model: string; stream?: boolean }
      const usage = { prompt_tokens: 12, completion_tokens: 9, total_tokens: 21 }
      const base = { id: 'chatcmpl-1', created: 1, model: body.model }
      if (body.stream !== true) {
        const message = { role: 'assistant', content: answer }
        return Response.json({ ...base, object: 'chat.completion', choices: [{ index: 0, message, finish_reason: 'stop' }], usage })
      }
      return new Response(streamOf(stream(base, usage)), { headers: { 'content-type': 'text/event-stream' } })
    },
  })
  async function* stream(base: object, usage: object) {
    const frame = (value: object) => `data: ${JSON.stringify({ ...base, object: 'chat.completion.chunk', ...value })}\n\n`
    for (const piece of answer.split(/(?<= )/)) {
      yield frame({ choices: [{ index: 0, delta: { content: piece }, finish_reason: null }] })
      await Bun.sleep(PIECE_MS)
    }
    yield frame({ choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] })
    yield frame({ choices: [], usage })
    yield 'data: [DONE]\n\n'
  }
  return { baseUrl: `http://127.0.0.1:${server.port}/v1`, key, stop: () => void server.stop(true) }
}

function streamOf(frames: AsyncGenerator<string>): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder()
  return new ReadableStream({
    async pull(controller) {
      const { value, done } = await frames.next()
      if (done) controller.close()
      else controller.enqueue(encoder.encode(value))
    },
  })
}
