// long file: one reader of one stream; its state is shared by every event
import { isObject, type Json, type JsonObject } from '../../../../contract/json.ts'
import type { Block, Event } from '../canonical.ts'
import type { Frame, Translator } from '../protocol.ts'
import { foreign, messageMemory, PART_BREAK, readCall, readImageCall, readPart, readReasoning } from './block.ts'
import { decodeError } from './error.ts'
import { readFinish } from './response.ts'
import { BlockFeed, type Open } from './stream-feed.ts'
import { readUsage } from './usage.ts'
import { count, list, object, OWN, parseObject, text } from './wire.ts'

type Kind = 'message' | 'reasoning' | 'call' | 'other'

/** An item that was added. Parts are its blocks by their place; a reasoning item or a call has one, at 0. `part` is the last told. */
interface Item {
  kind: Kind
  added: JsonObject
  parts: Map<number, Open>
  part: number | undefined
  done: boolean
}

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
  private readonly feed = new BlockFeed()
  private started = false
  private over = false
  private readonly items = new Map<string, Item>()
  private readonly ids = new Set<string>()

  push(frame: Frame): Event[] {
    const event = this.over ? undefined : parseObject(frame.data)
    if (event) this.take(event, text(event.type) ?? frame.event ?? '')
    return this.feed.flush()
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
        return this.feed.push({ type: 'ping' })
      default:
        if (type === '' && isObject(event.error)) this.fault(event)
        else this.unknown(event)
    }
  }

  private unknown(data: JsonObject): void {
    this.feed.push({ type: 'foreign', from: OWN, data })
  }

  // The answer

  private start(response: Json | undefined): void {
    if (this.started || !isObject(response)) return
    this.started = true
    const created = count(response.created_at)
    const head = { id: text(response.id) ?? '', model: text(response.model) ?? '' }
    this.feed.push({ type: 'start', ...head, ...(created === undefined ? {} : { created }), ext: { [OWN]: {} } })
  }

  private finish(response: JsonObject): void {
    this.start(response)
    for (const [index, item] of list(response.output).entries()) {
      if (!isObject(item)) continue
      const known = this.items.get(`#${index}`) ?? this.items.get(`:${text(item.id)}`)
      const missing = known ? !known.done && known.kind === kindOf(item) : !this.ids.has(text(item.id) ?? '')
      if (missing) this.done({ output_index: index }, item)
    }
    for (const item of this.items.values()) for (const open of item.parts.values()) this.feed.close(open, {})
    this.usage(response)
    this.feed.push({ type: 'finish', choice: 0, finish: readFinish(response, this.feed.kinds()) })
    this.over = true
  }

  private usage(response: JsonObject): void {
    const usage = readUsage(response.usage)
    if (usage && isObject(response.usage)) this.feed.push({ type: 'usage', usage, rawUsage: response.usage })
  }

  private fault(body: JsonObject): void {
    this.feed.push({ type: 'fault', fault: decodeError(0, body) })
    this.over = true
  }

  // Items

  /** The item an event is about: by its place, or by its id where a vendor tells none. */
  private itemOf(event: JsonObject): Item | undefined {
    return this.items.get(keyOf(event))
  }

  private adopt(event: JsonObject, item: JsonObject): Item {
    const state: Item = { kind: kindOf(item), added: item, parts: new Map(), part: undefined, done: false }
    this.items.set(keyOf({ ...event, item_id: item.id }), state)
    if (typeof item.id === 'string') this.ids.add(item.id)
    return state
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
    // Without an `added` nothing but the end is told of it.
    const state = this.itemOf({ ...event, item_id: item.id }) ?? this.adopt(event, item)
    if (state.done) return
    state.done = true
    if (state.kind === 'message') {
      for (const [place, part] of list(item.content).entries()) if (isObject(part)) this.finishPart(state, place, part)
    } else if (state.kind === 'other') {
      this.feed.whole((item.type === 'image_generation_call' ? readImageCall(item) : undefined) ?? foreign(item))
    } else {
      const block = state.kind === 'call' ? readCall(item, 'answer') : readReasoning(item, 'answer')
      if (!block) this.feed.whole(foreign(item))
      else if ('type' in block) this.finishBlock(state, 0, block, [])
      else this.feed.carry(block)
    }
    for (const open of state.parts.values()) this.feed.close(open, {})
  }

  private open(state: Item, place: number, block: Block): Open {
    const open = this.feed.open(block)
    state.parts.set(place, open)
    return open
  }

  private finishBlock(state: Item, place: number, block: Block, logprobs: Json[]): void {
    const open = state.parts.get(place)
    if (open || logprobs.length > 0) this.feed.finish(open ?? this.open(state, place, block), block, logprobs)
    else this.feed.close(this.open(state, place, block), {})
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
    if (state.parts.get(place)?.closed) return
    this.finishBlock(state, place, this.readPart(state, place, part), list(part.logprobs))
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
    this.feed.delta(open, piece, logprobs.length > 0 ? { logprobs: { content: logprobs } } : {})
  }

  private annotation(event: JsonObject): void {
    const open = this.wordsOf(event, 'text')
    if (!open || open.closed || event.annotation === undefined) return this.unknown(event)
    open.sent.annotations = [...list(open.sent.annotations), event.annotation]
    this.feed.delta(open, '', { ext: { [OWN]: { annotations: [event.annotation] } } })
  }

  // Thoughts and calls

  /** A piece of a part of thoughts; a part after the first begins with a break. */
  private thought(event: JsonObject, place: number | undefined, fromContent: boolean, piece: string | undefined): void {
    const state = this.itemOf(event)
    if (state?.kind !== 'reasoning' || piece === undefined) return this.unknown(event)
    let open = state.parts.get(0)
    if (!open) {
      const block = beginThoughts(state.added, fromContent)
      if (!block) return this.unknown(event)
      open = this.open(state, 0, block)
    } else if (open.closed) {
      return this.unknown(event)
    } else if ((open.sent._content === true) !== fromContent) {
      // Thoughts and their summary in one item: the second comes with the finished item.
      return
    } else if (place !== undefined && state.part !== undefined && place > state.part) {
      const at = open.length
      open.sent._breaks = [...list(open.sent._breaks), at]
      this.feed.delta(open, PART_BREAK, { ext: { [OWN]: { _breaks: [at] } } })
    }
    if (place !== undefined) state.part = place
    if (piece !== '') this.feed.delta(open, piece)
  }

  private callPiece(event: JsonObject): void {
    const open = this.itemOf(event)?.parts.get(0)
    const piece = text(event.delta)
    if (!open || open.closed || piece === undefined) return this.unknown(event)
    this.feed.delta(open, piece)
  }
}

/** A reasoning item as it begins: what only its end tells surely (texts, seal, status) is left out. */
function beginThoughts(item: JsonObject, fromContent: boolean): Block | undefined {
  const { content: _, summary: __, status: ___, encrypted_content: ____, ...added } = item
  const bare = readReasoning(added, 'answer')
  if (!bare || !('type' in bare)) return undefined
  const { _null, ...members } = bare.ext?.[OWN] ?? {}
  return { ...bare, ext: { [OWN]: { ...members, ...(fromContent ? { _content: true } : {}) } } }
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
