import { isObject, type Json, type JsonObject } from '../../../../contract/json.ts'
import type { Block, Seal } from '../canonical.ts'
import { place } from '../places.ts'
import { WireError } from '../protocol.ts'
import { readMedia } from './media.ts'
import { fromWireName } from './names.ts'
import { readCarrier, readSeal, sealCalls } from './seals.ts'
import { OWN, own, readCache, rest, text } from './wire.ts'

const TEXT_MEMBERS = new Set(['type', 'text', 'cache_control'])
const THINKING_MEMBERS = new Set(['type', 'thinking', 'signature', 'cache_control'])
const REDACTED_MEMBERS = new Set(['type', 'data', 'cache_control'])
const CALL_MEMBERS = new Set(['type', 'id', 'name', 'input', 'cache_control'])
const RESULT_MEMBERS = new Set(['type', 'tool_use_id', 'is_error', 'content', 'cache_control'])

/** Whether the blocks are the customer's or the model's: the same block means a little less in an answer. */
export type Side = 'request' | 'answer'

/**
 * Reads the `content` of a message or result: a text, or a list of blocks. Seals that rode beside their calls are put back.
 * @param nested the content is that of a result
 * @throws WireError when it is neither, or holds something that is no object
 */
export function decodeContent(content: Json | undefined, side: Side, path: string, nested = false): Block[] {
  if (content === undefined || content === null) return []
  if (typeof content === 'string') return [{ type: 'text', text: content }]
  if (!Array.isArray(content)) throw new WireError(`${path}: must be a string or a list of blocks`, path)
  const blocks: Block[] = []
  const carried = new Map<string, Seal>()
  for (const [index, item] of content.entries()) {
    if (!isObject(item)) throw new WireError(`${path}.${index}: must be an object`, `${path}.${index}`)
    const carrier = item.type === 'redacted_thinking' ? readCarrier(item.data) : undefined
    if (carrier) carried.set(carrier.callId, carrier.seal)
    // A result inside a result is nothing the API knows; kept whole, it cannot nest without end.
    else {
      const block = nested && item.type === 'tool_result' ? foreign(item) : decodeBlock(item, side, `${path}.${index}`)
      // A carrier is no block: what comes after it stood one place further on.
      blocks.push(carried.size > 0 ? place(block, `${path.replace(/\.(\d+)/g, '[$1]')}[${index}]`) : block)
    }
  }
  sealCalls(blocks, carried)
  // A text is shorthand for a list of one text block; which of the two it was is remembered where it could not be told.
  const [first] = blocks
  if (blocks.length === 1 && first?.type === 'text' && !first.cache && !first.ext) first.ext = { [OWN]: { _list: true } }
  return blocks
}

/**
 * Reads one block. What we do not know is kept whole as foreign; unknown members of known blocks go to `ext`.
 * @throws WireError as decodeContent, for the content of a tool result
 */
export function decodeBlock(block: JsonObject, side: Side, path: string): Block {
  switch (block.type) {
    case 'text': {
      if (typeof block.text !== 'string') break
      const extra = extras(block, TEXT_MEMBERS)
      // A streamed text starts with an empty list whether or not it will have citations.
      if (side === 'answer' && extra && Array.isArray(extra.citations) && extra.citations.length === 0) delete extra.citations
      return { type: 'text', text: block.text, ...mark(block), ...own(extra && Object.keys(extra).length > 0 ? extra : undefined) }
    }
    case 'image':
    case 'document':
      return readMedia(block) ?? foreign(block)
    case 'thinking': {
      if (typeof block.thinking !== 'string') break
      const signature = text(block.signature)
      // Answers of vendors that sign nothing carry an empty signature; a request that sends one back is left as it is.
      const seal = signature === undefined || (side === 'answer' && signature === '') ? undefined : readSeal(signature)
      const sealed = seal ? { seal } : {}
      return { type: 'reasoning', text: block.thinking, ...sealed, ...mark(block), ...own(extras(block, THINKING_MEMBERS)) }
    }
    case 'redacted_thinking': {
      if (typeof block.data !== 'string') break
      const seal = readSeal(block.data)
      const sealed = seal ? { seal } : {}
      return { type: 'reasoning', text: '', ...sealed, redacted: true, ...mark(block), ...own(extras(block, REDACTED_MEMBERS)) }
    }
    case 'tool_use': {
      if (typeof block.id !== 'string' || typeof block.name !== 'string') break
      const input = writeInput(block.input, path)
      const call = { id: fromWireName(block.id), name: fromWireName(block.name), input }
      return { type: 'call', ...call, ...mark(block), ...own(extras(block, CALL_MEMBERS)) }
    }
    case 'tool_result': {
      if (typeof block.tool_use_id !== 'string') break
      const content = decodeContent(block.content, side, `${path}.content`, true)
      const result = { callId: fromWireName(block.tool_use_id), isError: block.is_error === true, content }
      return { type: 'result', ...result, ...mark(block), ...own(extras(block, RESULT_MEMBERS)) }
    }
    default:
      break
  }
  return foreign(block)
}

function foreign(block: JsonObject): Block {
  return { type: 'foreign', from: OWN, data: block }
}

function mark(block: JsonObject): { cache?: { ttl?: '5m' | '1h' } } {
  const cache = readCache(block.cache_control)
  return cache ? { cache } : {}
}

/** Members without a canonical name, with a cache mark that says more than ours can hold. */
function extras(block: JsonObject, known: ReadonlySet<string>): JsonObject | undefined {
  const extra = rest(block, known)
  if (!isObject(block.cache_control) || readCache(block.cache_control)) return extra
  return { ...extra, cache_control: block.cache_control }
}

/** A tool's input as JSON text; deeper nesting than the runtime can write is not understandable. */
function writeInput(input: Json | undefined, path: string): string {
  try {
    return JSON.stringify(input ?? {})
  } catch {
    throw new WireError(`${path}.input: nested too deeply`, `${path}.input`)
  }
}
