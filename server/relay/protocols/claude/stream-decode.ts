import { isObject, type Json, type JsonObject } from '../../../../contract/json.ts'
import type { Block, Event, Seal } from '../canonical.ts'
import type { Frame, Translator } from '../protocol.ts'
import { decodeBlock } from './block.ts'
import { decodeError } from './error.ts'
import { readFinish } from './finish.ts'
import { HeldBlock } from './held.ts'
import { MESSAGE_MEMBERS } from './response.ts'
import { readCarrier, readSeal } from './seals.ts'
import { mergeCounts, readCounts, readDeltaCounts, toUsage, type Counts } from './usage.ts'
import { OWN, own, parseObject, rest, text } from './wire.ts'

/** A block that is open on the wire. `index` is ours: carried seals take none. */
type Open =
  | { kind: 'live'; index: number; block: Block; citations: Json[]; spoke: boolean }
  | { kind: 'held'; held: HeldBlock; late: Event[] }
  | { kind: 'carrier' }

const DELTA_MEMBERS = new Set(['stop_reason', 'stop_sequence'])
const DELTA_EVENT_MEMBERS = new Set(['type', 'delta', 'usage'])

/**
 * Reads a Messages stream. Blocks we know are told as they come; others are gathered and told whole when they close. Nothing after
 * `message_stop` or an error is read. A stream that breaks off ends without a `finish`: whoever reads it must not take it for whole.
 */
export function decodeStream(): Translator<Frame, Event> {
  const reader = new StreamReader()
  return {
    push(frame) {
      const data = reader.over ? undefined : parseObject(frame.data)
      if (!data) return []
      const events: Event[] = []
      reader.read(data, typeof data.type === 'string' ? data.type : frame.event, events)
      return events
    },
    end: () => [],
  }
}

class StreamReader {
  over = false
  private id: string | undefined
  private finished = false
  private next = 0
  private readonly opened = new Map<number, Open>()
  private readonly carried = new Map<string, Seal>()
  private readonly callIndex = new Map<string, number>()
  private readonly counts: Counts = {}
  private rawUsage: JsonObject = {}
  private extra: JsonObject = {}

  read(data: JsonObject, type: string | undefined, events: Event[]): void {
    switch (type) {
      case 'message_start':
        this.start(data, events)
        break
      case 'content_block_start':
        this.open(isObject(data.content_block) ? data.content_block : {}, this.wireIndex(data), events)
        break
      case 'content_block_delta':
        this.delta(data, events)
        break
      case 'content_block_stop':
        this.close(this.wireIndex(data), events)
        break
      case 'message_delta':
        this.messageDelta(data, events)
        break
      case 'message_stop':
        this.closeAll(events)
        if (!this.finished) events.push({ type: 'finish', choice: 0, finish: readFinish(undefined, undefined, this.members()) })
        this.over = true
        break
      case 'ping':
        events.push({ type: 'ping' })
        break
      case 'error':
        events.push({ type: 'fault', fault: decodeError(200, data) })
        this.over = true
        break
      default:
        events.push({ type: 'foreign', from: OWN, data })
    }
  }

  private start(data: JsonObject, events: Event[]): void {
    const body = isObject(data.message) ? data.message : {}
    const id = text(body.id) ?? ''
    if (this.id !== undefined) {
      // Some gateways say it twice, which is harmless; another answer spliced into this one cannot be told apart any more.
      if (id === this.id || this.next === 0) return
      const message = 'The upstream began a second answer inside the first'
      events.push({ type: 'fault', fault: { kind: 'upstream', status: 502, message } })
      this.over = true
      return
    }
    this.id = id
    const usage = isObject(body.usage) ? body.usage : undefined
    const tier = text(usage?.service_tier)
    const model = text(body.model) ?? ''
    events.push({ type: 'start', id, model, ...(tier === undefined ? {} : { serviceTier: tier }), ext: { [OWN]: {} } })
    Object.assign(this.extra, rest(body, MESSAGE_MEMBERS))
    if (usage) {
      const counts = readCounts(usage)
      // The output's count is a placeholder until the end: a stream that is cut must not be billed by it.
      if (typeof body.stop_reason !== 'string') counts.output = 0
      this.usage(usage, counts, events)
    }
    if (Array.isArray(body.content)) {
      for (const [index, block] of body.content.entries()) {
        if (!isObject(block)) continue
        this.open(block, index, events)
        this.close(index, events)
      }
    }
    if (typeof body.stop_reason === 'string') this.finish(body, events)
  }

  private usage(raw: JsonObject, counts: Counts, events: Event[]): void {
    mergeCounts(this.counts, counts)
    for (const key of Object.keys(raw)) if (raw[key] !== null) this.rawUsage[key] = raw[key]
    const usage = toUsage(this.counts)
    if (usage) events.push({ type: 'usage', usage, rawUsage: { ...this.rawUsage } })
  }

