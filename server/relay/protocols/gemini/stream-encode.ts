import type { Json, JsonObject } from '../../../../contract/json.ts'
import type { Usage, UsageDetails } from '../../../../contract/meters.ts'
import type { Block, Event, Finish } from '../canonical.ts'
import type { Frame, StreamCall, Translator } from '../protocol.ts'
import { AnswerPartsWriter } from './answer-parts.ts'
import type { ReasoningBlock } from './carry.ts'
import { encodeStreamError } from './error.ts'
import { candidateMembers, encodeFinish, encodeLogprobs } from './finish.ts'
import { ownExtension } from './parts.ts'
import { timestamp } from './response.ts'
import { writeUsage } from './usage.ts'
import { GEMINI } from './wire.ts'

interface ChoiceState {
  open: Map<number, { block: Block }>
  writer: AnswerPartsWriter
  finish?: Finish
}

/**
 * Writes events as chunks: text at once, calls and media whole when they close. The last chunk, with the finish reasons and the
 * usage, is written at the end of the input, because some makers tell the usage after the finish. A stream that ends without a
 * finish gets no such chunk: it is not whole.
 */
export function encodeStream(call: StreamCall): Translator<Event, Frame> {
  const writer = new ChunkWriter(call)
  return { push: (event) => writer.push(event), end: () => writer.end() }
}

class ChunkWriter {
  readonly #call: StreamCall
  readonly #choices = new Map<number, ChoiceState>()
  #id: string
  #createTime: Json
  #usage: { usage: Usage & UsageDetails; raw: Json | undefined } | undefined
  #broken = false

  constructor(call: StreamCall) {
    this.#call = call
    this.#id = call.id
    this.#createTime = timestamp(undefined, call)
  }

  push(event: Event): Frame[] {
    switch (event.type) {
      case 'start':
        if (event.id !== '') this.#id = event.id
        this.#createTime = event.ext?.[GEMINI]?._createTime ?? timestamp(event.created, this.#call)
        return []
      case 'open':
        return this.#open(event.choice, event.index, event.block)
      case 'delta':
        return this.#delta(event)
      case 'seal': {
        const state = this.#state(event.choice)
        const open = state.open.get(event.index)
        if (open?.block.type === 'call') open.block = { ...open.block, seal: event.seal }
        if (open?.block.type !== 'reasoning') return []
        open.block = { ...open.block, seal: event.seal }
        return this.#sealed(event.choice, state, open.block)
      }
      case 'close':
        return this.#close(event.choice, event.index)
      case 'usage':
        this.#usage = { usage: { ...this.#usage?.usage, ...event.usage }, raw: event.rawUsage }
        return []
      case 'finish':
        return this.#finish(event.choice, event.finish)
      case 'fault':
        this.#broken = true
        return encodeStreamError(event.fault, this.#call.id)
      case 'foreign':
        return event.from === GEMINI && event.data.candidates !== undefined ? [this.#frame(event.data)] : []
      case 'ping':
        return []
      default:
        event satisfies never
        return []
    }
  }

  end(): Frame[] {
    const finished = [...this.#choices].filter(([, state]) => state.finish)
    if (this.#broken || finished.length === 0) return []
    const body: JsonObject = {}
    const candidates: Json[] = []
    for (const [index, { finish }] of finished) {
      if (!finish) continue
      const feedback = finish.ext?.[GEMINI]?._promptFeedback
      if (feedback !== undefined) body.promptFeedback = feedback
      else
        candidates.push({
          content: { parts: [{ text: '' }], role: 'model' },
          finishReason: encodeFinish(finish),
          index,
          ...candidateMembers(finish),
        })
    }
    if (candidates.length > 0) body.candidates = candidates
    if (this.#usage) body.usageMetadata = writeUsage(this.#usage.usage, this.#usage.raw)
    return [this.#frame(body)]
  }

  #state(choice: number): ChoiceState {
    const known = this.#choices.get(choice)
    if (known) return known
    const state: ChoiceState = { open: new Map(), writer: new AnswerPartsWriter() }
    this.#choices.set(choice, state)
    return state
  }

  #open(choice: number, index: number, block: Block): Frame[] {
    const state = this.#state(choice)
    const own = block.type === 'media' ? { ...block, data: { ...block.data } } : { ...block }
    state.open.set(index, { block: own })
    if (own.type !== 'text' && own.type !== 'refusal' && own.type !== 'reasoning') return []
    const frames = own.text === '' ? [] : [this.#text(choice, own, own.text)]
    if (own.type === 'reasoning' && own.seal) frames.push(...this.#sealed(choice, state, own))
    return frames
  }

  #delta(event: Extract<Event, { type: 'delta' }>): Frame[] {
    const open = this.#state(event.choice).open.get(event.index)
    const block: Block = open?.block ?? { type: 'text', text: '' }
    switch (block.type) {
      case 'reasoning':
        block.text += event.text
        return event.text === '' ? [] : [this.#text(event.choice, block, event.text)]
      case 'text':
      case 'refusal':
        return event.text === '' && event.logprobs === undefined ? [] : [this.#text(event.choice, block, event.text, event.logprobs)]
      case 'call':
        block.input += event.text
        return []
      case 'media':
        if ('base64' in block.data) block.data.base64 += event.text
        return []
      case 'result':
      case 'foreign':
        return []
      default:
        block satisfies never
        return []
    }
  }

  #text(choice: number, block: Block, text: string, logprobs?: Json): Frame {
    const part: JsonObject = { text, ...(block.type === 'reasoning' && { thought: true }), ...ownExtension(block).members }
    const result = encodeLogprobs(logprobs)
    return this.#chunk(choice, [part], result && { logprobsResult: result })
  }

  /** The text of the thought is out already; its signature follows in an empty part, as Google sends it. */
  #sealed(choice: number, state: ChoiceState, block: ReasoningBlock): Frame[] {
    const signature = state.writer.signature(block)
    if (signature === undefined) return []
    const thought = block.text !== '' || block.seal?.by !== GEMINI
    return [this.#chunk(choice, [{ text: '', ...(thought && { thought: true }), thoughtSignature: signature }])]
  }

  #close(choice: number, index: number): Frame[] {
    const state = this.#state(choice)
    const open = state.open.get(index)
    state.open.delete(index)
    if (!open || open.block.type === 'text' || open.block.type === 'refusal' || open.block.type === 'reasoning') return []
    const parts: JsonObject[] = []
    // What a stream cannot carry was known only after its first byte; the log tells it (additions.md, losses).
    state.writer.write(open.block, parts, { losses: [], path: '' })
    return parts.length > 0 ? [this.#chunk(choice, parts)] : []
  }

  /** Blocks a maker forgot to close are whole when it says it is finished. */
  #finish(choice: number, finish: Finish): Frame[] {
    const state = this.#state(choice)
    state.finish = finish
    return [...state.open.keys()].flatMap((index) => this.#close(choice, index))
  }

  #chunk(index: number, parts: JsonObject[], beside?: JsonObject): Frame {
    return this.#frame({ candidates: [{ content: { parts, role: 'model' }, index, ...beside }] })
  }

  #frame(body: JsonObject): Frame {
    return { data: JSON.stringify({ ...body, modelVersion: this.#call.model, createTime: this.#createTime, responseId: this.#id }) }
  }
}
