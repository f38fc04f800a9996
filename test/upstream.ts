/** What a scripted upstream was asked. */
export interface Received { method: string; path: string; headers: Record<string, string>; body: Record<string, unknown>; at: number }

/** Token counts an answer states; what it leaves out it does not state. */
export interface ScriptedUsage { prompt: number; completion: number; cached?: number; reasoning?: number }

/** How one call is answered; the next of the queue, else the default. */
export interface Script {
  /** Pieces of text; a stream sends one a chunk. */
  text?: string[]
  toolCalls?: { id: string; name: string; arguments: string }[]
  usage?: ScriptedUsage | null
  finish?: string
  /** An error status instead of an answer. */
  status?: number
  errorBody?: unknown
  headers?: Record<string, string>
  /** Milliseconds before the first byte, and between chunks. */
  delayMs?: number
  pauseMs?: number
  /** Break the connection after this many chunks of a stream; 0 before any. */
  cutAfter?: number
  /** Send these bytes as they are instead. */
  raw?: { body: string; contentType: string }
}

export type Answerer = (received: Received, script: Script, upstream: Upstream) => Response | Promise<Response>

/** What the upstream charges for itself: the second book a test compares with. */
export interface Bill { calls: number; prompt: number; completion: number; cached: number }

/**
 * A fake provider on a real port. Protocols are a table from path to answerer, so that another one is one entry:
 * `upstream.serve('/v1/messages', answerer)`.
 */
export class Upstream {
  readonly received: Received[] = []
  readonly bill: Bill = { calls: 0, prompt: 0, completion: 0, cached: 0 }
  /** Streams whose reader went away before the end. */
  aborted = 0
  /** Names of `GET /v1/models`. */
  models: string[] = ['gpt-test']
  fallback: Script = { text: ['Hello', ', ', 'world'], usage: { prompt: 11, completion: 3 } }
  readonly #queue: Script[] = []
  readonly #answerers = new Map<string, Answerer>([['/v1/chat/completions', answerChat]])
  readonly #server: Bun.Server<undefined>

  constructor() {
    this.#server = Bun.serve({ port: 0, hostname: '127.0.0.1', idleTimeout: 0, fetch: (request) => this.#handle(request) })
  }

  /** `http://127.0.0.1:<port>/v1`, what a channel's base URL is. */
  get baseUrl(): string {
    return `${this.origin}/v1`
  }

  get origin(): string {
    return `http://127.0.0.1:${this.#server.port}`
  }

  /** Calls that generate, without lists of models. */
  get calls(): Received[] {
    return this.received.filter(({ method }) => method === 'POST')
  }

  /** Answers of the next calls, in order. */
  script(...scripts: Script[]): this {
    this.#queue.push(...scripts)
    return this
  }

  /** Another address, another protocol. A trailing `*` matches any rest. */
  serve(path: string, answerer: Answerer): this {
    this.#answerers.set(path, answerer)
    return this
  }

  async close(): Promise<void> {
    await this.#server.stop(true)
  }

  /** Books what an answer states. */
  charge(usage: ScriptedUsage | null | undefined): void {
    this.bill.calls += 1
    this.bill.prompt += usage?.prompt ?? 0
    this.bill.completion += usage?.completion ?? 0
    this.bill.cached += usage?.cached ?? 0
  }

  async #handle(request: Request): Promise<Response> {
    const { pathname } = new URL(request.url)
    const text = await request.text()
    const received: Received = {
      method: request.method, path: pathname, headers: Object.fromEntries(request.headers), at: performance.now(),
      body: text === '' ? {} : JSON.parse(text) as Record<string, unknown>,
    }
    this.received.push(received)
    if (request.method === 'GET' && pathname === '/v1/models') {
      return Response.json({ object: 'list', data: this.models.map((id) => ({ id, object: 'model', created: 1, owned_by: 'test' })) })
    }
    const answerer = this.#answerers.get(pathname) ?? [...this.#answerers].find(([path]) => path.endsWith('*') && pathname.startsWith(path.slice(0, -1)))?.[1]
    if (!answerer) return Response.json({ error: { message: `no such path ${pathname}`, type: 'invalid_request_error' } }, { status: 404 })
    const script = this.#queue.shift() ?? this.fallback
    if (script.delayMs !== undefined) await Bun.sleep(script.delayMs)
    if (script.raw) return new Response(script.raw.body, { status: script.status ?? 200, headers: { 'content-type': script.raw.contentType, ...script.headers } })
    if (script.status !== undefined && script.status >= 400) {
      const body = script.errorBody ?? { error: { message: 'scripted failure', type: 'server_error', param: null, code: null } }
      return Response.json(body, { status: script.status, headers: script.headers ?? {} })
    }
    return answerer(received, script, this)
  }
}