  private open(data: JsonObject, wire: number, events: Event[]): void {
    if (this.opened.has(wire)) this.close(wire, events)
    const carrier = data.type === 'redacted_thinking' ? readCarrier(data.data) : undefined
    if (carrier) {
      this.carry(carrier, events)
      this.opened.set(wire, { kind: 'carrier' })
      return
    }
    const block = decodeBlock(data, 'answer', 'content_block')
    if (block.type === 'foreign' || block.type === 'result' || block.type === 'media') {
      this.opened.set(wire, { kind: 'held', held: new HeldBlock(data), late: [] })
      return
    }
    const index = this.next++
    const open: Open = { kind: 'live', index, block, citations: [], spoke: false }
    this.opened.set(wire, open)
    if (block.type === 'call') {
      this.callIndex.set(block.id, index)
      const seal = this.carried.get(block.id)
      // The input comes in pieces; what stands in the start event is an empty object in its place.
      events.push({ type: 'open', choice: 0, index, block: { ...block, input: '', ...(seal ? { seal } : {}) } })
    } else {
      if (block.type === 'text') open.citations = takeCitations(block)
      events.push({ type: 'open', choice: 0, index, block })
    }
  }

  private carry(carrier: { seal: Seal; callId: string }, events: Event[]): void {
    this.carried.set(carrier.callId, carrier.seal)
    const index = this.callIndex.get(carrier.callId)
    if (index !== undefined) events.push({ type: 'seal', choice: 0, index, seal: carrier.seal })
  }

  private delta(data: JsonObject, events: Event[]): void {
    const delta = isObject(data.delta) ? data.delta : {}
    const open = this.opened.get(this.wireIndex(data))
    if (open?.kind === 'held' && open.held.add(delta)) return
    if (open?.kind === 'live' && this.liveDelta(open, delta, events)) return
    // What a block that is still gathered cannot take in waits for it to be told.
    const into = open?.kind === 'held' ? open.late : events
    into.push({ type: 'foreign', from: OWN, data })
  }

  /** @returns false for a delta the block cannot have, which is then kept whole */
  private liveDelta(open: Extract<Open, { kind: 'live' }>, delta: JsonObject, events: Event[]): boolean {
    const { block, index } = open
    const piece =
      block.type === 'text' && delta.type === 'text_delta'
        ? delta.text
        : block.type === 'reasoning' && delta.type === 'thinking_delta'
          ? delta.thinking
          : block.type === 'call' && delta.type === 'input_json_delta'
            ? delta.partial_json
            : undefined
    if (typeof piece === 'string') {
      if (piece === '') return true
      open.spoke = true
      events.push({ type: 'delta', choice: 0, index, text: piece })
      return true
    }
    if (block.type === 'reasoning' && delta.type === 'signature_delta' && typeof delta.signature === 'string') {
      const seal = delta.signature === '' ? undefined : readSeal(delta.signature)
      if (seal) events.push({ type: 'seal', choice: 0, index, seal })
      return true
    }
    if (block.type === 'text' && delta.type === 'citations_delta' && delta.citation !== undefined) {
      open.citations.push(delta.citation)
      return true
    }
    return false
  }

  private close(wire: number, events: Event[]): void {
    const open = this.opened.get(wire)
    if (!open) return
    this.opened.delete(wire)
    if (open.kind === 'live') {
      const { index, block, citations } = open
      // A call without a piece of input has what its start event said, most often nothing: an empty object.
      if (block.type === 'call' && !open.spoke) events.push({ type: 'delta', choice: 0, index, text: block.input })
      events.push({ type: 'close', choice: 0, index, ...own(citations.length > 0 ? { citations } : undefined) })
    } else if (open.kind === 'held') {
      const index = this.next++
      events.push({ type: 'open', choice: 0, index, block: decodeBlock(open.held.whole(), 'answer', 'content_block') }, ...open.late)
      events.push({ type: 'close', choice: 0, index })
    }
  }

  private closeAll(events: Event[]): void {
    for (const wire of Array.from(this.opened.keys())) this.close(wire, events)
  }

  private messageDelta(data: JsonObject, events: Event[]): void {
    const delta = isObject(data.delta) ? data.delta : {}
    Object.assign(this.extra, rest(delta, DELTA_MEMBERS), rest(data, DELTA_EVENT_MEMBERS))
    if (isObject(data.usage)) this.usage(data.usage, readDeltaCounts(data.usage), events)
    if (typeof delta.stop_reason === 'string') this.finish(delta, events)
  }

  private finish(said: JsonObject, events: Event[]): void {
    this.closeAll(events)
    this.finished = true
    events.push({ type: 'finish', choice: 0, finish: readFinish(said.stop_reason, said.stop_sequence, this.members()) })
  }

  private members(): JsonObject | undefined {
    return Object.keys(this.extra).length > 0 ? { ...this.extra } : undefined
  }

  /** The wire's index; a vendor that sends none means the last block. */
  private wireIndex(data: JsonObject): number {
    if (typeof data.index === 'number') return data.index
    return data.type === 'content_block_start' ? this.next : ([...this.opened.keys()].at(-1) ?? 0)
  }
}

/** Citations that already stand in the start event are told with the others at the block's end. */
function takeCitations(block: Extract<Block, { type: 'text' }>): Json[] {
  const members = block.ext?.[OWN]
  if (!members || !Array.isArray(members.citations)) return []
  const { citations, ...others } = members
  if (Object.keys(others).length > 0) block.ext = { [OWN]: others }
  else delete block.ext
  return [...members.citations]
}
