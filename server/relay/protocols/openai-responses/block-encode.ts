import { isObject, type JsonObject } from '../../../../contract/json.ts'
import type { Block, Loss, Message } from '../canonical.ts'
import { extensionLosses } from '../loss.ts'
import { type Call, type Reasoning, type Result, splitText, textType } from './block.ts'
import { writeMedia } from './media.ts'
import { fitCallId, splitName, toWireName } from './names.ts'
import { UNSIGNED, writeEncrypted } from './seals.ts'
import { object, OWN, ownMembers, remembered } from './wire.ts'

export const NO_MEMBER = 'The Responses API has no such member'

/** What writing blocks needs to know and gathers. */
export interface BlockWriter {
  /** Spoken in this protocol: nothing is mended, file ids are OpenAI's own. */
  native: boolean
  losses: Loss[]
}

/** Reports what no block of this API can carry: extensions of other protocols and cache marks. */
export function loseExtras(block: Exclude<Block, { type: 'foreign' }>, path: string, writer: BlockWriter): void {
  writer.losses.push(...extensionLosses(block.ext, OWN, `${path}.`, NO_MEMBER))
  if ('cache' in block && block.cache && remembered(block.ext, 'breakpoint') === undefined) {
    writer.losses.push({ path: `${path}.cache_control`, reason: 'OpenAI caches prompts by itself, without marks' })
  }
}

/** Writes a text, refusal or media block of a request as a content part; undefined (with a Loss) for what cannot be one. */
export function writePart(block: Block, role: Message['role'], path: string, writer: BlockWriter): JsonObject | undefined {
  if (block.type === 'foreign') {
    if (block.from !== OWN) return lose(writer, path, `OpenAI does not know this block of ${block.from}`)
    const { _part, _message, ...data } = block.data
    return data
  }
  loseExtras(block, path, writer)
  const breakpoint = remembered(block.ext, 'breakpoint')
  const extra = {
    ...ownMembers(block.ext),
    ...object(remembered(block.ext, 'echo')),
    ...(breakpoint === undefined ? {} : { prompt_cache_breakpoint: breakpoint }),
  }
  switch (block.type) {
    case 'text':
      return { ...extra, type: remembered(block.ext, 'type') ?? textType(role), text: block.text }
    case 'refusal':
      return role === 'assistant' ? { ...extra, type: 'refusal', refusal: block.text } : { type: textType(role), text: block.text }
    case 'media': {
      if (role === 'assistant' && !writer.native) return lose(writer, path, 'OpenAI takes images and files from the user only')
      const media = writeMedia(block, writer.native)
      return typeof media === 'string' ? lose(writer, path, media) : { ...extra, ...media }
    }
    default:
      return lose(writer, path, 'OpenAI does not take this block inside a message')
  }
}

function lose(writer: BlockWriter, path: string, reason: string): undefined {
  writer.losses.push({ path, reason })
  return undefined
}

/** The parts of a reasoning item. */
function reasoningParts(block: Reasoning): { summary: JsonObject[]; content?: JsonObject[] } {
  const words = block.text
  const fromContent = remembered(block.ext, 'content') === true
  const blank = words === '' && remembered(block.ext, 'blank') !== true
  const texts = blank ? [] : splitText(words, remembered(block.ext, 'breaks'))
  if (!fromContent) {
    const empty = remembered(block.ext, 'emptyContent') === true ? { content: [] } : {}
    return { summary: texts.map((each) => ({ type: 'summary_text', text: each })), ...empty }
  }
  const summary = remembered(block.ext, 'summary')
  return {
    summary: Array.isArray(summary) ? summary.filter(isObject) : [],
    content: texts.map((each) => ({ type: 'reasoning_text', text: each })),
  }
}

/** Writes a reasoning item; `id` is for one of an answer whose maker gave none. */
export function writeReasoning(block: Reasoning, id?: string): JsonObject {
  const { encrypted: seal, id: sealed } = writeEncrypted(block)
  const foreign = id !== undefined && block.ext?.[OWN] === undefined
  const encrypted = seal ?? (foreign ? UNSIGNED : undefined)
  const parts = reasoningParts(block)
  const known = sealed ?? id
  return {
    ...(known === undefined ? {} : { id: known }),
    type: 'reasoning',
    ...(remembered(block.ext, 'noSummary') === true ? {} : { summary: parts.summary }),
    ...(parts.content ? { content: parts.content } : {}),
    ...(encrypted === undefined ? {} : { encrypted_content: encrypted }),
    ...ownMembers(block.ext),
    ...object(remembered(block.ext, 'echo')),
  }
}

/** The name of a call as its members; other makers' names are put into letters OpenAI takes. */
export function writeName(block: Call, native: boolean): { name: string; namespace?: string } {
  if (remembered(block.ext, 'plain') === true) return { name: block.name }
  const split = splitName(block.name)
  return native || split.namespace !== undefined ? split : { name: toWireName(block.name) }
}

/** Writes a `function_call` or `custom_tool_call` of a request. */
export function writeCall(block: Call, path: string, writer: BlockWriter): JsonObject {
  loseExtras(block, path, writer)
  if (block.seal) lose(writer, `${path}.signature`, `Only ${block.seal.by} can read the seal of this call`)
  const callId = writer.native ? block.id : fitCallId(block.id)
  const head = { call_id: callId, ...writeName(block, writer.native) }
  // OpenAI refuses a call whose arguments are no JSON; other protocols leave them empty when there are none.
  const input = block.input === '' && !writer.native && !block.custom ? '{}' : block.input
  return {
    type: block.custom ? 'custom_tool_call' : 'function_call',
    ...head,
    ...(block.custom ? { input } : { arguments: input }),
    ...ownMembers(block.ext),
    ...object(remembered(block.ext, 'echo')),
  }
}

/** Writes a `function_call_output` or, for a call of a custom tool, its `custom_tool_call_output`. */
export function writeResult(block: Result, custom: boolean, path: string, writer: BlockWriter): JsonObject {
  loseExtras(block, path, writer)
  if (block.isError) lose(writer, `${path}.is_error`, 'The Responses API does not tell failed results from others')
  const parts: JsonObject[] = []
  for (const [index, each] of block.content.entries()) {
    const part = writePart(each, 'user', `${path}.content[${index}]`, writer)
    if (part) parts.push(part)
  }
  return {
    type: custom || remembered(block.ext, 'custom') === true ? 'custom_tool_call_output' : 'function_call_output',
    call_id: writer.native ? block.callId : fitCallId(block.callId),
    ...(writer.native && block.name !== undefined ? { name: block.name } : {}),
    output: asOutput(block, parts, writer.native),
    ...ownMembers(block.ext),
    ...object(remembered(block.ext, 'echo')),
  }
}

/** Nothing but text is written as a plain string, as every model knows it. */
function asOutput(block: Result, parts: JsonObject[], native: boolean): JsonObject['output'] {
  const plain = native ? remembered(block.ext, 'string') === true : parts.every((part) => part.type === 'input_text')
  return plain ? parts.map((part) => (typeof part.text === 'string' ? part.text : '')).join('\n') : parts
}
