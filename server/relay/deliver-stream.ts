import { EMPTY_USAGE, type Usage, type UsageDetails } from '../../contract/meters.ts'
import { AppError } from '../../contract/errors.ts'
import { asAppError } from '../http/errors.ts'
import { failpoint } from '../lib/failpoint.ts'
import { describeError } from '../lib/log.ts'
import type { EndReason } from '../features/billing/rules.ts'
import type { AdmittedCall, UpstreamAnswer } from './call.ts'
import type { Cover } from './cover.ts'
import type { RelayDeps } from './deps.ts'
import { BLOCKED, faultedBy, USED_UP, type Ending } from './endings.ts'
import { faultOf } from './faults.ts'
import { ScreenedRoad } from './filter/screened-road.ts'
import type { Fault, Loss } from './protocols/canonical.ts'
import type { Framer } from './protocols/gemini/stream.ts'
import type { Frame, Translator } from './protocols/protocol.ts'
import { roadOf, type Road } from './roads.ts'
import { itemsOf, type Outcome, type Settlement } from './settlement.ts'
import { rememberStream } from './stored-responses.ts'
import type { Watched } from './watch.ts'

const encoder = new TextEncoder()

/** How long an upstream may take to close after its end marker before its connection is given up. */
const DRAIN_MS = 1_000

/**
 * One streamed answer on its way to the client. Pull-based: a client that stops reading stops the upstream read. What is
 * kept is one event and a bounded text, never the stream. The charge is committed before the end marker leaves.
 */
export class StreamDelivery implements Watched {
  sentAtMs: number
  heardAtMs: number
  readonly #call: AdmittedCall
  readonly #deps: RelayDeps
  readonly #settlement: Settlement
  readonly #cover: Cover
  readonly #framer: Framer
  readonly #form: Translator<Frame, Frame> | undefined
  readonly #usage: Partial<Usage & UsageDetails> = {}
  #answer: UpstreamAnswer | undefined
  #pending: Promise<UpstreamAnswer> | undefined
  #road: Road | undefined
  /** The road again, where the owner's filter reads answers. */
  #screen: ScreenedRoad | undefined
  /** What was read of the stream before it was delivered. */
  #first: Frame[] | undefined
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined
  #firstContentMs: number | null = null
  #over = false
  #gone = false
  #timedOut = false
  /** The upstream closed its side: nothing to abort. */
  #closed = false

  /** @param answer the upstream's, or the promise of it when the client already waits for long */
  constructor(call: AdmittedCall, answer: UpstreamAnswer | Promise<UpstreamAnswer>, settlement: Settlement, cover: Cover, deps: RelayDeps) {
    this.#call = call
    this.#deps = deps
    this.#settlement = settlement
    this.#cover = cover
    this.#framer = call.ingress.framer()
    this.#form = call.adapted?.stream()
    this.sentAtMs = this.heardAtMs = deps.clock.monotonic()
    if (answer instanceof Promise) this.#pending = answer
    else this.#begin(answer)
  }

  get contentType(): string {
    return this.#framer.contentType
  }

