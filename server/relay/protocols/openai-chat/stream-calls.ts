import type { JsonObject } from '../../../../contract/json.ts'
import type { Event } from '../canonical.ts'
import { decodeCall, type DecodedCall } from './block.ts'
import { parseJson, plainCallId } from './seals.ts'
import { count, text } from './wire.ts'

interface StreamedCall extends DecodedCall {
  /** The vendor's `index`, where it gives one. */
  slot: number | undefined
  /** Pieces not told yet: the call waits for the one before it, or for its name. */
  waiting: string
  /** What was told so far, to see whether the arguments are whole. */
  told: string
  index: number
  state: 'waiting' | 'open' | 'closed'
}

/**
 * The tool calls of one choice of a stream, told one after the other: a call opens when the one before it is whole, whatever the order
 * of the pieces. Pieces belong together by `index`; vendors without it send whole calls, or name the call by its id. The same
 * index with another id is another call (Gemini numbers all of them 0).
 */
export class StreamedCalls {
  private readonly calls: StreamedCall[] = []
  private readonly choice: number
  private readonly nextIndex: () => number
  private readonly fallbackId: (call: number) => string

  constructor(choice: number, nextIndex: () => number, fallbackId: (call: number) => string) {
    this.choice = choice
    this.nextIndex = nextIndex
    this.fallbackId = fallbackId
  }

  get any(): boolean {
    return this.calls.length > 0
  }

  /**
   * Takes one entry of `delta.tool_calls`.
   * @returns the call when the entry begins one, so that the caller can tell what rode on its id before it opens
   */
  add(entry: JsonObject): DecodedCall | undefined {
    const slot = count(entry.index)
    const known = this.find(slot, text(entry.id))
    const piece = decodeCall(entry, this.fallbackId(this.calls.length))
    if (!known) {
      const { input } = piece.call
      piece.call.input = ''
      this.calls.push({ ...piece, slot, waiting: input, told: '', index: -1, state: 'waiting' })
      return piece
    }
    if (known.call.name === '' && known.state === 'waiting') known.call.name = piece.call.name
    known.waiting += piece.call.input
    return undefined
  }

  private find(slot: number | undefined, id: string | undefined): StreamedCall | undefined {
    const plain = id ? plainCallId(id) : undefined
    const last = this.calls.at(-1)
    if (slot === undefined) return plain === undefined ? last : this.calls.findLast((each) => each.call.id === plain)
    const known = this.calls.findLast((each) => each.slot === slot)
    return known && plain !== undefined && plain !== known.call.id ? undefined : known
  }

  /** Tells what can be told now; with `all`, everything that is left. */
  tell(events: Event[], all: boolean): void {
    for (const [position, call] of this.calls.entries()) {
      if (call.state === 'closed') continue
      const later = position < this.calls.length - 1
      if (call.state === 'waiting') {
        if (call.call.name === '' && !later && !all) return
        call.index = this.nextIndex()
        call.state = 'open'
        events.push({ type: 'open', choice: this.choice, index: call.index, block: { ...call.call } })
      }
      if (call.waiting !== '') {
        events.push({ type: 'delta', choice: this.choice, index: call.index, text: call.waiting })
        call.told += call.waiting
        call.waiting = ''
      }
      if (!all && !(later && isWhole(call))) return
      call.state = 'closed'
      call.told = ''
      events.push({ type: 'close', choice: this.choice, index: call.index })
    }
  }

  /** The seal of a call told beside it; kept for the call's opening, or told while it is open. */
  seal(id: string, seal: { by: string; value: string }, events: Event[]): void {
    const known = this.calls.find((each) => each.call.id === id)
    if (!known || known.call.seal || known.state === 'closed') return
    known.call.seal = seal
    if (known.state === 'open') events.push({ type: 'seal', choice: this.choice, index: known.index, seal })
  }
}

function isWhole(call: StreamedCall): boolean {
  return call.told.trim() === '' || call.call.custom === true || parseJson(call.told) !== undefined
}
