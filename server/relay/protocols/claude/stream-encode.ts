import { isObject, type Json, type JsonObject } from '../../../../contract/json.ts'
import type { Usage, UsageDetails } from '../../../../contract/meters.ts'
import type { Block, Event, Finish, Seal } from '../canonical.ts'
import type { Frame, StreamCall, Translator } from '../protocol.ts'
import { encodeBlocks } from './block-encode.ts'
import { encodeStreamError } from './error.ts'
import { writeFinishMembers, writeStop } from './finish.ts'
import { unfold } from './held.ts'
import { toWireName } from './names.ts'
import { writeCarrier, writeSeal } from './seals.ts'
import { writeDeltaUsage, writeUsage } from './usage.ts'
import { isNative, OWN, ownMembers } from './wire.ts'

type OfBlock = Extract<Event, { type: 'open' | 'delta' | 'seal' | 'close' }>

/**
 * The block whose turn it is. `wire` is its index once it was begun: redacted thoughts begin when they close, since their seal may
 * come late, and a text (`start`) with its first word, since clients send an empty block back and Claude refuses it.
 */
interface Current {
  index: number
  wire: number | undefined
  start?: JsonObject
  block: Block
  seal?: Seal
}

/**
 * Writes a Messages stream under the platform's model name. One block is open at a time: events of a block that was opened beside
 * another wait for the first to close. The end (`message_delta` with the usage, `message_stop`) is written by `end`, since other
 * protocols tell the usage after the finish; without a finish nothing ends, and the caller breaks the stream off with an error.
 * Blocks the API has no form for (images, other makers' blocks) and alternatives after the first cannot be shown and are left out.
 */
export function encodeStream(call: StreamCall): Translator<Event, Frame> {
  const writer = new StreamWriter(call)
  return { push: (event) => writer.push(event), end: () => writer.end() }
}

class StreamWriter {
  private readonly call: StreamCall
  private frames: Frame[] = []
  private started = false
  private over = false
  private native = false
  private hasCalls = false
  private next = 0
  private current: Current | undefined
  private readonly waiting = new Map<number, OfBlock[]>()
  private usage: (Usage & UsageDetails) | undefined
  private rawUsage: Json | undefined
  private finish: Finish | undefined

  constructor(call: StreamCall) {
    this.call = call
  }

  push(event: Event): Frame[] {
    if (!this.over) this.take(event)
    return this.flush()
  }

  end(): Frame[] {
    if (this.over || !this.finish) return []
    this.start(undefined)
    for (;;) {
      if (this.current) this.closeCurrent(undefined)
      const entry = this.waiting.entries().next()
      if (entry.done) break
      this.resume(...entry.value)
    }
    const { delta, beside } = writeFinishMembers(this.finish)
    const usage =
      this.native && isObject(this.rawUsage)
        ? this.rawUsage
        : this.usage
          ? writeDeltaUsage(this.usage)
          : { input_tokens: this.call.estimatedInput ?? 0, output_tokens: 0 }
    this.write({ type: 'message_delta', delta: { ...writeStop(this.finish, this.hasCalls, this.native), ...delta }, usage, ...beside })
    this.write({ type: 'message_stop' })
    this.over = true
    return this.flush()
  }

  private take(event: Event): void {
    switch (event.type) {
      case 'start':
        this.start(event)
        break
      case 'open':
      case 'delta':
      case 'seal':
      case 'close':
        if (event.choice === 0) this.route(event)
        break
      case 'usage':
        this.usage = { ...this.usage, ...event.usage }
        if (event.rawUsage !== undefined) this.rawUsage = event.rawUsage
        break
      case 'finish':
        if (event.choice === 0) this.finish = event.finish
        break
      case 'fault':
        this.frames.push(...encodeStreamError(event.fault, this.call.id))
        this.over = true
        break
      case 'ping':
        this.write({ type: 'ping' })
        break
      case 'foreign':
        if (event.from === OWN) this.foreign(event.data)
        break
      default:
        event satisfies never
    }
  }

  private start(event: Extract<Event, { type: 'start' }> | undefined): void {
    if (this.started) return
    this.started = true
    this.native = event !== undefined && isNative(event)
    const usage = this.usage ? writeUsage(this.usage) : { input_tokens: this.call.estimatedInput ?? 0, output_tokens: 0 }
    const message = { id: event?.id || this.call.id, type: 'message', role: 'assistant', model: this.call.model, content: [] }
    this.write({ type: 'message_start', message: { ...message, stop_reason: null, stop_sequence: null, usage } })
  }

  /** Writes the event if its block is on the wire or nothing else is; lets it wait otherwise. */
  private route(event: OfBlock): void {
    const { current } = this
    if (current && current.index !== event.index) {
      const queue = this.waiting.get(event.index)
      if (queue) queue.push(event)
      else if (event.type === 'open') this.waiting.set(event.index, [event])
      return
    }
    this.emit(event)
    while (!this.current) {
      const entry = this.waiting.entries().next()
      if (entry.done) return
      this.resume(...entry.value)
    }
  }

