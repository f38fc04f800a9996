import { isObject, type Json, type JsonObject } from '../../../../contract/json.ts'
import type { Block, CacheMark, Message, Seal } from '../canonical.ts'
import { readMedia } from './media.ts'
import { fromWireName, readName } from './names.ts'
import { readCallId, readCarrier, readEncrypted } from './seals.ts'
import { argumentsText, count, leftovers, list, own, OWN, text } from './wire.ts'

/** Where blocks are read from: what a client says, or what a model answers. */
export type Road = 'request' | 'answer'

export type Reasoning = Extract<Block, { type: 'reasoning' }>
export type Call = Extract<Block, { type: 'call' }>
export type Result = Extract<Block, { type: 'result' }>

const ROLES = new Set(['system', 'developer', 'user', 'assistant'])
const TEXT_MEMBERS = new Set(['type', 'text', 'prompt_cache_breakpoint', 'annotations', 'logprobs'])
const REFUSAL_MEMBERS = new Set(['type', 'refusal'])
const MESSAGE_MEMBERS = new Set(['role', 'content'])
const REASONING_MEMBERS = new Set(['type', 'id', 'summary', 'content', 'encrypted_content', 'status'])
const CALL_MEMBERS = new Set(['type', 'id', 'call_id', 'name', 'namespace', 'arguments', 'input', 'status'])
const RESULT_MEMBERS = new Set(['type', 'id', 'call_id', 'name', 'output', 'status'])
const IMAGE_CALL_MEMBERS = new Set(['type', 'id', 'status', 'result'])
/** Between the parts of a reasoning item in the one text other protocols have. */
export const PART_BREAK = '\n\n'

/** An item or part we have no name for, kept whole. `part` marks what stood inside a message. */
export function foreign(data: JsonObject, part = false): Block {
  return { type: 'foreign', from: OWN, data: part ? { ...data, _part: true } : data }
}

/** The part type that `input_text` and `output_text` are written as for this role when nobody remembers otherwise. */
export function textType(role: Message['role']): string {
  return role === 'assistant' ? 'output_text' : 'input_text'
}

/** Reads one content part. */
export function readPart(part: JsonObject, role: Message['role'], road: Road): Block {
  if (typeof part.text === 'string' && (part.type === 'input_text' || part.type === 'output_text' || part.type === 'text')) {
    return readText(part, part.text, role, road)
  }
  if (part.type === 'refusal' && typeof part.refusal === 'string') {
    return { type: 'refusal', text: part.refusal, ...own(leftovers(part, REFUSAL_MEMBERS)) }
  }
  const media = readMedia(part)
  if (!media) return foreign(part, true)
  const mark = readMark(part)
  if (!mark) return media
  const members: JsonObject = { ...media.ext?.[OWN], ...mark.memory }
  return { ...media, cache: mark.cache, ...own(members) }
}

function readText(part: JsonObject, words: string, role: Message['role'], road: Road): Block {
  const kept = leftovers(part, TEXT_MEMBERS)
  if (part.type !== textType(role)) kept._type = part.type
  const { annotations, logprobs } = part
  if (road === 'answer') {
    if (Array.isArray(annotations)) kept.annotations = annotations
    if (Array.isArray(logprobs)) kept._logprobs = logprobs.length
  } else {
    // Sent back by the client: what the model once said beside its words asks for nothing.
    const echo: JsonObject = {}
    if (Array.isArray(annotations)) echo.annotations = annotations
    if (Array.isArray(logprobs)) echo.logprobs = logprobs
    if (Object.keys(echo).length > 0) kept._echo = echo
  }
  const mark = readMark(part)
  return { type: 'text', text: words, ...(mark ? { cache: mark.cache } : {}), ...own({ ...kept, ...mark?.memory }) }
}

