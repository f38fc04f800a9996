import type { Json, JsonObject } from '../../../../contract/json.ts'
import type { Usage, UsageDetails } from '../../../../contract/meters.ts'
import type { Block, Event, Seal } from '../canonical.ts'
import type { Frame, StreamCall, Translator } from '../protocol.ts'
import { packSeal } from '../seal.ts'
import { dataUrl, encodeCall, encodePart, type Call } from './block.ts'
import { encodeStreamError } from './error.ts'
import { finishMembers, writeFinish, type Held } from './finish.ts'
import { writeOwnReasoning } from './message.ts'
import { writeLogprobs, writeTier } from './response.ts'
import { isSealedElsewhere, packReasoning, writeDetail, type Reasoning } from './seals.ts'
import { DONE } from './stream-decode.ts'
import { OWN, ownMembers, remembered } from './wire.ts'
import { writeUsage } from './usage.ts'

interface Running {
  block: Block
  /** Position of a call in `tool_calls`. */
  slot: number
  /** A call's first chunk is held back until its seal, its first input or its end is there: the id carries the seal. */
  begun: boolean
  /** Text of sealed thoughts, which their maker wants back; data of a picture, which is told whole. */
  text: string
}

interface Talk {
  blocks: Map<number, Running>
  calls: number
  held: Held
  pending: Reasoning[]
  details: number
  finished: boolean
}

