import { isObject, type Json, type JsonObject } from '../../../../contract/json.ts'
import type { Block, Event, Seal } from '../canonical.ts'
import type { Frame, Translator } from '../protocol.ts'
import { foreign, messageMemory, PART_BREAK, readCall, readImageCall, readPart, readReasoning } from './block.ts'
import { decodeError } from './error.ts'
import { readFinish } from './response.ts'
import { readUsage } from './usage.ts'
import { count, list, object, OWN, parseObject, text } from './wire.ts'

type Kind = 'message' | 'reasoning' | 'call' | 'other'

/** A block that was opened. `length` counts what was told of its text, `sent` what was told of its extensions. */
interface Open { index: number; length: number; logprobs: number; sent: JsonObject; closed: boolean }

/** An item that was added. Parts are its blocks by their place; a reasoning item or a call has one, at 0. */
interface Item { kind: Kind; added: JsonObject; parts: Map<number, Open>; part: number | undefined; done: boolean }

/**
 * Reads a Responses stream. Each content part, reasoning item and call is a block. Items of hosted tools are told whole when they are
 * done, and what is told of them before that as foreign events. What a vendor tells only at the end of an item, or only in the last
 * event, is told then.
 */
export function decodeStream(): Translator<Frame, Event> {
  const reader = new StreamReader()
  return { push: (frame) => reader.push(frame), end: () => [] }
}

class StreamReader {
  private events: Event[] = []
  private started = false
  private over = false
  private next = 0
  private readonly items = new Map<string, Item>()
  private readonly ids = new Set<string>()
  private readonly callIndexes = new Map<string, number>()
  private readonly said = new Set<Block['type']>()

  push(frame: Frame): Event[] {
    const event = this.over ? undefined : parseObject(frame.data)
    if (event) this.take(event, text(event.type) ?? frame.event ?? '')
    const { events } = this
    this.events = []
    return events
  }

  private take(event: JsonObject, type: string): void {
    switch (type) {
      case 'response.created':
      case 'response.queued':
      case 'response.in_progress':
        return this.start(event.response)
      case 'response.output_item.added':
        return isObject(event.item) ? this.add(event, event.item) : this.unknown(event)
      case 'response.output_item.done':
        return isObject(event.item) ? this.done(event, event.item) : this.unknown(event)
      case 'response.content_part.added':
        return this.partAdded(event)
      case 'response.content_part.done':
        return this.partDone(event)
      case 'response.output_text.delta':
      case 'response.refusal.delta':
        return this.words(event, type === 'response.refusal.delta' ? 'refusal' : 'text')
      case 'response.output_text.annotation.added':
        return this.annotation(event)
      case 'response.function_call_arguments.delta':
      case 'response.custom_tool_call_input.delta':
        return this.callPiece(event)
      case 'response.reasoning_summary_part.added':
        return this.thought(event, count(event.summary_index), false, '')
      case 'response.reasoning_summary_text.delta':
        return this.thought(event, count(event.summary_index), false, text(event.delta))
      case 'response.reasoning_text.delta':
        return this.thought(event, count(event.content_index), true, text(event.delta))
      case 'response.output_text.done':
      case 'response.refusal.done':
      case 'response.function_call_arguments.done':
      case 'response.custom_tool_call_input.done':
      case 'response.reasoning_summary_text.done':
      case 'response.reasoning_summary_part.done':
      case 'response.reasoning_text.done':
        // Says again what the deltas said; what they did not say comes with the item.
        return
      case 'response.completed':
      case 'response.incomplete':
        return this.finish(object(event.response))
      case 'response.failed':
        this.usage(object(event.response))
        return this.fault(object(event.response))
      case 'error':
        return this.fault(event)
      case 'keepalive':
      case 'ping':
        this.events.push({ type: 'ping' })
        return
      default:
        if (type === '' && isObject(event.error)) this.fault(event)
        else this.unknown(event)
    }
  }

  private unknown(data: JsonObject): void {
    this.events.push({ type: 'foreign', from: OWN, data })
  }

  private start(response: Json | undefined): void {
    if (this.started || !isObject(response)) return
    this.started = true
    const created = count(response.created_at)
    const head = { id: text(response.id) ?? '', model: text(response.model) ?? '' }
    this.events.push({ type: 'start', ...head, ...(created === undefined ? {} : { created }), ext: { [OWN]: {} } })
  }

  /** The item an event is about: by its place, or by its id where a vendor tells none. */
  private itemOf(event: JsonObject): Item | undefined {
    return this.items.get(keyOf(event))
  }

  private add(event: JsonObject, item: JsonObject): void {
    if (this.itemOf({ ...event, item_id: item.id })) return
    const state = this.adopt(event, item)
    if (state.kind === 'call') {
      const { status: _, ...begun } = item
      const call = readCall(begun, 'answer')
      if (call) this.open(state, 0, call)
    } else if (state.kind === 'other') this.unknown(event)
  }

