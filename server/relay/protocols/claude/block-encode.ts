import type { Json, JsonObject } from '../../../../contract/json.ts'
import type { Block, Loss } from '../canonical.ts'
import { extensionLosses } from '../loss.ts'
import { writeMedia } from './media.ts'
import { toWireName } from './names.ts'
import { writeCarrier, writeSeal } from './seals.ts'
import { OWN, ownMembers, parseObject, writeCache } from './wire.ts'

/** Where blocks are written to: the maker, who refuses seals of others, or a client, who carries them for us. */
export type Road = 'request' | 'answer'

/** What writing blocks needs to know and gathers. */
export interface BlockWriter {
  road: Road
  /** Spoken in this protocol: nothing is mended, file ids are Claude's own. */
  native: boolean
  losses: Loss[]
}

/** Answers carry no images: the Messages API has no such block. */
const NO_MEDIA = 'A Claude answer cannot carry images, sound or files'

/**
 * Writes blocks in order; what Claude cannot take becomes a Loss under its own path. Empty texts are left out unless the talk is
 * native: Claude refuses them, and other protocols send one beside every tool call.
 */
export function encodeBlocks(blocks: Block[], path: string, writer: BlockWriter): JsonObject[] {
  const written: JsonObject[] = []
  for (const [index, block] of blocks.entries()) writeBlock(block, `${path}[${index}]`, writer, written)
  return written
}

/** A list that is one text somebody wrote as a plain string. */
export function asContent(blocks: Block[], written: JsonObject[]): Json {
  const [only] = blocks
  const plain = blocks.length === 1 && written.length === 1 && only?.type === 'text' && !only.cache && only.ext?.[OWN] === undefined
  return plain ? only.text : written
}

/** Writes one block into `into`; what Claude cannot take is a Loss under `path`. */
export function writeBlock(block: Block, path: string, writer: BlockWriter, into: JsonObject[]): void {
  if (block.type === 'foreign') {
    if (block.from === OWN) into.push(block.data)
    else lose(writer, path, `Claude does not know this block of ${block.from}`)
    return
  }
  writer.losses.push(...extensionLosses(block.ext, OWN, `${path}.`, 'Claude has no such member'))
  const before = into.length
  switch (block.type) {
    case 'text':
      if (writer.native || saysSomething(block.text, writer)) into.push({ type: 'text', text: block.text })
      break
    case 'refusal':
      if (saysSomething(block.text, writer)) into.push({ type: 'text', text: block.text })
      break
    case 'media': {
      const media = writer.road === 'answer' ? NO_MEDIA : writeMedia(block, writer.native)
      if (typeof media === 'string') lose(writer, path, media)
      else into.push(media)
      if (block.detail && block.detail !== 'auto') lose(writer, `${path}.detail`, 'Claude chooses the resolution itself')
      break
    }
    case 'reasoning':
      writeReasoning(block, path, writer, into)
      break
    case 'call':
      writeCall(block, path, writer, into)
      break
    case 'result':
      into.push(writeResult(block, path, writer))
      break
    default:
      block satisfies never
  }
  const last = into.length > before ? into.at(-1) : undefined
  if (last) Object.assign(last, block.type === 'refusal' ? undefined : writeCache(block.cache), ownMembers(block.ext))
  else if ('cache' in block && block.cache) lose(writer, `${path}.cache_control`, 'The block it marks could not be sent')
}

/** Claude refuses a request with a text of nothing but blanks; in an answer they are the model's words. */
function saysSomething(words: string, writer: BlockWriter): boolean {
  return writer.road === 'answer' ? words !== '' : words.trim() !== ''
}

function writeReasoning(block: Extract<Block, { type: 'reasoning' }>, path: string, writer: BlockWriter, into: JsonObject[]): void {
  const { seal } = block
  if (writer.road === 'answer') {
    if (block.text === '' && !seal && !writer.native) return
    into.push(
      block.redacted
        ? { type: 'redacted_thinking', data: writeSeal(seal) }
        : { type: 'thinking', thinking: block.text, signature: writeSeal(seal) },
    )
  } else if (!seal) {
    lose(writer, path, 'Claude takes only thoughts it has signed')
  } else if (seal.by !== OWN) {
    lose(writer, path, `Only ${seal.by} can read these thoughts`)
  } else {
    into.push(
      block.redacted ? { type: 'redacted_thinking', data: seal.value } : { type: 'thinking', thinking: block.text, signature: seal.value },
    )
  }
}

function writeCall(block: Extract<Block, { type: 'call' }>, path: string, writer: BlockWriter, into: JsonObject[]): void {
  if (block.seal) {
    const carrier = writer.road === 'answer' ? writeCarrier(block.seal, block.id) : undefined
    if (carrier) into.push({ type: 'redacted_thinking', data: carrier })
    else lose(writer, path, `Only ${block.seal.by} can read the signature of this call`)
  }
  const input = callInput(block)
  if (!input.exact) lose(writer, `${path}.input`, 'The arguments are no JSON object; they were sent as its member "input"')
  into.push({ type: 'tool_use', id: toWireName(block.id), name: toWireName(block.name), input: input.value })
}

/** A tool's input must be an object; free text of a custom tool is its member `input`, as the tool's schema says (see tools.ts). */
function callInput(block: Extract<Block, { type: 'call' }>): { value: JsonObject; exact: boolean } {
  if (block.custom) return { value: { input: block.input }, exact: true }
  if (block.input.trim() === '') return { value: {}, exact: true }
  const value = parseObject(block.input)
  return value ? { value, exact: true } : { value: { input: block.input }, exact: false }
}

function writeResult(block: Extract<Block, { type: 'result' }>, path: string, writer: BlockWriter): JsonObject {
  const result: JsonObject = { type: 'tool_result', tool_use_id: toWireName(block.callId) }
  const kept: Block[] = []
  for (const [index, inner] of block.content.entries()) {
    if (inner.type === 'call' || inner.type === 'result' || inner.type === 'reasoning') {
      lose(writer, `${path}.content[${index}]`, `A tool result cannot hold a ${inner.type}`)
    } else kept.push(inner)
  }
  const content = encodeBlocks(kept, `${path}.content`, writer)
  if (content.length > 0) result.content = asContent(kept, content)
  if (block.isError) result.is_error = true
  return result
}

function lose(writer: BlockWriter, path: string, reason: string): void {
  writer.losses.push({ path, reason })
}