/** Writes events as `chat.completion.chunk`s, a usage chunk for those who asked, and `[DONE]` when the answer really ended. */
export function encodeStream(call: StreamCall): Translator<Event, Frame> {
  const talks = new Map<number, Talk>()
  let prefix = ''
  let extra = ''
  let usage: (Usage & UsageDetails) | undefined
  let broken = false

  function begin(id: string, created: number, members: JsonObject): void {
    if (prefix !== '') return
    prefix = `{"id":${JSON.stringify(id)},"object":"chat.completion.chunk","created":${created},"model":${JSON.stringify(call.model)},`
    // Members of the whole answer (`system_fingerprint`, `service_tier`) stand in every chunk.
    const written = JSON.stringify(members)
    extra = written === '{}' ? '' : `,${written.slice(1, -1)}`
  }

  function chunk(choices: string, use: string): Frame {
    begin(call.id, call.created, {})
    return { data: `${prefix}"choices":${choices}${extra}${use === '' ? '' : `,"usage":${use}`}}` }
  }

  /** One chunk of a choice. `delta` is JSON text: the hot path writes it by hand. */
  function piece(index: number, delta: string, logprobs = 'null', finish = 'null', members = ''): Frame {
    const choice = `[{"index":${index},"delta":${delta},"logprobs":${logprobs},"finish_reason":${finish}${members}}]`
    return chunk(choice, call.wantsUsage ? 'null' : '')
  }

  function talkOf(index: number, frames: Frame[]): Talk {
    const known = talks.get(index)
    if (known) return known
    const talk: Talk = { blocks: new Map(), calls: 0, held: { calls: false, refusal: false }, pending: [], details: 0, finished: false }
    talks.set(index, talk)
    frames.push(piece(index, '{"role":"assistant","content":"","refusal":null}'))
    return talk
  }

  function open(choice: number, index: number, block: Block, frames: Frame[]): void {
    const talk = talkOf(choice, frames)
    const running: Running = { block, slot: talk.calls, begun: false, text: '' }
    talk.blocks.set(index, running)
    switch (block.type) {
      case 'call':
        talk.calls++
        talk.held.calls = true
        running.block = { ...block }
        if (block.seal || block.input !== '') beginCall(choice, talk, running, frames)
        break
      case 'refusal':
        talk.held.refusal = true
        if (block.text !== '') delta(choice, running, block.text, undefined, frames)
        break
      case 'text':
        if (Array.isArray(block.ext?.[OWN]?.annotations))
          frames.push(piece(choice, JSON.stringify({ annotations: block.ext[OWN].annotations })))
        if (block.text !== '') delta(choice, running, block.text, undefined, frames)
        break
      case 'reasoning':
        running.block = { ...block }
        if (block.text !== '') delta(choice, running, block.text, undefined, frames)
        break
      case 'media':
        if ('base64' in block.data && block.data.base64 !== '') delta(choice, running, block.data.base64, undefined, frames)
        break
      case 'foreign': {
        const part = encodePart(block, '', [])
        if (part) frames.push(piece(choice, JSON.stringify({ content: [part] })))
        break
      }
      case 'result':
        break
      default:
        block satisfies never
    }
  }

  function beginCall(choice: number, talk: Talk, running: Running, frames: Frame[]): void {
    if (running.begun || running.block.type !== 'call') return
    running.begun = true
    const written: Call = running.block
    const entry = encodeCall(written, talk.pending)
    talk.pending = []
    frames.push(piece(choice, JSON.stringify({ tool_calls: [{ index: running.slot, ...entry }] })))
  }

  function delta(choice: number, running: Running, text: string, logprobs: Json | undefined, frames: Frame[]): void {
    const probs = logprobs === undefined ? undefined : JSON.stringify(writeLogprobs(logprobs))
    const { block } = running
    switch (block.type) {
      case 'text':
        frames.push(piece(choice, `{"content":${JSON.stringify(text)}}`, probs))
        break
      case 'reasoning': {
        // Kept for the seal that may follow: most makers want their thoughts back with it.
        running.text += text
        const member = block.seal?.by === OWN && block.seal.value === 'reasoning' ? 'reasoning' : 'reasoning_content'
        frames.push(piece(choice, `{"${member}":${JSON.stringify(text)}}`, probs))
        break
      }
      case 'refusal':
        frames.push(piece(choice, `{"refusal":${JSON.stringify(text)}}`, probs))
        break
      case 'call': {
        const input = JSON.stringify(text)
        const inner = block.custom ? `"custom":{"input":${input}}` : `"function":{"arguments":${input}}`
        frames.push(piece(choice, `{"tool_calls":[{"index":${running.slot},${inner}}]}`))
        break
      }
      case 'media':
        if (isSound(block)) frames.push(piece(choice, JSON.stringify({ audio: { id: `audio_${call.id}`, data: text } })))
        else running.text += text
        break
      case 'result':
      case 'foreign':
        break
      default:
        block satisfies never
    }
  }

  function close(choice: number, talk: Talk, running: Running, ext: JsonObject, frames: Frame[]): void {
    const { block } = running
    if (block.type === 'call') beginCall(choice, talk, running, frames)
    else if (block.type === 'reasoning') closeReasoning(choice, talk, { ...block, text: running.text }, frames)
    else if (block.type === 'media') {
      const members = { ...ownMembers(block.ext), ...ext }
      if (isSound(block)) {
        if (Object.keys(members).length > 0) frames.push(piece(choice, JSON.stringify({ audio: members })))
      } else if (block.mediaType.startsWith('image/') && !('fileId' in block.data)) {
        const data = 'url' in block.data ? block.data : { base64: running.text }
        const image = { type: 'image_url', image_url: { url: dataUrl(block.mediaType, data) }, ...members }
        frames.push(piece(choice, JSON.stringify({ images: [image] })))
      }
    }
  }

  function closeReasoning(choice: number, talk: Talk, block: Reasoning, frames: Frame[]): void {
    if (isSealedElsewhere(block)) {
      talk.pending.push(block)
      frames.push(piece(choice, JSON.stringify({ reasoning_details: [writeDetail(packReasoning([block]), talk.details++)] })))
      return
    }
    // A vendor's own list is told once, whole, after its text.
    const told: JsonObject = {}
    writeOwnReasoning(told, { ...block, text: '' })
    if (told.reasoning_details !== undefined) frames.push(piece(choice, JSON.stringify({ reasoning_details: told.reasoning_details })))
  }

  function seal(choice: number, talk: Talk, running: Running, found: Seal, frames: Frame[]): void {
    const { block } = running
    if (block.type === 'reasoning') block.seal = found
    else if (block.type === 'call' && !running.begun) block.seal = found
    else if (block.type === 'call' && found.by !== OWN && !block.seal) {
      // Too late for the id.
      frames.push(piece(choice, JSON.stringify({ reasoning_details: [writeDetail(packSeal(found, OWN), talk.details++, block.id)] })))
    }
  }

  function push(event: Event): Frame[] {
    const frames: Frame[] = []
    switch (event.type) {
      case 'start':
        begin(event.id || call.id, event.created ?? call.created, {
          ...(event.serviceTier === undefined ? {} : { service_tier: writeTier(event.serviceTier) }),
          ...ownMembers(event.ext),
        })
        talkOf(0, frames)
        break
      case 'open':
        open(event.choice, event.index, event.block, frames)
        break
      case 'delta': {
        const talk = talkOf(event.choice, frames)
        let running = talk.blocks.get(event.index)
        if (!running) {
          running = { block: { type: 'text', text: '' }, slot: 0, begun: false, text: '' }
          talk.blocks.set(event.index, running)
        }
        beginCall(event.choice, talk, running, frames)
        if (event.text !== '' || event.logprobs !== undefined) delta(event.choice, running, event.text, event.logprobs, frames)
        const annotations = event.ext?.[OWN]?.annotations
        if (annotations !== undefined) frames.push(piece(event.choice, JSON.stringify({ annotations })))
        break
      }
      case 'seal':
      case 'close': {
        const talk = talks.get(event.choice)
        const running = talk?.blocks.get(event.index)
        if (!talk || !running) break
        if (event.type === 'seal') seal(event.choice, talk, running, event.seal, frames)
        else {
          close(event.choice, talk, running, ownMembers(event.ext), frames)
          talk.blocks.delete(event.index)
        }
        break
      }
      case 'finish': {
        const talk = talkOf(event.choice, frames)
        for (const running of talk.blocks.values()) close(event.choice, talk, running, {}, frames)
        talk.blocks.clear()
        talk.finished = true
        const members = finishMembers(event.finish)
        const written = JSON.stringify(members.choice)
        const beside = written === '{}' ? '' : `,${written.slice(1, -1)}`
        frames.push(
          piece(event.choice, JSON.stringify(members.message), 'null', JSON.stringify(writeFinish(event.finish, talk.held)), beside),
        )
        break
      }
      case 'usage':
        usage = { ...usage, ...event.usage }
        break
      case 'fault':
        broken = true
        frames.push(...encodeStreamError(event.fault, call.id))
        break
      case 'foreign':
        if (event.from === OWN) frames.push({ data: typeof event.data.raw === 'string' ? event.data.raw : JSON.stringify(event.data) })
        break
      case 'ping':
        break
      default:
        event satisfies never
    }
    return frames
  }

  return {
    push: (event) => (broken ? [] : push(event)),
    end() {
      const ended = talks.size > 0 && [...talks.values()].every((talk) => talk.finished)
      // A stream that broke off must not look as if it had ended.
      if (broken || !ended) return []
      const frames: Frame[] = []
      if (call.wantsUsage && usage) frames.push(chunk('[]', JSON.stringify(writeUsage(usage))))
      frames.push({ data: DONE })
      return frames
    },
  }
}

function isSound(block: Extract<Block, { type: 'media' }>): boolean {
  return 'base64' in block.data && (remembered(block.ext, 'audio') === true || block.mediaType.startsWith('audio/'))
}