/** `prompt_cache_breakpoint` as a mark. Its lifetimes are others than Claude's: the longer of the two is the longer there. */
function readMark(part: JsonObject): { cache: CacheMark; memory: JsonObject } | undefined {
  const breakpoint = part.prompt_cache_breakpoint
  if (!isObject(breakpoint)) return undefined
  return { cache: breakpoint.ttl === '12h' ? { ttl: '1h' } : {}, memory: { _breakpoint: breakpoint } }
}

/**
 * Reads a message item.
 * @returns undefined when it has no role or content we know (it is then kept whole as foreign)
 */
export function readMessage(item: JsonObject, road: Road): { role: Message['role']; blocks: Block[] } | undefined {
  const { role } = item
  if (!isRole(role) || (item.type !== undefined && item.type !== 'message')) return undefined
  const blocks: Block[] = []
  let stringly = false
  if (typeof item.content === 'string') {
    blocks.push({ type: 'text', text: item.content })
    stringly = true
  } else if (Array.isArray(item.content)) {
    for (const part of item.content) {
      if (!isObject(part)) return undefined
      blocks.push(readPart(part, role, road))
    }
  }
  const [first] = blocks
  if (!first) return undefined
  if (first.type === 'foreign') {
    first.data = { ...first.data, _message: messageMemory(item, road) }
  } else {
    const members: JsonObject = { ...first.ext?.[OWN], _message: messageMemory(item, road), ...(stringly ? { _string: true } : {}) }
    first.ext = { ...first.ext, [OWN]: members }
  }
  return { role, blocks }
}

/** What a message item says beside role and content; of an answer the status is told by how it ended. */
export function messageMemory(item: JsonObject, road: Road): JsonObject {
  const memory: JsonObject = {}
  for (const key of Object.keys(item)) {
    if (MESSAGE_MEMBERS.has(key) || item[key] === undefined || (road === 'answer' && (key === 'status' || key === 'type'))) continue
    memory[key] = item[key]
  }
  return memory
}

function isRole(value: Json | undefined): value is Message['role'] {
  return typeof value === 'string' && ROLES.has(value)
}

/**
 * Reads a reasoning item as one block: its parts are one text, and `_breaks` remembers where they met.
 * @returns the seal of a call where the item only carries one; undefined for a form we do not know
 */
export function readReasoning(item: JsonObject, road: Road): Reasoning | { seal: Seal; callId: string } | undefined {
  const carrier = readCarrier(item.encrypted_content)
  if (carrier) return carrier
  const summary = readParts(item.summary, 'summary_text')
  const content = readParts(item.content, 'reasoning_text')
  if (!summary || !content) return undefined
  const kept = leftovers(item, REASONING_MEMBERS)
  const echo = echoOf(item)
  const fromContent = content.length > 0
  if (fromContent) {
    kept._content = true
    if (summary.length > 0 && item.summary !== undefined) kept._summary = item.summary
  }
  if (Array.isArray(item.content) && !fromContent) kept._emptyContent = true
  if (road === 'request') {
    if (item.encrypted_content === '') echo.encrypted_content = ''
    if (item.summary === undefined) kept._noSummary = true
  }
  const parts = fromContent ? content : summary
  const breaks = breaksOf(parts)
  if (breaks.length > 0) kept._breaks = breaks
  if (parts.length === 1 && parts[0] === '') kept._blank = true
  if (Object.keys(echo).length > 0) kept._echo = echo
  const encrypted = text(item.encrypted_content)
  const sealed = encrypted ? readEncrypted(encrypted, text(item.id)) : undefined
  return {
    type: 'reasoning',
    text: parts.join(PART_BREAK),
    ...(sealed?.seal ? { seal: sealed.seal } : {}),
    ...(sealed?.redacted ? { redacted: true } : {}),
    ...own(kept),
  }
}

/** Item members that only name it: given back as they were, asking nothing of anybody. */
function echoOf(item: JsonObject): JsonObject {
  const echo: JsonObject = {}
  if (typeof item.id === 'string') echo.id = item.id
  if (typeof item.status === 'string') echo.status = item.status
  return echo
}

