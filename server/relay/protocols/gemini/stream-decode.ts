import { EMPTY_USAGE } from '../../../../contract/meters.ts'
import { isObject } from '../../../../contract/json.ts'
import type { Json, JsonObject } from '../../../../contract/json.ts'
import type { Block, Event } from '../canonical.ts'
import type { Frame, Translator } from '../protocol.ts'
import { unpackSeal } from '../seal.ts'
import { decodePart, marks } from './block.ts'
import { decodeError } from './error.ts'
import { candidateExtension, decodeBlocked, decodeFinish, decodeLogprobs, isFinished } from './finish.ts'
import { ArgsBuilder } from './partial-args.ts'
import { readUsage } from './usage.ts'
import type { PartialUsage } from './usage.ts'
import { GEMINI, camel, fingerprint, list, number, text } from './wire.ts'

/** A made-up call id stays below the 40 characters that Chat Completions allows. */
const MAX_ANSWER_ID_IN_CALL = 24

interface ChoiceState {
  index: number
  next: number
  /** The block that text is appended to. */
  open?: { index: number; type: 'text' | 'reasoning' }
  /** A call whose arguments come in pieces. */
  call?: { index: number; args: ArgsBuilder }
  calls: number
  /** Seals of other makers already given: thoughts carried with a call come twice. */
  seals: Set<string>
  /** What the candidate said beside its content so far; it belongs to its finish. */
  ext: JsonObject
  finished: boolean
}

/** Every chunk is a whole GenerateContentResponse: blocks are opened and closed where the parts change their kind. */
export function decodeStream(): Translator<Frame, Event> {
  const reader = new AnswerReader()
  return {
    push(frame) {
      const events: Event[] = []
      const value = parse(frame.data)
      if (value === undefined) {
        if (frame.data !== '[DONE]') events.push({ type: 'foreign', from: GEMINI, data: { data: frame.data } })
        return events
      }
      for (const chunk of Array.isArray(value) ? value : [value]) {
        if (isObject(chunk)) reader.read(chunk, events)
      }
      return events
    },
    end: () => reader.end(),
  }
}

function parse(data: string): Json | undefined {
  try {
    return JSON.parse(data) as Json
  } catch {
    return undefined
  }
}

/** Reads the chunks of one answer; a whole body is an answer of one chunk. */
export class AnswerReader {
  readonly #choices = new Map<number, ChoiceState>()
  #id: string | undefined
  #usage: PartialUsage = {}

  read(raw: JsonObject, events: Event[]): void {
    const chunk = camel(raw)
    if (isObject(chunk.error)) {
      events.push({ type: 'fault', fault: decodeError(0, raw) })
      return
    }
    if (this.#id === undefined) this.#start(chunk, events)
    list(chunk.candidates).forEach((candidate, position) => {
      if (isObject(candidate)) this.#candidate(camel(candidate), position, events)
    })
    this.#readUsage(chunk.usageMetadata, events)
    list(chunk.candidates).forEach((candidate, position) => {
      if (isObject(candidate)) this.#finish(camel(candidate), position, events)
    })
    const blocked = isObject(chunk.promptFeedback) ? decodeBlocked(camel(chunk.promptFeedback)) : undefined
    if (blocked) events.push({ type: 'finish', choice: 0, finish: blocked })
  }

  /** Closes what a broken stream left open; a call that is not whole stays open. */
  end(): Event[] {
    const events: Event[] = []
    for (const state of this.#choices.values()) this.#closeText(state, events)
    return events
  }

  #start(chunk: JsonObject, events: Event[]): void {
    const { candidates: _, usageMetadata: __, responseId, modelVersion, createTime, promptFeedback, ...rest } = chunk
    this.#id = text(responseId) ?? ''
    const ext: JsonObject = rest
    if (createTime !== undefined) ext._createTime = createTime
    if (promptFeedback !== undefined && !(isObject(promptFeedback) && promptFeedback.blockReason !== undefined)) {
      ext._promptFeedback = promptFeedback
    }
    const created = Math.floor(Date.parse(text(createTime) ?? '') / 1000)
    events.push({
      type: 'start',
      id: this.#id,
      model: text(modelVersion) ?? '',
      ...(Number.isSafeInteger(created) && { created }),
      ...(Object.keys(ext).length > 0 && { ext: { [GEMINI]: ext } }),
    })
  }

  #state(candidate: JsonObject, position: number): ChoiceState {
    const index = number(candidate.index) ?? position
    const known = this.#choices.get(index)
    if (known) return known
    const state: ChoiceState = { index, next: 0, calls: 0, seals: new Set(), ext: {}, finished: false }
    this.#choices.set(index, state)
    return state
  }

