import { isObject } from '../../../contract/json.ts'
import type { Json, JsonObject } from '../../../contract/json.ts'
import type { Block, Choice, Completion, Event, Extensions, Fault } from './canonical.ts'

/** The stream that was collected broke off with its protocol's own error. */
export class BrokenStream extends Error {
  override readonly name = 'BrokenStream'
  readonly fault: Fault

  constructor(fault: Fault) {
    super(fault.message)
    this.fault = fault
  }
}

interface Draft {
  blocks: Map<number, Block>
  choice: Choice
}

/**
 * Puts the events of a stream together to the answer a non-streaming call would have got. Usage is replaced field by field;
 * extensions of `start`, `delta` and `close` are merged (arrays appended, objects member by member). Pings and foreign events
 * have no place in a whole answer. A choice without a `finish` ends as `other`.
 * @throws BrokenStream on a `fault`
 */
export function collect(events: Iterable<Event>): Completion {
  const completion: Completion = { id: '', model: '', choices: [] }
  const drafts = new Map<number, Draft>()
  for (const event of events) {
    switch (event.type) {
      case 'start':
        start(completion, event)
        break
      case 'open':
        draftOf(drafts, event.choice).blocks.set(event.index, copy(event.block))
        break
      case 'delta': {
        const draft = draftOf(drafts, event.choice)
        const block = blockOf(draft, event.index)
        append(block, event.text)
        if (event.ext) extend(block, event.ext)
        if (event.logprobs !== undefined) draft.choice.logprobs = merge(draft.choice.logprobs, event.logprobs)
        break
      }
      case 'seal': {
        const block = blockOf(draftOf(drafts, event.choice), event.index)
        if (block.type === 'reasoning' || block.type === 'call') block.seal = event.seal
        break
      }
      case 'close':
        if (event.ext) extend(blockOf(draftOf(drafts, event.choice), event.index), event.ext)
        break
      case 'usage':
        completion.usage = { ...completion.usage, ...event.usage }
        if (event.rawUsage !== undefined) completion.rawUsage = event.rawUsage
        break
      case 'finish':
        draftOf(drafts, event.choice).choice.finish = event.finish
        break
      case 'fault':
        throw new BrokenStream(event.fault)
      case 'ping':
      case 'foreign':
        break
      default:
        event satisfies never
    }
  }
  const sorted = [...drafts.values()].sort((a, b) => a.choice.index - b.choice.index)
  for (const { blocks, choice } of sorted) {
    choice.content = [...blocks].sort((a, b) => a[0] - b[0]).map((entry) => entry[1])
    completion.choices.push(choice)
  }
  return completion
}

function start(completion: Completion, event: Extract<Event, { type: 'start' }>): void {
  completion.id = event.id
  completion.model = event.model
  if (event.created !== undefined) completion.created = event.created
  if (event.serviceTier !== undefined) completion.serviceTier = event.serviceTier
  if (event.ext) completion.ext = mergeExtensions(completion.ext, event.ext)
}

function draftOf(drafts: Map<number, Draft>, index: number): Draft {
  const known = drafts.get(index)
  if (known) return known
  const draft: Draft = { blocks: new Map(), choice: { index, content: [], finish: { reason: 'other' } } }
  drafts.set(index, draft)
  return draft
}

/** The block a delta belongs to; text that nobody opened a block for is kept as a text block. */
function blockOf(draft: Draft, index: number): Block {
  const known = draft.blocks.get(index)
  if (known) return known
  const block: Block = { type: 'text', text: '' }
  draft.blocks.set(index, block)
  return block
}

/** Events are the caller's: what is appended to must be our own. */
function copy(block: Block): Block {
  return block.type === 'media' ? { ...block, data: { ...block.data } } : { ...block }
}

function append(block: Block, text: string): void {
  switch (block.type) {
    case 'text':
    case 'reasoning':
    case 'refusal':
      block.text += text
      break
    case 'call':
      block.input += text
      break
    case 'media':
      if ('base64' in block.data) block.data.base64 += text
      break
    case 'result':
    case 'foreign':
      break
    default:
      block satisfies never
  }
}

function extend(block: Block, ext: Extensions): void {
  if (block.type !== 'foreign') block.ext = mergeExtensions(block.ext, ext)
}

function mergeExtensions(into: Extensions | undefined, from: Extensions): Extensions {
  const merged: Extensions = { ...into }
  for (const [protocol, members] of Object.entries(from)) {
    if (members) merged[protocol] = mergeObjects(merged[protocol] ?? {}, members)
  }
  return merged
}

function mergeObjects(into: JsonObject, from: JsonObject): JsonObject {
  const merged: JsonObject = { ...into }
  for (const [key, value] of Object.entries(from)) {
    if (value !== undefined) merged[key] = merge(merged[key], value)
  }
  return merged
}

/** Arrays are appended, objects merged, anything else replaced. */
function merge(into: Json | undefined, from: Json): Json {
  if (Array.isArray(into) && Array.isArray(from)) return [...into, ...from]
  if (isObject(into) && isObject(from)) return mergeObjects(into, from)
  return from
}
