import type { Json, JsonObject } from '../../../../contract/json.ts'
import type { Block, Loss, Message, Turn } from '../canonical.ts'
import { extensionLosses } from '../loss.ts'
import { encodeCall, encodePart } from './block.ts'
import { writeOwnReasoning } from './message.ts'
import { isSealedElsewhere } from './seals.ts'
import { OWN, ownMembers, remembered, text } from './wire.ts'

type Result = Extract<Block, { type: 'result' }>
/** What stands between the texts of one message of another protocol when they become one text, which every vendor takes. */
type Joint = '' | '\n' | '\n\n'
/** A block and where it stands in the turn, for its losses. */
interface Placed {
  block: Block
  at: string
}

function placed(blocks: Block[], path: string): Placed[] {
  return blocks.map((block, index) => ({ block, at: `${path}[${index}]` }))
}

/** The system messages that opened a talk of this protocol, as they were. */
export function writeNativeHead(turn: Turn, losses: Loss[]): JsonObject[] {
  const groups = remembered(turn.ext, 'system')
  const head: JsonObject[] = []
  let from = 0
  for (const group of Array.isArray(groups) ? groups : []) {
    if (!Array.isArray(group)) continue
    const [role, blocks, form] = group
    const content = turn.system.slice(from, from + Number(blocks))
    head.push({ role, ...writeContent(placed(content, `messages[${head.length}].content`), text(form) ?? '', '\n\n', losses) })
    from += content.length
  }
  if (from < turn.system.length)
    head.push({ role: 'system', ...writeContent(placed(turn.system.slice(from), 'system'), '', '\n\n', losses) })
  return head
}

/** The system prompt of another protocol as one message; `system` and not `developer`, which few vendors know. */
export function writeForeignHead(turn: Turn, losses: Loss[]): JsonObject[] {
  if (turn.system.length === 0) return []
  return [{ role: 'system', ...writeContent(placed(turn.system, 'system'), '', '\n\n', losses) }]
}

/** Writes the messages; results become `tool` messages of their own, before whatever else their message says. */
export function writeMessages(messages: Message[], native: boolean, losses: Loss[]): JsonObject[] {
  const written: JsonObject[] = []
  for (const [index, message] of messages.entries()) {
    const path = `messages[${index}]`
    losses.push(...extensionLosses(message.ext, OWN, `${path}.`, 'Chat Completions has no such member'))
    if (message.role === 'assistant') written.push(...writeAssistant(message, native, path, losses))
    else written.push(...writeOther(message, native, path, losses))
  }
  return written
}

function writeOther(message: Message, native: boolean, path: string, losses: Loss[]): JsonObject[] {
  const results: JsonObject[] = []
  const shown: Placed[] = []
  const others: Placed[] = []
  for (const each of placed(message.content, `${path}.content`)) {
    if (each.block.type === 'result') results.push(writeResult(each.block, each.at, native, shown, losses))
    else others.push(each)
  }
  if (results.length > 0 && others.length + shown.length === 0) return results
  const named = message.name === undefined ? {} : { name: message.name }
  const role = remembered(message.ext, 'role') ?? (native || message.role !== 'developer' ? message.role : 'system')
  const form = text(remembered(message.ext, 'content')) ?? ''
  const content = writeContent([...shown, ...others], form, '\n\n', losses)
  // What was lost whole leaves no empty message, which some vendors refuse.
  if (!native && content.content === '' && message.content.length > 0) return results
  return [...results, { role, ...content, ...named, ...ownMembers(message.ext) }]
}

/**
 * Writes a result as a `tool` message. Those hold text only, so pictures and files a tool gave are shown in the user message after it.
 * @param shown takes what the tool message cannot hold
 */
function writeResult(block: Result, path: string, native: boolean, shown: Placed[], losses: Loss[]): JsonObject {
  losses.push(...extensionLosses(block.ext, OWN, `${path}.`, 'Chat Completions has no such member'))
  if (block.isError) losses.push({ path: `${path}.is_error`, reason: 'Chat Completions has no mark for a failed tool; its text says so' })
  if (block.cache && !native) losses.push({ path: `${path}.cache_control`, reason: 'Chat Completions has no cache marks' })
  const kept: Placed[] = []
  for (const each of placed(block.content, `${path}.content`)) (each.block.type === 'media' && !native ? shown : kept).push(each)
  const form = text(remembered(block.ext, 'content')) ?? ''
  const content = writeContent(kept, form, '\n', losses)
  const named = block.name === undefined ? {} : { name: block.name }
  if (remembered(block.ext, 'legacy') === true) return { role: 'function', ...named, ...content, ...ownMembers(block.ext) }
  // Gemini names results by their function; OpenAI's tool messages have no name.
  return { role: 'tool', tool_call_id: block.callId, ...content, ...(native ? named : {}), ...ownMembers(block.ext) }
}

