import { isObject, type JsonObject } from '../../../contract/json.ts'
import type { Money } from '../../../contract/money.ts'
import type { EndReason } from '../../features/billing/rules.ts'
import { describeError } from '../../lib/log.ts'
import type { AdmittedCall } from '../call.ts'
import type { RelayDeps } from '../deps.ts'
import { parsed } from '../attempt.ts'
import { parseSse } from '../protocols/sse.ts'
import type { Watched } from '../watch.ts'
import type { ServiceAnswer } from './send.ts'
import type { Answered } from './service.ts'

/** Ends a service's call: what it used is asked of the service, then everything is as for any other call. */
export type Finish = (answered: Answered, endReason: EndReason, error: string) => Promise<Money>

/** Text kept of a stream for counting; a longer transcript is counted as far as this. */
const MAX_TEXT = 1_000_000

const encoder = new TextEncoder()

/**
 * Sound or events on their way to the client, byte for byte. Pull-based: a client that stops reading stops the upstream. The charge
 * is committed before the end leaves, and before the last event when that states the usage.
 */
export class PassedStream implements Watched {
  sentAtMs: number
  heardAtMs: number
  readonly #call: AdmittedCall
  readonly #answer: ServiceAnswer
  readonly #finish: Finish
  readonly #deps: RelayDeps
  /** Only events can be read, and only they have room for a comment. */
  readonly #events: ReturnType<typeof parseSse> | undefined
  readonly #answered: Answered = { json: undefined, text: '', items: undefined }
  #first: Uint8Array | undefined
  /** States the usage: kept until something follows or the charge is committed. */
  #held: Uint8Array | undefined
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined
  #over = false
  #timedOut = false

  constructor(call: AdmittedCall, answer: ServiceAnswer, finish: Finish, deps: RelayDeps) {
    this.#call = call
    this.#answer = answer
    this.#finish = finish
    this.#deps = deps
    this.#first = answer.stream?.first
    this.#events = answer.response.headers.get('content-type')?.includes('text/event-stream') === true ? parseSse() : undefined
    this.sentAtMs = this.heardAtMs = deps.clock.monotonic()
  }

  /** The body of the response. */
  body(): ReadableStream<Uint8Array> {
    this.#deps.watch.add(this)
    return new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          this.#controller = controller
        },
        pull: () => this.#pull(),
        cancel: () => this.#clientLeft(),
      },
      { highWaterMark: 0 },
    )
  }

  keepAlive(): void {
    if (!this.#over && this.#events) this.#controller?.enqueue(encoder.encode(': keep-alive\n\n'))
  }

  timeOut(): void {
    this.#timedOut = true
    this.#answer.abort.abort()
  }

  async #pull(): Promise<void> {
    try {
      for (;;) {
        const bytes = this.#first ?? (await this.#answer.stream?.reader.read())?.value
        this.#first = undefined
        if (this.#over) return
        this.sentAtMs = this.heardAtMs = this.#deps.clock.monotonic()
        if (bytes === undefined) return await this.#end()
        this.#send()
        if (this.#read(bytes)) {
          this.#held = bytes
          continue
        }
        this.#controller?.enqueue(bytes)
        return
      }
    } catch (error) {
      await this.#fail(error)
    }
  }

  async #end(): Promise<void> {
    this.#close()
    try {
      await this.#finish(this.#answered, 'complete', '')
    } catch (error) {
      // The books could not be written: the customer must not take the answer for whole.
      this.#unsettled(error)
      this.#controller?.error(new Error('the call could not be settled'))
      return
    }
    this.#send()
    this.#controller?.close()
  }

  /** What was held back. */
  #send(): void {
    if (this.#held) this.#controller?.enqueue(this.#held)
    this.#held = undefined
  }

  /** @returns true when these bytes state the usage */
  #read(bytes: Uint8Array): boolean {
    let states = false
    for (const { data } of this.#events?.push(bytes) ?? []) {
      const event = parsed(encoder.encode(data))
      if (!isObject(event)) continue
      states = this.#note(event) || states
    }
    return states
  }

  #note(event: JsonObject): boolean {
    const { type, delta } = event
    if (typeof delta === 'string' && this.#answered.text.length < MAX_TEXT) this.#answered.text += delta
    if (typeof type === 'string' && type.endsWith('.completed')) this.#answered.items = (this.#answered.items ?? 0) + 1
    const states = isObject(event.usage)
    if (states || !isObject(this.#answered.json?.usage)) this.#answered.json = event
    return states
  }

  /** The upstream broke off: what came is charged, and the client sees a broken answer, not a short one. */
  async #fail(error: unknown): Promise<void> {
    if (this.#over) return
    this.#close()
    const [reason, words] = this.#timedOut
      ? (['timeout_after_content', 'the upstream was silent for too long'] as const)
      : (['upstream_error_after_content', describeError(error)] as const)
    await this.#settle(reason, words)
    this.#controller?.error(new Error('the answer broke off'))
  }

  async #clientLeft(): Promise<void> {
    if (this.#over) return
    this.#close()
    this.#answer.abort.abort()
    await this.#settle('client_gone', 'the client left')
  }

  /** Nobody waits for this one: the books' own trouble is logged. */
  async #settle(reason: EndReason, words: string): Promise<void> {
    try {
      await this.#finish(this.#answered, reason, words)
    } catch (error) {
      this.#unsettled(error)
    }
  }

  #unsettled(error: unknown): void {
    this.#deps.log.error('a call could not be settled', { request_id: this.#call.requestId, cause: describeError(error) })
  }

  #close(): void {
    this.#over = true
    this.#deps.watch.remove(this)
  }
}