  /** The body of the response. */
  body(): ReadableStream<Uint8Array> {
    this.#deps.watch.add(this)
    return new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          this.#controller = controller
          // The client has waited for a keep-alive's time already, and has not even the headers.
          if (this.#pending) this.keepAlive()
        },
        pull: () => this.#pull(),
        cancel: () => this.#clientLeft(),
      },
      { highWaterMark: 0 },
    )
  }

  keepAlive(): void {
    if (!this.#over) this.#controller?.enqueue(encoder.encode(this.#framer.keepAlive))
  }

  timeOut(): void {
    this.#timedOut = true
    this.#answer?.abort.abort()
  }

  #begin(answer: UpstreamAnswer): void {
    failpoint('answer_begun')
    this.#answer = answer
    this.#road = roadOf(this.#call, answer.candidate)
    const lexicon = this.#deps.filter.answers ? this.#deps.filter.lexicon() : undefined
    if (lexicon) this.#road = this.#screen = new ScreenedRoad(this.#road, this.#call, lexicon)
    this.#first = answer.stream?.frames
  }

  /** Reads until there is something to send, or the end. */
  async #pull(): Promise<void> {
    try {
      if (this.#pending) {
        const pending = this.#pending
        this.#pending = undefined
        this.#begin(await pending)
      }
      const answer = this.#answer
      const road = this.#road
      if (!answer?.stream || !road) throw new TypeError('a stream delivery needs a stream')
      for (;;) {
        let frames = this.#first
        this.#first = undefined
        let last = false
        if (!frames) {
          const { parser, reader } = answer.stream
          const { done, value } = await reader.read()
          if (this.#over) return
          last = done
          frames = done ? parser.end() : parser.push(value)
        }
        this.heardAtMs = this.#deps.watch.nowMs
        let out = this.#translate(frames, road)
        while (frames.length > 0 && !road.fault && !this.#screen?.blocked) {
          if (!(await this.#cover.extend(road.text, this.#usage, answer.candidate))) return await this.#end(USED_UP, out)
          if (this.#over) return
          out += this.#translate(frames, road)
        }
        if (this.#screen?.blocked) return await this.#block(this.#screen, out)
        if (road.fault) return await this.#end(faultedBy(road.fault, this.#call, answer, this.#broken('upstream_error')), out)
        if (last) this.#closed = true
        if (last || road.ended) return await this.#finish(out, road)
        if (out !== '') {
          this.#send(out)
          return
        }
      }
    } catch (error) {
      await this.#fail(error)
    }
  }

  /** Takes the frames that the hold covers; what is left of them is beyond it. */
  #translate(frames: Frame[], road: Road): string {
    let out = ''
    let taken = 0
    for (const frame of frames) {
      if (road.text.chars >= this.#cover.chars) break
      taken += 1
      out += this.#write(road.push(frame, this.#usage))
      if (road.fault || this.#screen?.blocked) break
    }
    if (taken === frames.length) frames.length = 0
    else frames.splice(0, taken)
    if (this.#firstContentMs === null && road.hasContent) this.#firstContentMs = this.#deps.clock.monotonic() - this.#call.startedMs
    return out
  }

  /** Frames as text; `final` ones are in the operation's own form already. */
  #write(frames: readonly Frame[], final = false): string {
    let text = ''
    for (const frame of frames) {
      if (!this.#form || final) text += this.#framer.write(frame)
      else for (const formed of this.#form.push(frame)) text += this.#framer.write(formed)
    }
    return text
  }

  /** The upstream said its end, or closed: a normal end only if its protocol's end was seen. */
  async #finish(out: string, road: Road): Promise<void> {
    const tail = road.end(this.#usage)
    if (this.#screen?.blocked) return this.#block(this.#screen, out + this.#write(tail))
    if (!road.complete) {
      const fault: Fault = { kind: 'upstream', status: 502, message: 'The upstream broke off before the end of its answer' }
      return this.#end({ endReason: this.#broken('upstream_error'), fault, error: fault.message }, out)
    }
    rememberStream(this.#call, this.#answer?.candidate, tail, this.#deps)
    // Everything but the end goes out before the commit is waited for.
    if (out !== '') this.#send(out)
    await this.#end({ endReason: 'complete', fault: undefined, error: '' }, this.#last(tail))
  }

  /** What led up to the word goes out, then the end that stands in its place. */
  #block(screen: ScreenedRoad, out: string): Promise<void> {
    return this.#end(BLOCKED, out + this.#last(screen.block()))
  }

  #last(frames: readonly Frame[]): string {
    return this.#write(frames) + (this.#form ? this.#write(this.#form.end(), true) : '')
  }

  async #fail(error: unknown): Promise<void> {
    if (this.#over) return
    // Dispatch gave up while the client already waited; it has settled the call itself.
    if (error instanceof AppError)
      return this.#end({ endReason: this.#broken('upstream_error'), fault: faultOf(error), error: describeError(error) }, '')
    if (this.#timedOut) {
      const fault: Fault = { kind: 'timeout', status: 504, message: 'The upstream was silent for too long' }
      return this.#end({ endReason: this.#broken('timeout'), fault, error: fault.message }, '')
    }
    const fault: Fault = { kind: 'upstream', status: 502, message: 'The connection to the upstream broke' }
    return this.#end({ endReason: this.#broken('upstream_error'), fault, error: describeError(error) }, '')
  }

  #broken(cause: 'upstream_error' | 'timeout'): EndReason {
    return this.#road && (this.#road.hasContent || !this.#road.text.empty) ? `${cause}_after_content` : `${cause}_before_content`
  }

  /** Settles, then sends the last frames: the end marker, or the protocol's own error. */
  async #end(ending: Ending, last: string): Promise<void> {
    this.#close()
    let { fault } = ending
    try {
      await this.#settlement.finish(this.#outcome(ending))
    } catch (error) {
      // The books could not be written: the customer must not take the answer for whole.
      this.#deps.log.error('a call could not be settled', { request_id: this.#call.requestId, cause: describeError(error) })
      fault = faultOf(asAppError(error))
    }
    let shown = fault ? `${ending.fault ? last : ''}${this.#write(this.#failed(fault), true)}` : last
    if (this.#gone) return
    shown += this.#framer.end()
    if (shown !== '') this.#controller?.enqueue(encoder.encode(shown))
    this.#controller?.close()
  }

  #failed(fault: Fault): Frame[] {
    const { requestId, ingress } = this.#call
    return this.#road?.fail(fault, requestId) ?? ingress.protocol.encodeStreamError(fault, requestId)
  }

  async #clientLeft(): Promise<void> {
    this.#gone = true
    if (this.#over) return
    this.#close()
    await this.#settlement
      .finish(this.#outcome({ endReason: 'client_gone', fault: undefined, error: 'the client left' }))
      .catch((error: unknown) => {
        this.#deps.log.error('a call could not be settled', { request_id: this.#call.requestId, cause: describeError(error) })
      })
  }

  #close(): void {
    this.#over = true
    this.#deps.watch.remove(this)
    if (this.#closed) return
    if (this.#road?.ended && this.#answer?.stream) void this.#drain(this.#answer.stream.reader, this.#answer.abort)
    else this.#answer?.abort.abort()
  }

  /** After the end marker the upstream closes at once; read that, so that its connection can be used again. */
  async #drain(reader: ReadableStreamDefaultReader<Uint8Array>, abort: AbortController): Promise<void> {
    const timer = setTimeout(() => abort.abort(), DRAIN_MS)
    try {
      const { done } = await reader.read()
      if (!done) abort.abort()
    } catch {
      // The connection is gone: there is nothing left to be closed.
    } finally {
      clearTimeout(timer)
    }
  }

  #outcome(ending: Ending): Outcome {
    const road = this.#road
    return {
      endReason: ending.endReason,
      status: ending.fault && !this.#answer ? ending.fault.status : 200,
      candidate: this.#answer?.candidate,
      attempts: this.#answer?.attempts ?? [],
      losses: this.#losses(),
      usage: Object.keys(this.#usage).length === 0 ? undefined : { ...EMPTY_USAGE, ...this.#usage },
      produced: road?.text,
      items: itemsOf(this.#call, (road?.lastChoice ?? 0) + 1),
      error: ending.error,
      firstResponseMs: this.#firstContentMs,
    }
  }

  #losses(): readonly Loss[] {
    return [...(this.#answer?.losses ?? []), ...(this.#road?.losses ?? [])]
  }

  #send(text: string): void {
    this.sentAtMs = this.#deps.watch.nowMs
    this.#controller?.enqueue(encoder.encode(text))
    failpoint('in_answer')
  }
}