/**
 * A stream of ready-made frames with the script's pauses and cut; counts readers that leave early. The bill is written
 * when the last frame has left, or when the reader left: a provider charges for what it made.
 */
export function streamOf(frames: string[], script: Script, upstream: Upstream, contentType = 'text/event-stream'): Response {
  const encoder = new TextEncoder()
  let next = 0
  let over = false
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      if (next > 0 && script.pauseMs !== undefined) await Bun.sleep(script.pauseMs)
      if (over) return
      if (script.cutAfter !== undefined && next >= script.cutAfter) {
        over = true
        upstream.charge(script.usage)
        controller.error(new Error('scripted cut'))
        return
      }
      const frame = frames[next]
      next += 1
      if (frame !== undefined) controller.enqueue(encoder.encode(frame))
      if (next < frames.length) return
      over = true
      upstream.charge(script.usage)
      controller.close()
    },
    cancel() {
      if (over) return
      over = true
      upstream.aborted += 1
      upstream.charge(script.usage)
    },
  })
  return new Response(body, { headers: { 'content-type': contentType, ...script.headers } })
}

/** Builder of an OpenAI chat answer: `chat.completion` or its chunks. */
export const answerChat: Answerer = ({ body }, script, upstream) => {
  const model = String(body['model'])
  const text = script.text ?? []
  const finish = script.finish ?? (script.toolCalls ? 'tool_calls' : 'stop')
  const base = { id: 'chatcmpl-test', created: 1_700_000_000, model }
  if (body['stream'] !== true) {
    upstream.charge(script.usage)
    const message = {
      role: 'assistant', content: script.text || !script.toolCalls ? text.join('') : null,
      ...(script.toolCalls ? { tool_calls: script.toolCalls.map(({ id, name, arguments: args }) => ({ id, type: 'function', function: { name, arguments: args } })) } : {}),
    }
    const usage = script.usage ? { usage: chatUsage(script.usage) } : {}
    const whole = { ...base, object: 'chat.completion', choices: [{ index: 0, message, logprobs: null, finish_reason: finish }], ...usage }
    return Response.json(whole, { headers: script.headers ?? {} })
  }
  const options = body['stream_options'] as { include_usage?: boolean } | undefined
  const chunk = (choices: unknown[], extra: object = {}): string => `data: ${JSON.stringify({ ...base, object: 'chat.completion.chunk', choices, ...extra })}\n\n`
  const delta = (value: object, finishReason: string | null = null): string => chunk([{ index: 0, delta: value, finish_reason: finishReason }])
  const frames = [
    delta({ role: 'assistant', content: '' }),
    ...text.map((content) => delta({ content })),
    ...(script.toolCalls ?? []).flatMap(({ id, name, arguments: args }, index) => [
      delta({ tool_calls: [{ index, id, type: 'function', function: { name, arguments: '' } }] }),
      delta({ tool_calls: [{ index, function: { arguments: args } }] }),
    ]),
    delta({}, finish),
    ...(options?.include_usage === true && script.usage ? [chunk([], { usage: chatUsage(script.usage) })] : []),
    'data: [DONE]\n\n',
  ]
  return streamOf(frames, script, upstream)
}

function chatUsage({ prompt, completion, cached, reasoning }: ScriptedUsage): object {
  return {
    prompt_tokens: prompt, completion_tokens: completion, total_tokens: prompt + completion,
    ...(cached === undefined ? {} : { prompt_tokens_details: { cached_tokens: cached } }),
    ...(reasoning === undefined ? {} : { completion_tokens_details: { reasoning_tokens: reasoning } }),
  }
}
