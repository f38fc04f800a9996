import type { Usage, UsageDetails } from '../../../contract/meters.ts'
import type { AdmittedCall } from '../call.ts'
import { streamCallOf } from '../deliver.ts'
import type { Event, Fault, Loss } from '../protocols/canonical.ts'
import type { Frame, Protocol, Translator } from '../protocols/protocol.ts'
import type { Road } from '../roads.ts'
import type { TextMeter } from '../text-meter.ts'
import type { Lexicon } from './lexicon.ts'
import { TextScanner } from './scanner.ts'

/** More frames than a word can span but for one made of nothing that is seen: then the oldest go, and the word is still found. */
const MAX_HELD_FRAMES = 2_048

/** Blocks whose deltas are words; a picture's are base64. */
const WORDS = new Set(['text', 'reasoning', 'refusal', 'call'])

/** A frame with what it says, until no word can span it any more. */
interface Held {
  frame: Frame
  events: readonly Event[]
  /** How far each text it adds to must be cleared. */
  until: readonly [scanner: TextScanner, read: number][]
}

/**
 * A road whose text is read for the owner's words. Frames go on untouched as soon as no word can begin in them, mostly at once.
 * Where a word is found, nothing of it has left, and the answer ends as the client's protocol ends an answer that its maker's
 * filter stops. To know how, the events of what has left are kept in an encoder of that protocol.
 */
export class ScreenedRoad implements Road {
  readonly #inner: Road
  readonly #lexicon: Lexicon
  readonly #protocol: Protocol
  readonly #decoder: Translator<Frame, Event>
  readonly #shadow: Translator<Event, Frame>
  readonly #scanners = new Map<string, TextScanner>()
  /** Blocks that the client has seen open and not closed. */
  readonly #open = new Map<string, { choice: number; index: number }>()
  readonly #choices = new Set<number>()
  #held: Held[] = []
  #found = false

  constructor(inner: Road, call: AdmittedCall, lexicon: Lexicon) {
    this.#inner = inner
    this.#lexicon = lexicon
    this.#protocol = call.ingress.protocol
    this.#decoder = this.#protocol.decodeStream()
    this.#shadow = this.#protocol.encodeStream(streamCallOf(call))
  }

  /** A word was found: nothing more is to be read. */
  get blocked(): boolean {
    return this.#found
  }

  get text(): TextMeter {
    return this.#inner.text
  }

  get hasContent(): boolean {
    return this.#inner.hasContent
  }

  get fault(): Fault | undefined {
    return this.#inner.fault
  }

  get ended(): boolean {
    return this.#inner.ended
  }

  get complete(): boolean {
    return this.#inner.complete
  }

  get losses(): readonly Loss[] {
    return this.#inner.losses
  }

  get lastChoice(): number {
    return this.#inner.lastChoice
  }

  push(frame: Frame, usage: Partial<Usage & UsageDetails>): Frame[] {
    return this.#screen(this.#inner.push(frame, usage))
  }

  /** What is held is the beginning of a word at most: the answer is broken anyhow. */
  fail(fault: Fault, requestId: string): Frame[] {
    return this.#inner.fail(fault, requestId)
  }

  end(usage: Partial<Usage & UsageDetails>): Frame[] {
    const frames = this.#screen(this.#inner.end(usage))
    if (this.#found) return frames
    return [...frames, ...this.#held.splice(0).map(({ frame }) => frame)]
  }

  /** The frames that end the answer in place of the word. */
  block(): Frame[] {
    const frames = [...this.#open.values()].flatMap((place) => this.#shadow.push({ type: 'close', ...place }))
    const finish = { reason: 'content_filter' } as const
    for (const choice of this.#choices.size > 0 ? this.#choices : [0]) frames.push(...this.#shadow.push({ type: 'finish', choice, finish }))
    return [...frames, ...this.#shadow.end()]
  }

  /** Reads frames in the client's protocol. @returns those that may leave */
  #screen(frames: readonly Frame[]): Frame[] {
    for (const frame of frames) {
      const events = this.#decoder.push(frame)
      const until: [TextScanner, number][] = []
      for (const event of events) {
        const scanner = this.#read(event)
        if (scanner) until.push([scanner, scanner.read])
      }
      if (this.#found) break
      this.#held.push({ frame, events, until })
    }
    return this.#release()
  }

  #read(event: Event): TextScanner | undefined {
    if (event.type !== 'open' && event.type !== 'delta' && event.type !== 'close') return undefined
    const key = `${event.choice}:${event.index}`
    if (event.type === 'open' && WORDS.has(event.block.type)) this.#scanners.set(key, new TextScanner(this.#lexicon))
    const scanner = this.#scanners.get(key)
    if (!scanner) return undefined
    scanner.push(piece(event))
    if (scanner.found) this.#found = true
    if (event.type === 'close') {
      scanner.close()
      this.#scanners.delete(key)
    }
    return scanner
  }

  #release(): Frame[] {
    const kept = this.#held.findIndex(({ until }) => until.some(([scanner, read]) => scanner.cleared < read))
    const count = Math.max(kept < 0 ? this.#held.length : kept, this.#held.length - MAX_HELD_FRAMES)
    return this.#held.splice(0, count).map(({ frame, events }) => {
      for (const event of events) this.#follow(event)
      return frame
    })
  }

  /** What the client sees, its encoder knows. */
  #follow(event: Event): void {
    this.#shadow.push(event)
    if (event.type === 'open' || event.type === 'close') {
      const { choice, index } = event
      const key = `${choice}:${index}`
      if (event.type === 'open') this.#open.set(key, { choice, index })
      else this.#open.delete(key)
    }
    if ('choice' in event) this.#choices.add(event.choice)
    if (event.type === 'finish') this.#choices.delete(event.choice)
  }
}

/** The words an event adds. A call's name is the client's own. */
function piece(event: Extract<Event, { type: 'open' | 'delta' | 'close' }>): string {
  if (event.type === 'delta') return event.text
  if (event.type === 'close') return ''
  const { block } = event
  if (block.type === 'call') return block.input
  return 'text' in block ? block.text : ''
}