  #candidate(candidate: JsonObject, position: number, events: Event[]): void {
    const state = this.#state(candidate, position)
    const content = isObject(candidate.content) ? camel(candidate.content) : {}
    const from = events.length
    for (const part of list(content.parts)) {
      if (!isObject(part) || !this.#callPiece(state, camel(part), events)) {
        for (const block of decodePart(part)) this.#block(state, block, events)
      }
    }
    const logprobs = decodeLogprobs(candidate.logprobsResult)
    if (logprobs === undefined) return
    const delta = events.slice(from).findLast((event) => event.type === 'delta')
    if (delta?.type === 'delta') delta.logprobs = logprobs
  }

  #finish(candidate: JsonObject, position: number, events: Event[]): void {
    const state = this.#state(candidate, position)
    const ext = candidateExtension(candidate)
    if (state.finished && Object.keys(ext).some((name) => !name.startsWith('_'))) {
      events.push({ type: 'foreign', from: GEMINI, data: { candidates: [candidate] } })
    }
    Object.assign(state.ext, ext)
    if (!isFinished(candidate.finishReason)) return
    state.finished = true
    this.#closeText(state, events)
    this.#closeCall(state, events)
    const finish = decodeFinish(candidate.finishReason, state.calls > 0, state.ext)
    events.push({ type: 'finish', choice: state.index, finish })
  }

  #readUsage(raw: Json | undefined, events: Event[]): void {
    const usage = readUsage(raw)
    if (!usage || raw === undefined) return
    const before = this.#usage
    const changed = Object.entries(usage).some(([meter, tokens]) => before[meter as keyof PartialUsage] !== tokens)
    if (!changed) return
    this.#usage = { ...before, ...usage }
    events.push({ type: 'usage', usage: { ...EMPTY_USAGE, ...this.#usage }, rawUsage: raw })
  }

  #block(state: ChoiceState, block: Block, events: Event[]): void {
    if (block.type === 'reasoning' && block.seal) {
      this.#sealed(state, block, block.seal.by === GEMINI, events)
      return
    }
    if (block.type === 'text' || block.type === 'reasoning') {
      this.#text(state, block, events)
      return
    }
    // The end of pieces that never began.
    if (block.type === 'call' && block.name === '' && block.input === '{}') return
    this.#closeText(state, events)
    this.#closeCall(state, events)
    const index = state.next++
    if (block.type === 'call') {
      events.push({ type: 'open', choice: state.index, index, block: { ...block, id: this.#callId(state, block), input: '' } })
      events.push({ type: 'delta', choice: state.index, index, text: block.input })
    } else events.push({ type: 'open', choice: state.index, index, block })
    events.push({ type: 'close', choice: state.index, index })
  }

  #text(state: ChoiceState, block: Extract<Block, { type: 'text' | 'reasoning' }>, events: Event[]): void {
    if (block.text === '' && !block.ext) return
    if (state.open?.type !== block.type || block.ext) this.#open(state, { ...block, text: '' }, events)
    if (state.open && block.text !== '') events.push({ type: 'delta', choice: state.index, index: state.open.index, text: block.text })
    if (block.ext) this.#closeText(state, events)
  }

  /** A signature ends the thought it came with; on any other part it is a block of its own. */
  #sealed(state: ChoiceState, block: Extract<Block, { type: 'reasoning' }>, own: boolean, events: Event[]): void {
    const { seal, ext, ...head } = block
    if (!seal) return
    if (!own) {
      const key = `${seal.by}.${seal.value}`
      if (state.seals.has(key)) return
      state.seals.add(key)
    }
    const { [marks.apart]: apart, ...members } = ext?.[GEMINI] ?? {}
    const plain = Object.keys(members).length === 0
    const goesOn = state.open?.type === 'reasoning' && plain && !block.redacted && (block.text !== '' || apart === 'thought')
    if (!goesOn) this.#open(state, { ...head, text: '', ...(!plain && { ext: { [GEMINI]: members } }) }, events)
    const index = state.open?.index ?? 0
    if (block.text !== '') events.push({ type: 'delta', choice: state.index, index, text: block.text })
    events.push({ type: 'seal', choice: state.index, index, seal })
    this.#closeText(state, events)
  }

  #open(state: ChoiceState, block: Extract<Block, { type: 'text' | 'reasoning' }>, events: Event[]): void {
    this.#closeText(state, events)
    this.#closeCall(state, events)
    state.open = { index: state.next++, type: block.type }
    events.push({ type: 'open', choice: state.index, index: state.open.index, block })
  }

  #closeText(state: ChoiceState, events: Event[]): void {
    if (!state.open) return
    events.push({ type: 'close', choice: state.index, index: state.open.index })
    delete state.open
  }

  /** The arguments are known only when the last piece is there: a later one may go back into an object an earlier one began. */
  #closeCall(state: ChoiceState, events: Event[]): void {
    if (!state.call) return
    const { index, args } = state.call
    events.push({ type: 'delta', choice: state.index, index, text: args.json() }, { type: 'close', choice: state.index, index })
    delete state.call
  }

  /** @returns whether the part belongs to a call that is streamed in pieces */
  #callPiece(state: ChoiceState, part: JsonObject, events: Event[]): boolean {
    if (!isObject(part.functionCall)) return false
    const piece = camel(part.functionCall)
    const name = text(piece.name) ?? ''
    const goesOn = state.call !== undefined && name === ''
    if (!goesOn && piece.willContinue !== true && !Array.isArray(piece.partialArgs)) return false
    if (!goesOn) {
      this.#closeText(state, events)
      this.#closeCall(state, events)
    }
    const signature = text(part.thoughtSignature)
    const seal = signature === undefined ? undefined : unpackSeal(signature, GEMINI)
    if (!state.call) {
      const index = state.next++
      const head: Extract<Block, { type: 'call' }> = { type: 'call', id: text(piece.id) ?? '', name, input: '', ...(seal && { seal }) }
      state.call = { index, args: new ArgsBuilder() }
      events.push({ type: 'open', choice: state.index, index, block: { ...head, id: this.#callId(state, head) } })
    } else if (seal) events.push({ type: 'seal', choice: state.index, index: state.call.index, seal })
    const { args } = state.call
    if (isObject(piece.args)) args.assign(piece.args)
    for (const partial of list(piece.partialArgs)) args.add(partial)
    if (piece.willContinue !== true) this.#closeCall(state, events)
    return true
  }

  /** Many answers give their calls no id; the answer's own id makes one that no other turn of the talk has. */
  #callId(state: ChoiceState, call: Extract<Block, { type: 'call' }>): string {
    const position = state.index === 0 ? `${state.calls}` : `${state.index}_${state.calls}`
    state.calls++
    if (call.id !== '') return call.id
    const answer = (this.#id ?? '').replace(/[^A-Za-z0-9_-]/g, '').slice(0, MAX_ANSWER_ID_IN_CALL)
    return `call_${answer === '' ? fingerprint(`${call.name} ${call.seal?.value ?? ''}`) : answer}_${position}`
  }
}