  private done(event: JsonObject, item: JsonObject): void {
    const known = this.itemOf({ ...event, item_id: item.id })
    // Without an `added` nothing but the end is told of it.
    const state = known ?? this.adopt(event, item)
    if (state.done) return
    state.done = true
    this.finishItem(state, item)
  }

  private adopt(event: JsonObject, item: JsonObject): Item {
    const state: Item = { kind: kindOf(item), added: item, parts: new Map(), part: undefined, done: false }
    this.items.set(keyOf({ ...event, item_id: item.id }), state)
    if (typeof item.id === 'string') this.ids.add(item.id)
    return state
  }

  private finishItem(state: Item, item: JsonObject): void {
    switch (state.kind) {
      case 'message':
        for (const [place, part] of list(item.content).entries()) {
          if (isObject(part)) this.finishPart(state, place, part)
        }
        break
      case 'reasoning': {
        const block = readReasoning(item, 'answer')
        if (block && !('type' in block)) {
          this.carry(block)
          return
        }
        if (block) this.finishBlock(state, 0, block)
        else this.whole(foreign(item))
        break
      }
      case 'call': {
        const call = readCall(item, 'answer')
        if (call) this.finishBlock(state, 0, call)
        else this.whole(foreign(item))
        break
      }
      case 'other':
        this.whole((item.type === 'image_generation_call' ? readImageCall(item) : undefined) ?? foreign(item))
        break
      default:
        state.kind satisfies never
    }
    for (const open of state.parts.values()) this.close(open, {})
  }

  /** The seal of a call that an item only carries. */
  private carry(carrier: { seal: Seal; callId: string }): void {
    const index = this.callIndexes.get(carrier.callId)
    if (index !== undefined) this.events.push({ type: 'seal', choice: 0, index, seal: carrier.seal })
  }

  private open(state: Item, place: number, block: Block): Open {
    const open: Open = { index: this.next++, length: textOf(block).length, logprobs: 0, sent: extOf(block), closed: false }
    state.parts.set(place, open)
    if (block.type === 'call') this.callIndexes.set(block.id, open.index)
    this.said.add(block.type)
    this.events.push({ type: 'open', choice: 0, index: open.index, block })
    return open
  }

  private close(open: Open, rest: JsonObject): void {
    if (open.closed) return
    open.closed = true
    const ext = Object.keys(rest).length > 0 ? { ext: { [OWN]: rest } } : {}
    this.events.push({ type: 'close', choice: 0, index: open.index, ...ext })
  }

  private whole(block: Block): void {
    const index = this.next++
    this.said.add(block.type)
    this.events.push({ type: 'open', choice: 0, index, block }, { type: 'close', choice: 0, index })
  }

  private delta(open: Open, piece: string, more: { logprobs?: Json; ext?: { [OWN]: JsonObject } } = {}): void {
    open.length += piece.length
    this.events.push({ type: 'delta', choice: 0, index: open.index, text: piece, ...more })
  }

  /** Tells what the finished block says beyond what was streamed of it, and closes it. */
  private finishBlock(state: Item, place: number, block: Block): void {
    const open = state.parts.get(place)
    if (!open) {
      const opened = this.open(state, place, block)
      this.close(opened, {})
      return
    }
    if (open.closed) return
    const whole = textOf(block)
    if (whole.length > open.length) this.delta(open, whole.slice(open.length))
    if (block.type === 'reasoning' && block.seal) this.events.push({ type: 'seal', choice: 0, index: open.index, seal: block.seal })
    this.close(open, unsent(open.sent, extOf(block)))
  }

  // Words of the model

  private readPart(state: Item, place: number, part: JsonObject): Block {
    const block = readPart(part, 'assistant', 'answer')
    if (place !== 0) return block
    const memory = messageMemory(state.added, 'answer')
    if (block.type === 'foreign') return { ...block, data: { ...block.data, _message: memory } }
    return { ...block, ext: { ...block.ext, [OWN]: { ...block.ext?.[OWN], _message: memory } } }
  }

  private partAdded(event: JsonObject): void {
    const state = this.itemOf(event)
    const place = count(event.content_index) ?? 0
    if (!state || !isObject(event.part)) return this.unknown(event)
    if (state.kind === 'reasoning') return this.thought(event, place, true, '')
    // A part nobody knows is told whole when it is done.
    const block = state.kind === 'message' && !state.parts.has(place) ? this.readPart(state, place, event.part) : undefined
    if (block && (block.type === 'text' || block.type === 'refusal')) this.open(state, place, block)
  }

  private partDone(event: JsonObject): void {
    const state = this.itemOf(event)
    if (state?.kind === 'message' && isObject(event.part)) this.finishPart(state, count(event.content_index) ?? 0, event.part)
    else if (!state) this.unknown(event)
  }

