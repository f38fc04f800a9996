import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { isObject, type JsonObject } from '../../contract/json.ts'
import { chat } from './chat.ts'
import { claude } from './claude.ts'
import { gemini } from './gemini.ts'
import { responses } from './responses.ts'
import { refusalOf } from './rules.ts'
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
 * run at once. It refuses what the makers refuse (rules.ts) and keeps what it received and its own bill, independent of the gateway's.
 * @example
 * const upstream = await Upstream.start()
 * upstream.always = { answer: { parts: [{ text: 'Hi' }] } }
 * upstream.next({ error: { status: 429, message: 'slow down' } }) // the next request only
 */
export class Upstream {
  readonly received: Received[] = []
  /** What is done with every request that no queued script takes. */
  always: Script = {}
  /** Scripts by the upstream's model name; they win over `always`. */
  readonly models = new Map<string, Script>()
  /** What is done with one request, by what it says; wins over all but the queue. */
  choose: ((got: Received) => Script) | undefined
  readonly #queue: Script[] = []
  readonly #issued: Record<Wire, Set<string>> = { chat: new Set(), responses: new Set(), claude: new Set(), gemini: new Set() }
  readonly #server: Server
  #serial = 0

  private constructor(server: Server) {
    this.#server = server
    server.on('request', (request: IncomingMessage, response: ServerResponse) => void this.#answer(request, response))
  }

  /** Starts one on a port of its own. node:http, because its sockets can be broken off. */
  static async start(): Promise<Upstream> {
    const server = createServer()
    const upstream = new Upstream(server)
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    return upstream
  }

  /** The base URL for a channel of any type. */
  get url(): string {
    const address = this.#server.address()
    if (typeof address !== 'object' || address === null) throw new Error('the upstream does not run')
    return `http://127.0.0.1:${address.port}`
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
    this.choose = undefined
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise<void>((resolve) => this.#server.close(() => resolve()))
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', this.url)
    const wire = wireOf(url.pathname)
    const text = await textOf(request)
    if (wire === undefined)
      return send(
        response,
        404,
        { 'content-type': 'application/json' },
        JSON.stringify({ error: { message: `no such address: ${url.pathname}` } }),
      )
    const parsed: unknown = text === '' ? {} : JSON.parse(text)
    const body: JsonObject = isObject(parsed) ? parsed : {}
    const got = this.#keep(request, url, wire, text, body)
    const script = this.#queue.shift() ?? this.choose?.(got) ?? this.models.get(got.model) ?? this.always
    response.on('close', () => {
      if (!got.finished) got.closedMs ??= performance.now()
    })
    if (script.delayMs === 'silence') return
    if (script.delayMs !== undefined) await Bun.sleep(script.delayMs)
    const speaker = speakers[wire]
    if (script.reply) {
      got.finished = true
      const { status = 200, headers = { 'content-type': 'application/json' }, body: raw } = script.reply
      return send(response, status, headers, isObject(raw) ? JSON.stringify(raw) : raw)
    }
    if (script.error) {
      got.finished = true
      const { status, message, headers } = script.error
      return send(response, status, { 'content-type': 'application/json', ...headers }, JSON.stringify(speaker.error(status, message)))
    }
    const refused = refusalOf(wire, body, got.model, this.#issued[wire])
    if (refused !== undefined) {
      got.finished = true
      return send(response, 400, { 'content-type': 'application/json' }, JSON.stringify(speaker.error(400, refused)))
    }
    const answer = wire === 'gemini' ? signed(script.answer ?? PLAIN, this.#serial) : (script.answer ?? PLAIN)
    this.#remember(wire, answer)
    got.billed = answer.usage === undefined ? (answer.tokens ?? DEFAULT_TOKENS) : undefined
    const call: SpokenCall = { model: got.model, serial: this.#serial, pieces: script.pieces ?? 3, usageAsked: asksUsage(body) }
    if (got.stream) return stream(response, speaker, speaker.frames(answer, call), script, got)
    got.finished = true
    send(response, 200, { 'content-type': 'application/json' }, JSON.stringify(speaker.whole(answer, call)))
  }

  /** Seals are valid where they were made only. */
  #remember(wire: Wire, answer: Answer): void {
    answer.parts.forEach((part, index) => {
      const seal = 'redacted' in part ? part.redacted : 'seal' in part ? part.seal : undefined
      // OpenAI's is bound to the id of its item.
      if (seal !== undefined) this.#issued[wire].add(wire === 'responses' ? `rs_${this.#serial}_${index}:${seal}` : seal)
    })
  }

  #keep(request: IncomingMessage, url: URL, wire: Wire, text: string, body: JsonObject): Received {
    this.#serial += 1
    const path = url.pathname + url.search
    const fromPath = /\/models\/(.+):/.exec(decodeURIComponent(url.pathname))?.[1]
    const got: Received = {
      wire,
      path,
      headers: new Headers(request.headers as Record<string, string>),
      text,
      body,
      atMs: performance.now(),
      closedMs: undefined,
      finished: false,
      sent: 0,
      billed: undefined,
      model: fromPath ?? (typeof body.model === 'string' ? body.model : ''),
      stream: wire === 'gemini' ? path.includes(':stream') : body.stream === true,
    }
    this.received.push(got)
    return got
  }
}

/** Gemini signs the first call of each answer. */
function signed(answer: Answer, serial: number): Answer {
  const first = answer.parts.findIndex((part) => 'call' in part)
  return {
    ...answer,
    parts: answer.parts.map((part, index) => (index === first && 'call' in part ? { seal: `signature+${serial}==`, ...part } : part)),
  }
}

/** So that frames sent before a break arrive before it. */
const BREAK_AFTER_MS = 20

/** A stream by its script, one frame a chunk. */
async function stream(response: ServerResponse, speaker: Speaker, all: readonly string[], script: Script, got: Received): Promise<void> {
  const { cut, pauseMs = 0, lingerMs = 0 } = script
  const frames = cut ? all.slice(0, cut.after) : [...all]
  if (cut?.how === 'error') frames.push(speaker.errorFrame(cut.message ?? 'the upstream stumbled'))
  response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8' })
  response.flushHeaders()
  for (const frame of frames) {
    if (got.sent > 0) await Bun.sleep(pauseMs)
    if (got.closedMs !== undefined) return
    got.sent += 1
    if (got.sent === all.length && cut === undefined) got.finished = true
    // A reader that stops reading stops the upstream, as it would stop a real one.
    if (!response.write(frame)) await drained(response)
  }
  if (cut?.how === 'silence') return
  if (cut?.how === 'break') {
    await Bun.sleep(BREAK_AFTER_MS)
    got.finished = true
    response.socket?.destroy()
    return
  }
  if (lingerMs > 0) await Bun.sleep(lingerMs)
  got.finished = true
  response.end()
}

function drained(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      response.off('drain', done)
      response.off('close', done)
      resolve()
    }
    response.on('drain', done)
    response.on('close', done)
  })
}

function send(response: ServerResponse, status: number, headers: Record<string, string>, body: string | Uint8Array): void {
  response.writeHead(status, headers)
  response.end(body)
}

async function textOf(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = []
  for await (const part of request) parts.push(part as Buffer)
  return Buffer.concat(parts).toString('utf8')
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