/**
 * Writes an assistant's message. Thoughts go back to a vendor of this protocol in the member it told them in; those another maker
 * sealed, or that nobody sealed, are of no use to a Chat upstream.
 */
function writeAssistant(message: Message, native: boolean, path: string, losses: Loss[]): JsonObject[] {
  const written: JsonObject = { role: 'assistant' }
  const content: Placed[] = []
  const calls: JsonObject[] = []
  const told: JsonObject = {}
  for (const each of placed(message.content, `${path}.content`)) {
    const { block, at } = each
    switch (block.type) {
      case 'reasoning':
        if (!block.seal || isSealedElsewhere(block)) {
          losses.push({
            path: at,
            reason: block.seal
              ? `Thoughts sealed by ${block.seal.by} can be read by their maker only`
              : 'Thoughts nobody sealed are not sent on',
          })
        } else if (block.seal.value === 'thinking') content.push(each)
        else writeOwnReasoning(told, block)
        break
      case 'call': {
        losses.push(...extensionLosses(block.ext, OWN, `${at}.`, 'Chat Completions has no such member'))
        if (block.cache) losses.push({ path: `${at}.cache_control`, reason: 'Chat Completions has no cache marks' })
        if (block.seal && block.seal.by !== OWN)
          losses.push({ path: `${at}.signature`, reason: `A call's seal by ${block.seal.by} can be read by its maker only` })
        const { seal, ...call } = block
        if (remembered(block.ext, 'legacy') === true) told.function_call = { name: block.name, arguments: block.input }
        else calls.push(encodeCall(seal?.by === OWN ? block : call, []))
        break
      }
      case 'media':
        if (!writeMedia(block, at, told, losses)) content.push(each)
        break
      case 'refusal':
        if (remembered(block.ext, 'part') === true) content.push(each)
        else told.refusal = block.text
        break
      case 'foreign':
        if (block.from === OWN && block.data.type === 'audio') told.audio = block.data.audio
        else content.push(each)
        break
      default:
        content.push(each)
    }
  }
  const annotations = content.map(({ block }) => (block.type === 'text' ? block.ext?.[OWN]?.annotations : undefined)).find(Boolean)
  const form = text(remembered(message.ext, 'content')) ?? (calls.length > 0 || told.function_call ? 'null' : '')
  Object.assign(written, writeContent(content, form, '', losses), told)
  if (annotations !== undefined) written.annotations = annotations
  if (message.name !== undefined) written.name = message.name
  if (calls.length > 0) written.tool_calls = calls
  for (const [key, value] of Object.entries(message.ext?.[OWN] ?? {})) {
    if (key === '_content') continue
    const name = key.startsWith('_') ? key.slice(1) : key
    written[name] ??= value
  }
  const says = calls.length > 0 || Object.keys(told).length > 0 || (written.content !== '' && written.content !== null)
  // A message whose blocks were all lost (another maker's thoughts, its server tools) says nothing any more.
  return says || native || message.content.length === 0 ? [written] : []
}

/**
 * Pictures an answer gave stand in `images`, as OpenRouter has them; sound comes back by its id.
 * @returns false for a part of this protocol's own, which stays among the content
 */
function writeMedia(block: Extract<Block, { type: 'media' }>, path: string, told: JsonObject, losses: Loss[]): boolean {
  if (remembered(block.ext, 'audio') === true) {
    told.audio = { ...ownMembers(block.ext), ...('base64' in block.data ? { data: block.data.base64 } : {}) }
    return true
  }
  if (block.ext?.[OWN] !== undefined && remembered(block.ext, 'images') !== true) return false
  const part = encodePart(block, path, losses)
  if (part) told.images = [...(Array.isArray(told.images) ? told.images : []), part]
  return true
}

/**
 * Writes `content`: one text as it is, several of another protocol joined, anything else as parts.
 * @param form how a native message had it: parts, null, absent, empty; '' to choose
 */
function writeContent(blocks: Placed[], form: string, joint: Joint, losses: Loss[]): JsonObject {
  if (blocks.length === 0) {
    if (form === 'parts') return { content: [] }
    if (form === 'absent') return {}
    return { content: form === 'null' ? null : '' }
  }
  const parts: Json[] = []
  const texts: string[] = []
  for (const { block, at } of blocks) {
    const part = encodePart(block, at, losses)
    if (!part) continue
    parts.push(block.type === 'text' && remembered(block.ext, 'bare') === true ? block.text : part)
    if (part.type === 'text' && typeof part.text === 'string' && part.cache_control === undefined) texts.push(part.text)
  }
  if (form !== 'parts' && texts.length === parts.length) return { content: texts.join(joint) }
  return { content: parts }
}
