import { isObject, type Json, type JsonObject } from '../../../../contract/json.ts'
import type { Block, Event, Seal } from '../canonical.ts'
import { decodePart } from './block.ts'
import { finishExtra, readFinish } from './finish.ts'
import { ASSISTANT_MEMBERS, ownSeal, readAudio } from './message.ts'
import { callId, choiceRest, readLogprobs } from './response.ts'
import { detailsText, mergeDetails, readDetails, type Reasoning } from './seals.ts'
import { StreamedCalls } from './stream-calls.ts'
import { isObjectEmpty, mergeMembers } from './stream-merge.ts'
import { objects, OWN, own, restSaid, text } from './wire.ts'

type Flow = 'text' | 'refusal' | 'reasoning' | 'audio'

/** Reads the deltas of one choice; blocks are told one after the other, except that calls may still run while text goes on. */
export class ChoiceReader {
  private readonly index: number
  private next = 0
  private open: { flow: Flow; index: number } | undefined
  private readonly calls: StreamedCalls
  /** In which member the open thoughts are told, and what `reasoning_details` said of them. */
  private thoughtsMember: string | undefined
  private details: Json[] = []
  private seal: Seal | undefined
  private refused = false
  private finished = false
  private extra: JsonObject | undefined
  private messageExtra: JsonObject | undefined
  /** Another maker's sealed thoughts came in `reasoning_details`; those on the calls' ids are the same. */
  private detailed = false
  /** Id, transcript and expiry of the open sound, told in pieces. */
  private audioMembers: JsonObject | undefined

  constructor(index: number, id: string) {
    this.index = index
    this.calls = new StreamedCalls(
      index,
      () => this.next++,
      (call) => callId(id, index, call),
    )
  }

  /** @param broken the chunk is the vendor's own error: its finish reason is no end */
  read(choice: JsonObject, events: Event[], broken: boolean): void {
    if (this.finished) return
    const delta = isObject(choice.delta) ? choice.delta : isObject(choice.message) ? choice.message : { content: choice.text }
    this.thoughts(delta, events)
    const logprobs = readLogprobs(choice.logprobs)
    this.content(delta, logprobs && !isObjectEmpty(logprobs) ? logprobs : undefined, events)
    const refusal = text(delta.refusal)
    if (refusal) {
      this.refused = true
      this.flow('refusal', { type: 'refusal', text: '' }, refusal, events)
    }
    for (const image of objects(delta.images)) {
      const block = decodePart(image)
      if (block.type === 'media') block.ext = { [OWN]: { ...block.ext?.[OWN], _images: true } }
      this.whole(block, events)
    }
    this.audio(delta, events)
    if (Array.isArray(delta.annotations) && delta.annotations.length > 0) {
      const ext = { [OWN]: { annotations: delta.annotations } }
      this.flow('text', { type: 'text', text: '' }, '', events)
      if (this.open) events.push({ type: 'delta', choice: this.index, index: this.open.index, text: '', ext })
    }
    this.callPieces(delta, events)
    const extra = choiceRest(choice)
    if (extra) this.extra = { ...this.extra, ...extra }
    this.messageExtra = mergeMembers(this.messageExtra, this.rest(delta))
    if (!broken && typeof choice.finish_reason === 'string') this.finish(events, choice.finish_reason)
  }

  private rest(delta: JsonObject): JsonObject | undefined {
    const found = restSaid(delta, ASSISTANT_MEMBERS)
    // Mistral's deltas repeat the choice's index.
    if (found) delete found.index
    return found && Object.keys(found).length > 0 ? found : undefined
  }

  private thoughts(delta: JsonObject, events: Event[]): void {
    const content = text(delta.reasoning_content)
    const member = content ? 'reasoning_content' : text(delta.reasoning) ? 'reasoning' : undefined
    const list = Array.isArray(delta.reasoning_details) ? readDetails(delta.reasoning_details) : undefined
    const piece = (member ? text(delta[member]) : undefined) ?? (list ? detailsText(list.others) : '')
    if (piece !== '' || (list && list.others.length > 0)) {
      this.flow('reasoning', { type: 'reasoning', text: '' }, piece, events)
      if (member) this.thoughtsMember = member
      if (list) mergeDetails(this.details, list.others)
    }
    if (!list) return
    for (const block of list.reasoning) this.sealed(block, events)
    for (const [id, seal] of list.calls) this.calls.seal(id, seal, events)
  }

