import { isObject, type Json, type JsonObject } from '../../../../contract/json.ts'
import type { Usage, UsageDetails } from '../../../../contract/meters.ts'
import type { Block, Event, Finish } from '../canonical.ts'
import type { Frame, StreamCall, Translator } from '../protocol.ts'
import { FreeText, freeFormNames } from './asked.ts'
import type { Call } from './block.ts'
import { failureEvents } from './error.ts'
import { idBase, isImage, logprobList, responseId, responseObject, writeStatus } from './items.ts'
import { type BlockWriter, MessageWriter, type Sink, writeImage, writeThoughts, writeToolCall } from './stream-items.ts'
import { writeUsage } from './usage.ts'
import { count, isNative, object, OWN, remembered, text } from './wire.ts'

/**
 * Writes a Responses stream under the platform's model name. Blocks may be open beside each other. The final event repeats the whole
 * output with the usage and is written by `end`, since other protocols tell the usage after the finish; without a finish nothing ends,
 * and the caller breaks the stream off with an error. Media that is no image and alternatives after the first cannot be shown.
 */
export function encodeStream(call: StreamCall): Translator<Event, Frame> {
  const writer = new StreamWriter(call)
  return { push: (event) => writer.push(event), end: () => writer.end() }
}

/** A block that is not on the wire yet: thoughts and words of other makers begin with their first word. */
interface Waiting {
  block: Block
  begin(): BlockWriter
}

class StreamWriter implements Sink {
  readonly base: string
  private readonly call: StreamCall
  private frames: Frame[] = []
  private sequence = 0
  private id = ''
  private created: number
  private serviceTier: string | undefined
  private started = false
  private over = false
  private readonly output: (JsonObject | undefined)[] = []
  private readonly writers = new Map<number, BlockWriter>()
  private readonly waiting = new Map<number, Waiting>()
  /** Items of hosted tools that passed as foreign events: where they stand here, by id and by the upstream's place. */
  private readonly announced = new Map<string, number>()
  private readonly places = new Map<number, number>()
  private message: MessageWriter | undefined
  private freeForm: ReadonlySet<string> | undefined
  private hasRefusal = false
  private usage: (Usage & UsageDetails) | undefined
  private rawUsage: Json | undefined
  private finish: Finish | undefined

  constructor(call: StreamCall) {
    this.call = call
    this.base = idBase(call)
    this.created = call.created
  }

  push(event: Event): Frame[] {
    if (!this.over) this.take(event)
    return this.flush()
  }

  end(): Frame[] {
    if (this.over || !this.finish) return []
    this.start(undefined)
    for (const index of [...this.waiting.keys(), ...this.writers.keys()]) this.close(index, undefined)
    const native = isNative(this.finish)
    const status = writeStatus(this.finish, native, this.hasRefusal)
    const word = text(status.status) ?? 'completed'
    this.message?.seal(word === 'incomplete' ? word : 'completed')
    const usage = native && isObject(this.rawUsage) ? this.rawUsage : this.usage ? writeUsage(this.usage) : undefined
    const memory = native ? remembered(this.finish.ext, 'response') : undefined
    const response = this.response(isObject(memory) ? memory : undefined, { ...status, output: this.items(), ...(usage ? { usage } : {}) })
    const type = word === 'incomplete' || word === 'failed' ? word : 'completed'
    this.write(`response.${type}`, { response })
    this.over = true
    return this.flush()
  }

  // What the writers of items use

  write(type: string, members: JsonObject): void {
    this.frames.push({ event: type, data: JSON.stringify({ type, sequence_number: this.sequence++, ...members }) })
  }

  add(item: (index: number) => JsonObject): number {
    const index = this.output.length
    this.output.push(undefined)
    this.write('response.output_item.added', { output_index: index, item: item(index) })
    return index
  }

  done(index: number, item: JsonObject): void {
    this.output[index] = item
    this.write('response.output_item.done', { output_index: index, item })
  }

