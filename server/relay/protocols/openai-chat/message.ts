import { isObject, type Json, type JsonObject } from '../../../../contract/json.ts'
import type { Block } from '../canonical.ts'
import { place } from '../places.ts'
import { WireError } from '../protocol.ts'
import { decodeCall, decodePart, type Call } from './block.ts'
import { detailsText, parseJson, readDetails, type Reasoning } from './seals.ts'
import { objects, OWN, own, restSaid, text } from './wire.ts'

/** The members of an assistant message that `decodeAssistant` reads. */
export const ASSISTANT_MEMBERS = new Set([
  'role',
  'name',
  'content',
  'refusal',
  'tool_calls',
  'function_call',
  'reasoning_content',
  'reasoning',
  'reasoning_details',
  'images',
  'audio',
  'annotations',
  'cache_control',
])

/**
 * Reads `content`: a text, or a list of parts.
 * @throws WireError when it is neither, or holds something that is no object
 */
export function decodeContent(content: Json | undefined, path: string): Block[] {
  if (content === undefined || content === null || content === '') return []
  if (typeof content === 'string') return [{ type: 'text', text: content }]
  if (!Array.isArray(content)) throw new WireError(`${path} must be a string or a list of parts`, path)
  return content.map((part, index) => {
    // A bare string among the parts is no documented form; vLLM and others take it.
    if (typeof part === 'string') return { type: 'text', text: part, ...own({ _bare: true }) }
    if (!isObject(part)) throw new WireError(`${path}[${index}] must be an object`, `${path}[${index}]`)
    return decodePart(part)
  })
}

/**
 * Reads an assistant's message, of a request or of an answer: thoughts first, then content, refusal, pictures, sound, calls. Thoughts
 * that rode on a call's id stand before that call; those of the first call open the message.
 * @param callId an id for a call whose vendor gave none
 * @throws WireError as decodeContent
 */
export function decodeAssistant(message: JsonObject, path: string, callId: (index: number) => string): Block[] {
  const details = readDetails(message.reasoning_details)
  const calls: { call: Call; reasoning: Reasoning[] }[] = []
  for (const entry of objects(message.tool_calls)) calls.push(decodeCall(entry, callId(calls.length)))
  if (isObject(message.function_call)) {
    const decoded = decodeCall({ function: message.function_call }, callId(calls.length))
    decoded.call.ext = { [OWN]: { ...decoded.call.ext?.[OWN], _legacy: true } }
    calls.push(decoded)
  }
  const onCalls = calls.some((each) => each.reasoning.length > 0)
  const sealed = onCalls ? (calls[0]?.reasoning ?? []) : details.reasoning
  const blocks: Block[] = sealed.map((block) => place(block, `${path}.${onCalls ? 'tool_calls' : 'reasoning_details'}`))
  const thoughts = ownReasoning(message, details.others, onCalls || details.reasoning.length > 0)
  if (thoughts) blocks.push(place(thoughts, `${path}.reasoning_content`))
  const content = decodeContent(message.content, `${path}.content`)
  for (const [part, block] of content.entries()) blocks.push(place(block, `${path}.content[${part}]`))
  addAnnotations(content, message.annotations)
  if (typeof message.refusal === 'string' && message.refusal !== '')
    blocks.push(place({ type: 'refusal', text: message.refusal }, `${path}.refusal`))
  for (const [index, image] of objects(message.images).entries()) {
    const block = decodePart(image)
    if (block.type === 'media') block.ext = { [OWN]: { ...block.ext?.[OWN], _images: true } }
    blocks.push(place(block, `${path}.images[${index}]`))
  }
  const sound = readAudio(message.audio)
  if (sound) blocks.push(place(sound, `${path}.audio`))
  for (const [index, { call, reasoning }] of calls.entries()) {
    if (index > 0) blocks.push(...reasoning)
    const seal = details.calls.get(call.id)
    if (seal && !call.seal) call.seal = seal
    blocks.push(place(call, `${path}.tool_calls[${index}]`))
  }
  return blocks
}

/** Thoughts in a vendor's own words, with the seal that says where it wants them back. */
function ownReasoning(message: JsonObject, details: Json[], told: boolean): Reasoning | undefined {
  const content = text(message.reasoning_content)
  const member = content ? 'reasoning_content' : text(message.reasoning) ? 'reasoning' : undefined
  // What we told readably beside another maker's sealed thoughts is the same text once more.
  if (told && details.length === 0) return undefined
  const thoughts = (member ? text(message[member]) : undefined) ?? detailsText(details)
  if (thoughts === '' && details.length === 0) return undefined
  return { type: 'reasoning', text: thoughts, seal: ownSeal(member, details) }
}

/** The seal that says in which members a vendor told its thoughts and wants them back. */
export function ownSeal(member: string | undefined, details: Json[]): { by: string; value: string } {
  if (details.length === 0) return { by: OWN, value: member ?? 'reasoning_content' }
  return { by: OWN, value: JSON.stringify({ ...(member === undefined ? {} : { member }), details }) }
}

/** Writes thoughts back into the members their vendor told them in; those without a seal as `reasoning_content`. */
export function writeOwnReasoning(message: JsonObject, block: Reasoning): void {
  const value = block.seal?.value ?? ''
  const packed = value.startsWith('{') ? parseJson(value) : undefined
  if (!isObject(packed)) {
    append(message, value === 'reasoning' ? 'reasoning' : 'reasoning_content', block.text)
    return
  }
  if (packed.member === 'reasoning' || packed.member === 'reasoning_content') append(message, packed.member, block.text)
  const before = Array.isArray(message.reasoning_details) ? message.reasoning_details : []
  message.reasoning_details = [...before, ...(Array.isArray(packed.details) ? packed.details : [])]
}

function append(message: JsonObject, member: string, piece: string): void {
  message[member] = (text(message[member]) ?? '') + piece
}

/** Citations of an answer belong to its text. */
export function addAnnotations(content: Block[], annotations: Json | undefined): void {
  if (!Array.isArray(annotations) || annotations.length === 0) return
  const target = content.findLast((block) => block.type === 'text')
  if (target?.type === 'text') target.ext = { [OWN]: { ...target.ext?.[OWN], annotations } }
}

const AUDIO = new Set(['data'])

/** Spoken output; in a request only its id comes back, which no other maker understands. */
export function readAudio(audio: Json | undefined): Block | undefined {
  if (!isObject(audio)) return undefined
  if (typeof audio.data !== 'string') return { type: 'foreign', from: OWN, data: { type: 'audio', audio } }
  return { type: 'media', mediaType: 'audio/*', data: { base64: audio.data }, ...own({ ...restSaid(audio, AUDIO), _audio: true }) }
}