/** The texts of a list of parts of one type; undefined when there is anything else among them. */
function readParts(value: Json | undefined, type: string): string[] | undefined {
  if (value === undefined || value === null) return []
  if (!Array.isArray(value)) return undefined
  const texts: string[] = []
  for (const part of value) {
    if (!isObject(part) || part.type !== type || typeof part.text !== 'string' || Object.keys(part).length !== 2) return undefined
    texts.push(part.text)
  }
  return texts
}

function breaksOf(parts: string[]): number[] {
  const breaks: number[] = []
  let at = 0
  for (const part of parts.slice(0, -1)) {
    at += part.length
    breaks.push(at)
    at += PART_BREAK.length
  }
  return breaks
}

/** The parts a text was joined of. */
export function splitText(words: string, breaks: Json | undefined): string[] {
  const parts: string[] = []
  let from = 0
  for (const each of list(breaks)) {
    const at = count(each)
    if (at === undefined || at < from || words.slice(at, at + PART_BREAK.length) !== PART_BREAK) continue
    parts.push(words.slice(from, at))
    from = at + PART_BREAK.length
  }
  parts.push(words.slice(from))
  return parts
}

/** Reads a `function_call` or `custom_tool_call`; undefined for one without id or name. */
export function readCall(item: JsonObject, road: Road): Call | undefined {
  const named = readName(item)
  if (!named || typeof item.call_id !== 'string') return undefined
  const custom = item.type === 'custom_tool_call'
  const raw = custom ? item.input : item.arguments
  const { id, seal } = readCallId(item.call_id)
  const kept = leftovers(item, CALL_MEMBERS)
  const echo = echoOf(item)
  if (raw !== undefined && raw !== null && typeof raw !== 'string') echo[custom ? 'input' : 'arguments'] = raw
  if (Object.keys(echo).length > 0) kept._echo = echo
  if (named.plain) kept._plain = true
  // In an answer it may be the name of another protocol's tool, put into letters OpenAI takes.
  const name = road === 'answer' && !item.namespace ? fromWireName(named.name) : named.name
  const call: Call = { type: 'call', id, name, input: argumentsText(raw) }
  if (custom) call.custom = true
  return { ...call, ...(seal ? { seal } : {}), ...own(kept) }
}

/** Reads a `function_call_output` or `custom_tool_call_output`; undefined for one without id. */
export function readResult(item: JsonObject, road: Road): Result | undefined {
  if (typeof item.call_id !== 'string') return undefined
  const kept = leftovers(item, RESULT_MEMBERS)
  const echo = echoOf(item)
  const content: Block[] = []
  const { output } = item
  if (typeof output === 'string') {
    content.push({ type: 'text', text: output })
    kept._string = true
  } else if (Array.isArray(output) && output.every(isObject)) {
    for (const part of output) content.push(readPart(part, 'user', road))
  } else {
    // No form the API documents, but losing a tool's result would lose the talk.
    if (output !== undefined && output !== null) content.push({ type: 'text', text: JSON.stringify(output) })
    if (output !== undefined) echo.output = output
    kept._string = true
  }
  if (item.type === 'custom_tool_call_output') kept._custom = true
  if (Object.keys(echo).length > 0) kept._echo = echo
  const name = text(item.name)
  return {
    type: 'result',
    callId: readCallId(item.call_id).id,
    ...(name === undefined ? {} : { name }),
    isError: false,
    content,
    ...own(kept),
  }
}

/** Reads a finished `image_generation_call` of an answer as the image it made; undefined when it has none. */
export function readImageCall(item: JsonObject): Block | undefined {
  if (typeof item.result !== 'string' || item.result === '') return undefined
  const format = text(item.output_format) ?? 'png'
  const echo: JsonObject = { ...leftovers(item, IMAGE_CALL_MEMBERS), ...echoOf(item) }
  return { type: 'media', mediaType: `image/${format}`, data: { base64: item.result }, ...own({ _echo: echo }) }
}