  private take(event: Event): void {
    switch (event.type) {
      case 'start':
        this.start(event)
        break
      case 'open':
        if (event.choice === 0) this.open(event.index, event.block)
        break
      case 'delta':
        if (event.choice === 0) this.delta(event)
        break
      case 'seal':
        if (event.choice === 0) this.writerOf(event.index)?.seal(event.seal)
        break
      case 'close':
        if (event.choice === 0) this.close(event.index, event.ext?.[OWN])
        break
      case 'usage':
        this.usage = { ...this.usage, ...event.usage }
        if (event.rawUsage !== undefined) this.rawUsage = event.rawUsage
        break
      case 'finish':
        if (event.choice === 0) this.finish = event.finish
        break
      case 'fault':
        this.start(undefined)
        this.frames.push(...failureEvents(event.fault, this.sequence, this.response(undefined, { output: this.items() })))
        this.over = true
        break
      case 'ping':
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
    this.id = responseId(event?.id, event !== undefined && isNative(event), this.call)
    this.created = event?.created ?? this.call.created
    this.serviceTier = event?.serviceTier
    const response = this.response(undefined, { status: 'in_progress' })
    this.write('response.created', { response })
    this.write('response.in_progress', { response })
  }

  private response(memory: JsonObject | undefined, said: JsonObject): JsonObject {
    const tier = this.serviceTier === undefined ? {} : { service_tier: this.serviceTier }
    return responseObject(this.id, this.created, this.call, memory, { ...tier, ...said })
  }

  private items(): JsonObject[] {
    return this.output.filter((item) => item !== undefined)
  }

  private open(index: number, block: Block): void {
    this.start(undefined)
    const own = block.type === 'foreign' || block.ext?.[OWN] !== undefined
    switch (block.type) {
      case 'text':
      case 'refusal':
        if (block.type === 'refusal') this.hasRefusal = true
        this.wait(index, { block, begin: () => this.messageFor(block).words(block) }, own || block.text !== '')
        break
      case 'reasoning':
        this.wait(
          index,
          { block, begin: () => this.item(() => writeThoughts(this, block)) },
          own || block.text !== '' || Boolean(block.seal),
        )
        break
      case 'call':
        this.toolCall(index, block)
        break
      case 'media':
        if (isImage(block))
          this.writers.set(
            index,
            this.item(() => writeImage(this, block, this.placeOf(block))),
          )
        break
      case 'foreign':
        if (block.from === OWN) this.whole(block)
        break
      case 'result':
        break
      default:
        block satisfies never
    }
  }

  private toolCall(index: number, block: Call): void {
    this.freeForm ??= freeFormNames(this.call.request)
    const free = !block.custom && this.freeForm.has(block.name)
    const begin = free ? () => writeToolCall(this, { ...block, custom: true }, new FreeText()) : () => writeToolCall(this, block)
    this.writers.set(index, this.item(begin))
  }

  private wait(index: number, waiting: Waiting, now: boolean): void {
    if (now) this.writers.set(index, waiting.begin())
    else this.waiting.set(index, waiting)
  }

  /** The writer of a block, which begins now if it has waited. */
  private writerOf(index: number): BlockWriter | undefined {
    const waiting = this.waiting.get(index)
    if (waiting) {
      this.waiting.delete(index)
      this.writers.set(index, waiting.begin())
    }
    return this.writers.get(index)
  }

  private delta(event: Extract<Event, { type: 'delta' }>): void {
    const logprobs = logprobList(event.logprobs)
    const ext = event.ext?.[OWN]
    if (event.text === '' && logprobs.length === 0 && !ext) return
    this.writerOf(event.index)?.delta(event.text, logprobs, ext)
  }

  private close(index: number, ext: JsonObject | undefined): void {
    this.waiting.delete(index)
    const writer = this.writers.get(index)
    this.writers.delete(index)
    writer?.close(ext)
  }

  /** The message that `block` belongs to: the last one, if nothing came between. */
  private messageFor(block: Block): MessageWriter {
    if (this.message?.takes(block)) return this.message
    this.message?.seal()
    this.message = new MessageWriter(this, block)
    return this.message
  }

  /** Begins an item that is no message; the message before it is over. */
  private item(begin: () => BlockWriter): BlockWriter {
    this.message?.seal()
    this.message = undefined
    return begin()
  }

  /** Where an image stands whose item was announced by a foreign event. */
  private placeOf(block: Block): number | undefined {
    const echo = block.type === 'foreign' ? undefined : remembered(block.ext, 'echo')
    return isObject(echo) ? this.announced.get(text(echo.id) ?? '') : undefined
  }

  /** An item or part of this protocol that has no other name, told at once. */
  private whole(block: Extract<Block, { type: 'foreign' }>): void {
    const { _part, _message, ...data } = block.data
    if (_part === true) return this.messageFor(block).foreign(data)
    this.message?.seal()
    this.message = undefined
    const index = this.announced.get(text(data.id) ?? '') ?? this.add(() => data)
    this.done(index, data)
  }

  /** An event of this protocol that has no other name, given back as it came under the numbers of this stream. */
  private foreign(data: JsonObject): void {
    const type = text(data.type)
    if (type === undefined) return
    this.start(undefined)
    const { type: _, sequence_number: __, ...members } = data
    const place = count(data.output_index)
    if (type === 'response.output_item.added') {
      this.message?.seal()
      this.message = undefined
      const index = this.add(() => object(data.item))
      const id = isObject(data.item) ? text(data.item.id) : undefined
      if (id !== undefined) this.announced.set(id, index)
      if (place !== undefined) this.places.set(place, index)
      return
    }
    const moved = place === undefined ? undefined : this.places.get(place)
    this.write(type, moved === undefined ? members : { ...members, output_index: moved })
  }

  private flush(): Frame[] {
    const { frames } = this
    this.frames = []
    return frames
  }
}
