import { isObject, type JsonObject } from '../../contract/json.ts'
import { chat } from './chat.ts'
import { claude } from './claude.ts'
import { gemini } from './gemini.ts'
import { responses } from './responses.ts'
import { DEFAULT_TOKENS, type Answer, type Script, type Speaker, type SpokenCall, type Tokens, type Wire } from './script.ts'

const speakers: Record<Wire, Speaker> = { chat, responses, claude, gemini }

/** One request as it arrived, and what became of it. */
export interface Received {
  readonly wire: Wire
  readonly path: string
  readonly headers: Headers
  readonly text: string
  readonly body: JsonObject
  readonly model: string
  readonly stream: boolean
  /** When it came, performance.now(). */
  readonly atMs: number
  /** When the other side broke the connection off before the answer was whole. */
  closedMs: number | undefined
  /** The answer went out whole. */
  finished: boolean
  /** Frames sent so far. */
  sent: number
  /** What the upstream bills for it: set once it began to answer. */
  billed: Tokens | undefined
}

const PLAIN: Answer = { parts: [{ text: 'Hello from the upstream.' }] }

/**
 * A scripted provider that speaks all four protocols, each at its own addresses. No state outside the instance; several may
 * run at once. It keeps what it received and its own bill, independent of the gateway's.
 * @example
 * const upstream = new Upstream()
 * upstream.always = { answer: { parts: [{ text: 'Hi' }] } }
 * upstream.next({ error: { status: 429, message: 'slow down' } }) // the next request only
 */
export class Upstream {
  readonly received: Received[] = []
  /** What is done with every request that no queued script takes. */
  always: Script = {}
  /** Scripts by the upstream's model name; they win over `always`. */
  readonly models = new Map<string, Script>()
  readonly #queue: Script[] = []
  readonly #server: ReturnType<typeof Bun.serve>
  #serial = 0

  constructor() {
    this.#server = Bun.serve({ port: 0, hostname: '127.0.0.1', idleTimeout: 0, fetch: (request) => this.#answer(request) })
  }

  /** The base URL for a channel of any type. */
  get url(): string {
    return `http://127.0.0.1:${this.#server.port}`
  }

  /** Scripts for the next requests, in order, whatever model they ask for. */
  next(...scripts: Script[]): void {
    this.#queue.push(...scripts)
  }

  /** The last request. */
  get last(): Received {
    const last = this.received.at(-1)
    if (!last) throw new Error('the upstream was not asked')
    return last
  }

  /** Sum of what it bills. */
  bill(): Required<Tokens> {
    const sum: Required<Tokens> = { input: 0, output: 0, cachedInput: 0, cacheWrite: 0, reasoning: 0 }
    for (const { billed } of this.received) {
      if (!billed) continue
      for (const key of ['input', 'output', 'cachedInput', 'cacheWrite', 'reasoning'] as const) sum[key] += billed[key] ?? 0
    }
    return sum
  }

  /** Forgets what was received and scripted; connections stay. */
  reset(): void {
    this.received.length = 0
    this.#queue.length = 0
    this.models.clear()
    this.always = {}
  }

  async stop(): Promise<void> {
    await this.#server.stop(true)
  }

  async #answer(request: Request): Promise<Response> {
    const url = new URL(request.url)
    const wire = wireOf(url.pathname)
    if (wire === undefined) return Response.json({ error: { message: `no such address: ${url.pathname}` } }, { status: 404 })
    const text = await request.text()
    const parsed: unknown = text === '' ? {} : JSON.parse(text)
    const body: JsonObject = isObject(parsed) ? parsed : {}
    const got = this.#keep(request, url, wire, text, body)
    const script = this.#queue.shift() ?? this.models.get(got.model) ?? this.always
    request.signal.addEventListener('abort', () => {
      if (!got.finished) got.closedMs ??= performance.now()
    })
    if (script.delayMs === 'silence') await new Promise<never>(() => undefined)
    else if (script.delayMs !== undefined) await Bun.sleep(script.delayMs)
    const speaker = speakers[wire]
    if (script.reply) {
      got.finished = true
      const { status = 200, headers = { 'content-type': 'application/json' }, body: raw } = script.reply
      return new Response((isObject(raw) ? JSON.stringify(raw) : raw) as BodyInit, { status, headers })
    }
    if (script.error) {
      got.finished = true
      const { status, message, headers } = script.error
      return Response.json(speaker.error(status, message), { status, ...(headers && { headers }) })
    }
    const answer = script.answer ?? PLAIN
    got.billed = answer.usage === undefined ? answer.tokens ?? DEFAULT_TOKENS : undefined
    const call: SpokenCall = { model: got.model, serial: this.#serial, pieces: script.pieces ?? 3, usageAsked: asksUsage(body) }
    if (got.stream) return streamed(speaker, speaker.frames(answer, call), script, got)
    got.finished = true
    return Response.json(speaker.whole(answer, call))
  }

  #keep(request: Request, url: URL, wire: Wire, text: string, body: JsonObject): Received {
    this.#serial += 1
    const path = url.pathname + url.search
    const fromPath = /\/models\/(.+):/.exec(decodeURIComponent(url.pathname))?.[1]
    const got: Received = {
      wire, path, headers: request.headers, text, body, atMs: performance.now(), closedMs: undefined, finished: false, sent: 0, billed: undefined,
      model: fromPath ?? (typeof body.model === 'string' ? body.model : ''), stream: wire === 'gemini' ? path.includes(':stream') : body.stream === true,
    }
    this.received.push(got)
    return got
  }
}

const encoder = new TextEncoder()

/** A stream by its script, one frame a chunk. */
function streamed(speaker: Speaker, all: readonly string[], script: Script, got: Received): Response {
  const { cut, pauseMs = 0, lingerMs = 0 } = script
  const frames = cut ? all.slice(0, cut.after) : [...all]
  if (cut?.how === 'error') frames.push(speaker.errorFrame(cut.message ?? 'the upstream stumbled'))
  let next = 0
  return new Response(
    new ReadableStream<Uint8Array>({
      async pull(controller) {
        const frame = frames[next]
        if (frame === undefined) {
          if (cut?.how === 'silence') await new Promise<never>(() => undefined)
          if (cut?.how === 'break') throw new Error('the connection breaks, as the script says')
          if (lingerMs > 0) await Bun.sleep(lingerMs)
          got.finished = true
          if (got.closedMs === undefined) controller.close()
          return
        }
        if (next > 0 && pauseMs > 0) await Bun.sleep(pauseMs)
        if (got.closedMs !== undefined) return
        next += 1
        got.sent = next
        controller.enqueue(encoder.encode(frame))
        if (next === all.length && cut === undefined) got.finished = true
      },
      cancel() {
        if (!got.finished) got.closedMs ??= performance.now()
      },
    }, { highWaterMark: 0 }),
    { headers: { 'content-type': 'text/event-stream; charset=utf-8' } },
  )
}

function wireOf(path: string): Wire | undefined {
  if (path.endsWith('/chat/completions')) return 'chat'
  if (path.endsWith('/responses')) return 'responses'
  if (path.endsWith('/messages')) return 'claude'
  return /\/models\/.+:(stream)?[gG]enerateContent$/.test(path) ? 'gemini' : undefined
}

function asksUsage(body: JsonObject): boolean {
  return isObject(body.stream_options) && body.stream_options.include_usage === true
}