  private resume(index: number, queue: OfBlock[]): void {
    this.waiting.delete(index)
    for (const event of queue) this.emit(event)
  }

  private emit(event: OfBlock): void {
    if (event.type === 'open') {
      if (!this.current) this.open(event.index, event.block)
      return
    }
    const { current } = this
    if (!current) return
    if (event.type === 'delta') {
      this.piece(current, event.text)
      this.citations(current, event.ext?.[OWN]?.citations)
    } else if (event.type === 'seal') current.seal = event.seal
    else this.closeCurrent(event.ext?.[OWN]?.citations)
  }

  private open(index: number, block: Block): void {
    this.start(undefined)
    const current: Current = { index, wire: undefined, block, ...('seal' in block && block.seal ? { seal: block.seal } : {}) }
    this.current = current
    const extra = block.type === 'foreign' ? undefined : ownMembers(block.ext)
    switch (block.type) {
      case 'text':
      case 'refusal': {
        const { citations, ...others } = extra ?? {}
        this.prepare(current, { type: 'text', text: '', ...others })
        this.piece(current, block.text)
        this.citations(current, citations)
        break
      }
      case 'reasoning':
        if (block.redacted) break
        this.prepare(current, { type: 'thinking', thinking: '', signature: '', ...extra })
        this.piece(current, block.text)
        break
      case 'call': {
        this.hasCalls = true
        if (block.seal) this.carry(block.seal, block.id)
        this.begin(current, { type: 'tool_use', id: toWireName(block.id), name: toWireName(block.name), input: {}, ...extra })
        if (block.custom) this.delta(current, { type: 'input_json_delta', partial_json: '{"input":"' })
        this.piece(current, block.input)
        break
      }
      case 'foreign':
      case 'result':
        this.whole(current, block)
        break
      case 'media':
        break
      default:
        block satisfies never
    }
  }

  /** An event or delta we do not know, given back as it came; a delta moves to the block that is open now. */
  private foreign(data: JsonObject): void {
    if (data.type !== 'content_block_delta') this.write(data)
    else if (this.current && isObject(data.delta)) this.delta(this.current, data.delta)
  }

  /** A block that is told at once. */
  private whole(current: Current, block: Block): void {
    const [data] = encodeBlocks([block], '', { road: 'answer', native: this.native, losses: [] })
    if (!data) return
    const { start, deltas } = unfold(data)
    this.begin(current, start)
    for (const delta of deltas) this.delta(current, delta)
  }

  private prepare(current: Current, block: JsonObject): void {
    if (this.native) this.begin(current, block)
    else current.start = block
  }

  private begin(current: Current, block: JsonObject): void {
    delete current.start
    current.wire = this.next++
    this.write({ type: 'content_block_start', index: current.wire, content_block: block })
  }

  private piece(current: Current, text: string): void {
    if (text === '') return
    const { block } = current
    if (block.type === 'text' || block.type === 'refusal') this.delta(current, { type: 'text_delta', text })
    else if (block.type === 'reasoning') this.delta(current, { type: 'thinking_delta', thinking: text })
    else if (block.type === 'call') {
      // Free text of a custom tool is the string member of its input; its pieces are escaped as they come.
      this.delta(current, { type: 'input_json_delta', partial_json: block.custom ? JSON.stringify(text).slice(1, -1) : text })
    }
  }

  private citations(current: Current, list: Json | undefined): void {
    if (current.block.type !== 'text' || !Array.isArray(list)) return
    for (const citation of list) this.delta(current, { type: 'citations_delta', citation })
  }

  private delta(current: Current, delta: JsonObject): void {
    if (current.start) this.begin(current, current.start)
    if (current.wire !== undefined) this.write({ type: 'content_block_delta', index: current.wire, delta })
  }

  private closeCurrent(citations: Json | undefined): void {
    const { current } = this
    if (!current) return
    this.citations(current, citations)
    const { block, seal } = current
    if (block.type === 'reasoning') {
      if (block.redacted) this.begin(current, { type: 'redacted_thinking', data: writeSeal(seal), ...ownMembers(block.ext) })
      else if (seal || current.wire !== undefined) this.delta(current, { type: 'signature_delta', signature: writeSeal(seal) })
    }
    if (block.type === 'call' && block.custom) this.delta(current, { type: 'input_json_delta', partial_json: '"}' })
    if (current.wire !== undefined) this.write({ type: 'content_block_stop', index: current.wire })
    this.current = undefined
    if (block.type === 'call' && seal && !block.seal) this.carry(seal, block.id)
  }

  private carry(seal: Seal, callId: string): void {
    const data = writeCarrier(seal, callId)
    if (data === undefined) return
    const index = this.next++
    this.write({ type: 'content_block_start', index, content_block: { type: 'redacted_thinking', data } })
    this.write({ type: 'content_block_stop', index })
  }

  private write(data: JsonObject): void {
    const type = typeof data.type === 'string' ? data.type : undefined
    this.frames.push({ ...(type === undefined ? {} : { event: type }), data: JSON.stringify(data) })
  }

  private flush(): Frame[] {
    const { frames } = this
    this.frames = []
    return frames
  }
}
