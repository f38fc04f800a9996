import { isObject, type JsonObject } from '../../../../contract/json.ts'
import type { Block, Message, Seal } from '../canonical.ts'
import { extensionLosses } from '../loss.ts'
import { place, placeOf } from '../places.ts'
import { foreign, readCall, readMessage, readReasoning, readResult } from './block.ts'
import { type BlockWriter, loseExtras, NO_MEMBER, writeCall, writePart, writeReasoning, writeResult } from './block-encode.ts'
import { list, OWN, remembered } from './wire.ts'

/**
 * Reads input items as messages. What the model said in a row (thoughts, words, calls) is one message, and so are results in a row:
 * other protocols pair them by that. Words of anybody else stay messages of their own. Seals that an item only carries go to their call.
 */
export function readTalk(items: JsonObject[]): Message[] {
  const messages: Message[] = []
  const carried = new Map<string, Seal>()
  /** Set while the last message holds nothing but what the model said, or nothing but results. */
  let open: 'assistant' | 'results' | undefined
  const add = (side: 'assistant' | 'results', blocks: Block[]) => {
    const last = messages.at(-1)
    if (last && open === side) last.content.push(...blocks)
    else messages.push({ role: side === 'assistant' ? 'assistant' : 'user', content: blocks })
    open = side
  }
  for (const item of items) {
    const message = readMessage(item, 'request')
    if (message && message.role !== 'assistant') {
      const blocks = message.blocks.map((block, part) => placedIn(block, item, part))
      messages.push(placed({ role: message.role, content: blocks }, item))
      open = undefined
    } else if (message) {
      add(
        'assistant',
        message.blocks.map((block, part) => placedIn(block, item, part)),
      )
    } else if (item.type === 'function_call_output' || item.type === 'custom_tool_call_output') {
      const result = readResult(item, 'request')
      add('results', [placed(result ?? foreign(item), item)])
    } else {
      const block = readModelItem(item)
      if ('callId' in block && 'seal' in block) carried.set(block.callId, block.seal)
      else add('assistant', [placed(block, item)])
    }
  }
  if (carried.size > 0) sealCalls(messages, carried)
  return messages
}

/** Notes that the thing was the item, for the paths of losses. */
function placed<T extends object>(thing: T, item: JsonObject): T {
  const at = placeOf(item)
  return at === undefined ? thing : place(thing, at)
}

function placedIn(block: Block, item: JsonObject, part: number): Block {
  const at = placeOf(item)
  return at === undefined || !Array.isArray(item.content) ? placed(block, item) : place(block, `${at}.content[${part}]`)
}

function readModelItem(item: JsonObject): Block | { seal: Seal; callId: string } {
  switch (item.type) {
    case 'reasoning':
      return readReasoning(item, 'request') ?? foreign(item)
    case 'function_call':
    case 'custom_tool_call':
      return readCall(item, 'request') ?? foreign(item)
    default:
      return foreign(item)
  }
}

function sealCalls(messages: Message[], carried: ReadonlyMap<string, Seal>): void {
  for (const message of messages) {
    for (const block of message.content) {
      if (block.type !== 'call' || block.seal) continue
      const seal = carried.get(block.id)
      if (seal) block.seal = seal
    }
  }
}

/** Writes messages as input items. */
export function writeTalk(messages: Message[], writer: BlockWriter): JsonObject[] {
  const talk = new TalkWriter(writer)
  for (const [index, message] of messages.entries()) talk.message(message, `messages[${index}]`)
  return talk.items
}

class TalkWriter {
  readonly items: JsonObject[] = []
  private readonly writer: BlockWriter
  private readonly calls = new Set<string>()
  private readonly customCalls = new Set<string>()
  /** The message item that parts are still added to. */
  private current: JsonObject | undefined

  constructor(writer: BlockWriter) {
    this.writer = writer
  }

  message(message: Message, path: string): void {
    const { losses } = this.writer
    losses.push(...extensionLosses(message.ext, OWN, `${path}.`, NO_MEMBER))
    if (message.name !== undefined) losses.push({ path: `${path}.name`, reason: 'Messages of the Responses API have no author name' })
    this.current = undefined
    for (const [index, block] of message.content.entries()) this.block(block, message.role, `${path}.content[${index}]`)
  }

  private block(block: Block, role: Message['role'], path: string): void {
    const { writer } = this
    switch (block.type) {
      case 'reasoning':
        this.reasoning(block, path)
        break
      case 'call':
        this.calls.add(block.id)
        if (block.custom) this.customCalls.add(block.id)
        this.item(writeCall(block, path, writer))
        break
      case 'result':
        this.result(block, role, path)
        break
      case 'foreign':
        if (block.from === OWN && block.data._part !== true) this.item(block.data)
        else this.part(block, role, path)
        break
      case 'text':
      case 'refusal':
      case 'media':
        this.part(block, role, path)
        break
      default:
        block satisfies never
    }
  }

  private item(item: JsonObject): void {
    this.current = undefined
    this.items.push(item)
  }

  private part(block: Block, role: Message['role'], path: string): void {
    // Other protocols send an empty text beside every tool call.
    if (!this.writer.native && block.type === 'text' && block.text === '') return loseExtras(block, path, this.writer)
    const part = writePart(block, role, path, this.writer)
    if (!part) return
    const memory = block.type === 'foreign' ? block.data._message : remembered(block.ext, 'message')
    if (block.type === 'text' && remembered(block.ext, 'string') === true) {
      this.item({ ...(isObject(memory) ? memory : {}), role, content: block.text })
      return
    }
    if (!this.current || isObject(memory)) {
      const current: JsonObject = isObject(memory) ? { ...memory, role, content: [] } : { type: 'message', role, content: [] }
      this.item(current)
      this.current = current
    }
    this.current.content = [...list(this.current.content), part]
  }

  private reasoning(block: Extract<Block, { type: 'reasoning' }>, path: string): void {
    const { writer } = this
    loseExtras(block, path, writer)
    if (block.seal && block.seal.by !== OWN) writer.losses.push({ path, reason: `Only ${block.seal.by} can read these thoughts` })
    else if (!block.seal && !writer.native) writer.losses.push({ path, reason: 'OpenAI takes only thoughts it has sealed' })
    else this.item(writeReasoning(block))
  }

  private result(block: Extract<Block, { type: 'result' }>, role: Message['role'], path: string): void {
    const { writer } = this
    if (writer.native || this.calls.has(block.callId)) {
      this.item(writeResult(block, this.customCalls.has(block.callId), path, writer))
      return
    }
    writer.losses.push({ path, reason: 'A tool result without its call was sent as text' })
    for (const [index, each] of block.content.entries()) this.part(each, role, `${path}.content[${index}]`)
  }
}