  private finishPart(state: Item, place: number, part: JsonObject): void {
    const logprobs = list(part.logprobs)
    const open = state.parts.get(place)
    if (open?.closed) return
    const block = this.readPart(state, place, part)
    const words = open ?? (block.type === 'text' && logprobs.length > 0 ? this.open(state, place, block) : undefined)
    if (words && logprobs.length > words.logprobs) {
      this.delta(words, textOf(block).slice(words.length), { logprobs: { content: logprobs.slice(words.logprobs) } })
      words.logprobs = logprobs.length
    }
    this.finishBlock(state, place, block)
  }

  private wordsOf(event: JsonObject, type: 'text' | 'refusal'): Open | undefined {
    const state = this.itemOf(event)
    if (state?.kind !== 'message') return undefined
    const place = count(event.content_index) ?? 0
    const part = type === 'text' ? { type: 'output_text', text: '' } : { type: 'refusal', refusal: '' }
    return state.parts.get(place) ?? this.open(state, place, this.readPart(state, place, part))
  }

  private words(event: JsonObject, type: 'text' | 'refusal'): void {
    const open = this.wordsOf(event, type)
    const piece = text(event.delta)
    if (!open || open.closed || piece === undefined) return this.unknown(event)
    const logprobs = list(event.logprobs)
    open.logprobs += logprobs.length
    this.delta(open, piece, logprobs.length > 0 ? { logprobs: { content: logprobs } } : {})
  }

  private annotation(event: JsonObject): void {
    const open = this.wordsOf(event, 'text')
    if (!open || open.closed || event.annotation === undefined) return this.unknown(event)
    open.sent.annotations = [...list(open.sent.annotations), event.annotation]
    this.delta(open, '', { ext: { [OWN]: { annotations: [event.annotation] } } })
  }

  // Thoughts and calls

  /** A piece of a part of thoughts; a part after the first begins with a break. */
  private thought(event: JsonObject, place: number | undefined, fromContent: boolean, piece: string | undefined): void {
    const state = this.itemOf(event)
    if (state?.kind !== 'reasoning' || piece === undefined) return this.unknown(event)
    let open = state.parts.get(0)
    if (!open) {
      const { content: _, summary: __, status: ___, ...added } = state.added
      const bare = readReasoning({ ...added, encrypted_content: null }, 'answer')
      if (!bare || !('type' in bare)) return this.unknown(event)
      const { _null, ...members } = bare.ext?.[OWN] ?? {}
      open = this.open(state, 0, { ...bare, ext: { [OWN]: { ...members, ...(fromContent ? { _content: true } : {}) } } })
    } else if ((open.sent._content === true) !== fromContent) {
      // Thoughts and their summary in one item: the second comes with the finished item.
      return
    } else if (place !== undefined && state.part !== undefined && place > state.part) {
      const at = open.length
      open.sent._breaks = [...list(open.sent._breaks), at]
      this.delta(open, PART_BREAK, { ext: { [OWN]: { _breaks: [at] } } })
    }
    if (place !== undefined) state.part = place
    if (piece !== '') this.delta(open, piece)
  }

  private callPiece(event: JsonObject): void {
    const open = this.itemOf(event)?.parts.get(0)
    const piece = text(event.delta)
    if (!open || open.closed || piece === undefined) return this.unknown(event)
    this.delta(open, piece)
  }

  // The end

  private finish(response: JsonObject): void {
    this.start(response)
    for (const [index, item] of list(response.output).entries()) {
      if (!isObject(item)) continue
      const known = this.items.get(`#${index}`) ?? this.items.get(`:${text(item.id)}`)
      if (known) {
        if (!known.done && known.kind === kindOf(item)) this.done({ output_index: index }, item)
      } else if (!this.ids.has(text(item.id) ?? '')) this.done({ output_index: index }, item)
    }
    for (const item of this.items.values()) for (const open of item.parts.values()) this.close(open, {})
    this.usage(response)
    this.events.push({ type: 'finish', choice: 0, finish: readFinish(response, [...this.said].map((type) => ({ type }))) })
    this.over = true
  }

  private usage(response: JsonObject): void {
    const usage = readUsage(response.usage)
    if (usage && isObject(response.usage)) this.events.push({ type: 'usage', usage, rawUsage: response.usage })
  }

  private fault(body: JsonObject): void {
    this.events.push({ type: 'fault', fault: decodeError(0, body) })
    this.over = true
  }
}

function keyOf(event: JsonObject): string {
  const index = count(event.output_index)
  return index === undefined ? `:${text(event.item_id)}` : `#${index}`
}

function kindOf(item: JsonObject): Kind {
  switch (item.type) {
    case 'message':
    case 'reasoning':
      return item.type
    case 'function_call':
    case 'custom_tool_call':
      return 'call'
    default:
      return 'other'
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
    const before = sent[key]
    if (Array.isArray(value) && Array.isArray(before)) {
      if (value.length > before.length) rest[key] = value.slice(before.length)
    } else if (value !== undefined && (isObject(value) ? JSON.stringify(value) !== JSON.stringify(before) : value !== before)) rest[key] = value
  }
  return rest
}
