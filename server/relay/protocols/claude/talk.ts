import type { JsonObject } from '../../../../contract/json.ts'
import type { Block, Loss, Message, Turn } from '../canonical.ts'
import { extensionLosses } from '../loss.ts'
import { asContent, encodeBlocks, type BlockWriter, writeBlock } from './block-encode.ts'
import { OWN, ownMembers } from './wire.ts'

/** Writes the messages of a talk spoken in this protocol as they were, without thoughts only another maker can read. */
export function writeNativeMessages(messages: Message[], losses: Loss[]): JsonObject[] {
  const writer: BlockWriter = { road: 'request', native: true, losses }
  const written: JsonObject[] = []
  for (const [index, message] of messages.entries()) {
    const path = `messages[${index}]`
    losses.push(...extensionLosses(message.ext, OWN, `${path}.`, 'Claude has no such member'))
    const content = encodeBlocks(message.content, `${path}.content`, writer)
    // A message whose only blocks were another maker's thoughts says nothing any more.
    if (content.length === 0 && message.content.length > 0) continue
    const role = message.role === 'developer' ? 'system' : message.role
    const empty = content.length === 0 && role === 'system'
    written.push({ role, ...(empty ? {} : { content: asContent(message.content, content) }), ...ownMembers(message.ext) })
  }
  return written
}

/** A block and where it stands in the turn, for its losses. */
interface Placed {
  block: Block
  at: string
}

interface Draft {
  role: 'user' | 'assistant'
  results: JsonObject[]
  blocks: JsonObject[]
  lone?: Block[]
}

/**
 * Writes the messages of another protocol by Claude's rules: consecutive messages of a side are one, results stand first in the user
 * message after their calls. A system message in the middle of the talk becomes a user text at its place (Claude's own system
 * messages are known to few models) with a Loss; those before the first other message belong to the system prompt.
 * @returns the system blocks that were found at the head, and the messages
 */
export function writeForeignMessages(messages: Message[], losses: Loss[]): { head: Message[]; messages: JsonObject[] } {
  const writer: BlockWriter = { road: 'request', native: false, losses }
  const head: Message[] = []
  const drafts: Draft[] = []
  const calls = new Set<string>()
  for (const [index, message] of messages.entries()) {
    const path = `messages[${index}]`
    const system = message.role === 'system' || message.role === 'developer'
    losses.push(...extensionLosses(message.ext, OWN, `${path}.`, 'Claude has no such member'))
    if (system && drafts.length === 0) {
      head.push(message)
      continue
    }
    if (message.name !== undefined) losses.push({ path: `${path}.name`, reason: 'Claude messages have no author name' })
    if (system) losses.push({ path, reason: "A system message in the middle of the talk was sent as the user's text" })
    const role = message.role === 'assistant' ? 'assistant' : 'user'
    if (role === 'assistant') for (const block of message.content) if (block.type === 'call') calls.add(block.id)
    addMessage(drafts, role, sendable(message.content, role, `${path}.content`, calls, losses), writer)
  }
  const written: JsonObject[] = []
  for (const draft of drafts) {
    const content = [...draft.results, ...draft.blocks]
    written.push({ role: draft.role, content: draft.lone ? asContent(draft.lone, content) : content })
  }
  return { head, messages: written }
}

function addMessage(drafts: Draft[], role: Draft['role'], content: Placed[], writer: BlockWriter): void {
  const written: { results: JsonObject[]; blocks: JsonObject[] } = { results: [], blocks: [] }
  for (const { block, at } of content) writeBlock(block, at, writer, block.type === 'result' ? written.results : written.blocks)
  if (written.results.length + written.blocks.length === 0) return
  const last = drafts.at(-1)
  if (last?.role !== role) {
    drafts.push({ role, ...written, lone: content.map(({ block }) => block) })
    return
  }
  last.results.push(...written.results)
  last.blocks.push(...written.blocks)
  delete last.lone
}

/** Mends what Claude would refuse: a result without its call, media said by the model. */
function sendable(content: Block[], role: Draft['role'], path: string, calls: ReadonlySet<string>, losses: Loss[]): Placed[] {
  const kept: Placed[] = []
  for (const [index, block] of content.entries()) {
    const at = `${path}[${index}]`
    if (role === 'assistant' && block.type === 'media') {
      losses.push({ path: at, reason: 'Claude takes images and files from the user only' })
    } else if (block.type === 'result' && !calls.has(block.callId)) {
      losses.push({ path: at, reason: 'A tool result without its call was sent as text' })
      for (const [inner, each] of block.content.entries()) kept.push({ block: each, at: `${at}.content[${inner}]` })
    } else kept.push({ block, at })
  }
  return kept
}

/**
 * Whether the talk ends in the middle of a tool use whose message does not begin with a thought Claude signed: asked to think by a
 * budget, the API would refuse it. What the user says beside or after the results does not close it: the API reads both as one message.
 */
export function hasOpenToolUse(turn: Turn): boolean {
  const last = turn.messages.findLast((message) => message.role === 'assistant')
  if (!last?.content.some((block) => block.type === 'call')) return false
  const [first] = last.content
  return !(first?.type === 'reasoning' && first.seal?.by === OWN)
}
