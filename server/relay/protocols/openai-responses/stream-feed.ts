import { isObject, type Json, type JsonObject } from '../../../../contract/json.ts'
import type { Block, Event, Seal } from '../canonical.ts'
import { list, OWN } from './wire.ts'

/** A block that was opened. `length` counts what was told of its text, `sent` what was told of its extensions. */
export interface Open {
  index: number
  length: number
  logprobs: number
  sent: JsonObject
  closed: boolean
}

/** The events of the blocks of one answer: opens them in order and remembers how much of each was told. */
export class BlockFeed {
  private events: Event[] = []
  private next = 0
  private readonly calls = new Map<string, number>()
  private readonly said = new Set<Block['type']>()

  /** What gathered since the last time. */
  flush(): Event[] {
    const { events } = this
    this.events = []
    return events
  }

  push(event: Event): void {
    this.events.push(event)
  }

  /** The kinds of blocks there were. */
  kinds(): { type: Block['type'] }[] {
    return [...this.said].map((type) => ({ type }))
  }

  open(block: Block): Open {
    const open: Open = { index: this.next++, length: textOf(block).length, logprobs: 0, sent: extOf(block), closed: false }
    if (block.type === 'call') this.calls.set(block.id, open.index)
    this.said.add(block.type)
    this.push({ type: 'open', choice: 0, index: open.index, block })
    return open
  }

  /** Opens and closes a block that is told at once. */
  whole(block: Block): void {
    this.close(this.open(block), {})
  }

  delta(open: Open, piece: string, more: { logprobs?: Json; ext?: { [OWN]: JsonObject } } = {}): void {
    open.length += piece.length
    this.push({ type: 'delta', choice: 0, index: open.index, text: piece, ...more })
  }

  close(open: Open, rest: JsonObject): void {
    if (open.closed) return
    open.closed = true
    const ext = Object.keys(rest).length > 0 ? { ext: { [OWN]: rest } } : {}
    this.push({ type: 'close', choice: 0, index: open.index, ...ext })
  }

  /** Tells what the finished block says beyond what was streamed of it, and closes it. */
  finish(open: Open, block: Block, logprobs: Json[]): void {
    if (open.closed) return
    const rest = textOf(block).slice(open.length)
    if (logprobs.length > open.logprobs) {
      this.delta(open, rest, { logprobs: { content: logprobs.slice(open.logprobs) } })
    } else if (rest !== '') this.delta(open, rest)
    if (block.type === 'reasoning' && block.seal) this.push({ type: 'seal', choice: 0, index: open.index, seal: block.seal })
    this.close(open, unsent(open.sent, extOf(block)))
  }

  /** The seal of a call that an item of its own carries. */
  carry(carrier: { seal: Seal; callId: string }): void {
    const index = this.calls.get(carrier.callId)
    if (index !== undefined) this.push({ type: 'seal', choice: 0, index, seal: carrier.seal })
  }
}

function textOf(block: Block): string {
  switch (block.type) {
    case 'text':
    case 'reasoning':
    case 'refusal':
      return block.text
    case 'call':
      return block.input
    default:
      return ''
  }
}

function extOf(block: Block): JsonObject {
  return { ...(block.type === 'foreign' ? undefined : block.ext?.[OWN]) }
}

/** The members of `final` that `sent` lacks, of lists only what comes after what was sent: extensions of a stream are merged. */
function unsent(sent: JsonObject, final: JsonObject): JsonObject {
  const rest: JsonObject = {}
  for (const [key, value] of Object.entries(final)) {
    const before = list(sent[key])
    if (Array.isArray(value) && Array.isArray(sent[key])) {
      if (value.length > before.length) rest[key] = value.slice(before.length)
    } else if (value !== undefined && (isObject(value) ? JSON.stringify(value) !== JSON.stringify(sent[key]) : value !== sent[key]))
      rest[key] = value
  }
  return rest
}