  /** Sealed thoughts of another maker, told by a gateway like ours: the readable ones were just streamed. */
  private sealed(block: Reasoning, events: Event[]): void {
    this.detailed = true
    if (this.open?.flow === 'reasoning' && !block.redacted) {
      this.seal = block.seal
      this.closeOpen(events)
    } else this.whole(block, events)
  }

  private content(delta: JsonObject, logprobs: JsonObject | undefined, events: Event[]): void {
    const { content } = delta
    if (Array.isArray(content)) {
      for (const part of content) this.part(part, events)
      return
    }
    const piece = text(content)
    if (!piece && !logprobs) return
    // The log probabilities of a refusal come beside an empty content.
    const refusing = !piece && typeof delta.refusal === 'string' && delta.refusal !== ''
    if (refusing) this.flow('refusal', { type: 'refusal', text: '' }, '', events, logprobs)
    else this.flow('text', { type: 'text', text: '' }, piece ?? '', events, logprobs)
  }

  private part(part: Json, events: Event[]): void {
    if (!isObject(part)) return
    const block = decodePart(part)
    if (block.type === 'text' && !block.ext && !block.cache) this.flow('text', { type: 'text', text: '' }, block.text, events)
    else if (block.type === 'reasoning') {
      this.thoughtsMember = 'thinking'
      this.flow('reasoning', { type: 'reasoning', text: '' }, block.text, events)
    } else this.whole(block, events)
  }

  private audio(delta: JsonObject, events: Event[]): void {
    if (!isObject(delta.audio)) return
    const { data, ...members } = delta.audio
    const block = readAudio({ data: '' })
    if (block) this.flow('audio', block, text(data) ?? '', events)
    this.audioMembers = mergeMembers(this.audioMembers, members)
  }

  private callPieces(delta: JsonObject, events: Event[]): void {
    const entries = objects(delta.tool_calls)
    if (isObject(delta.function_call)) entries.push({ index: 0, function: delta.function_call })
    for (const entry of entries) {
      const begun = this.calls.add(entry)
      if (!begun) continue
      if (begun.reasoning.length > 0 && !this.detailed) this.restore(begun.reasoning, events)
      this.closeOpen(events)
    }
    if (entries.length > 0) this.calls.tell(events, false)
  }

  /** Thoughts that rode on a call's id although the list that tells them too was dropped on the way. */
  private restore(blocks: Reasoning[], events: Event[]): void {
    for (const block of blocks) this.sealed(block, events)
    this.detailed = false
  }

  /** Appends to the open block of this kind, or opens one. */
  private flow(flow: Flow, block: Block, piece: string, events: Event[], logprobs?: JsonObject): void {
    if (this.open?.flow !== flow) {
      this.closeOpen(events)
      if (this.calls.any) this.calls.tell(events, false)
      this.open = { flow, index: this.next++ }
      events.push({ type: 'open', choice: this.index, index: this.open.index, block })
    }
    if (piece === '' && !logprobs) return
    events.push({ type: 'delta', choice: this.index, index: this.open.index, text: piece, ...(logprobs ? { logprobs } : {}) })
  }

  private whole(block: Block, events: Event[]): void {
    this.closeOpen(events)
    const index = this.next++
    events.push({ type: 'open', choice: this.index, index, block }, { type: 'close', choice: this.index, index })
  }

  private closeOpen(events: Event[]): void {
    if (!this.open) return
    const { flow, index } = this.open
    if (flow === 'reasoning') {
      const seal = this.seal ?? ownSeal(this.thoughtsMember, this.details)
      events.push({ type: 'seal', choice: this.index, index, seal })
      this.seal = undefined
      this.details = []
      this.thoughtsMember = undefined
    }
    this.open = undefined
    const ext = flow === 'audio' ? own(this.audioMembers) : {}
    events.push({ type: 'close', choice: this.index, index, ...ext })
  }

  /** Closes what is open, without an end: the stream broke. */
  close(events: Event[]): void {
    if (this.finished) return
    this.closeOpen(events)
    this.calls.tell(events, true)
  }

  /** Ends the choice, once. */
  finish(events: Event[], reason?: string): void {
    if (this.finished) return
    this.close(events)
    this.finished = true
    const held = { calls: this.calls.any, refusal: this.refused }
    const finish = readFinish(reason ?? 'stop', held, finishExtra(this.extra, this.messageExtra))
    if (reason === undefined) delete finish.raw
    events.push({ type: 'finish', choice: this.index, finish })
  }
}
