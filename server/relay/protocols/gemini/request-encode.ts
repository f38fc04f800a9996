import { isObject } from '../../../../contract/json.ts'
import type { Json, JsonObject } from '../../../../contract/json.ts'
import type { Block, Loss, Message, Turn } from '../canonical.ts'
import { extensionLosses } from '../loss.ts'
import { encodeConfig } from './config-encode.ts'
import { restore } from './extra.ts'
import { callPart, mediaPart, ownExtension, reportBlock, resultPart, signaturePart } from './parts.ts'
import type { Report } from './parts.ts'
import { marks } from './block.ts'
import { encodeToolConfig, encodeTools } from './tools-encode.ts'
import { GEMINI, isBeforeGemini3, text } from './wire.ts'

/**
 * From Gemini 3 on a call without its signature is refused; this value is Google's own way to say that the call was made by
 * another model (Gemini API, thought signatures, "history from another model").
 */
export const NO_SIGNATURE = 'skip_thought_signature_validator'

/** Whether the model wants a signature on the calls of the talk. */
export function wantsSignatures(model: string): boolean {
  return model.includes('gemini') && !isBeforeGemini3(model)
}

interface Context {
  losses: Loss[]
  /** The request came in as Gemini: every way of writing is kept. */
  own: boolean
  mediaInResults: boolean
  signCalls: boolean
  /** Function names by call id, since Google wants them on answers. */
  names: Map<string, string>
}

/** A request of any protocol as generateContent; what Gemini cannot be asked is in `losses`. */
export function encodeRequest(turn: Turn): { body: JsonObject; losses: Loss[] } {
  const ext = turn.ext?.[GEMINI]
  const losses = extensionLosses(turn.ext, GEMINI, '', 'Gemini has no name for it')
  const context: Context = {
    losses,
    own: ext !== undefined,
    mediaInResults: ext !== undefined || !isBeforeGemini3(turn.model),
    signCalls: wantsSignatures(turn.model),
    names: callNames(turn.messages),
  }
  const body: JsonObject = {}
  if (ext?.__model !== undefined) body.model = `${text(ext.__model) ?? ''}${turn.model}`
  const leading = context.own ? 0 : countLeadingSystem(turn.messages)
  body.contents = encodeMessages(turn.messages, leading, context)
  const system = encodeSystem(turn, leading, context)
  if (system !== undefined) body.systemInstruction = system
  const tools = encodeTools(turn, losses)
  if (tools.length > 0) body.tools = tools
  const toolConfig = encodeToolConfig(turn, losses)
  if (toolConfig) body.toolConfig = toolConfig
  const config = encodeConfig(turn, losses)
  if (Object.keys(config).length > 0) body.generationConfig = config
  encodeRest(turn, body, context)
  if (ext) restore(ext, body)
  return { body, losses }
}

function callNames(messages: Message[]): Map<string, string> {
  const names = new Map<string, string>()
  for (const message of messages) {
    for (const block of message.content) {
      if (block.type === 'call') names.set(block.id, block.name)
    }
  }
  return names
}

function countLeadingSystem(messages: Message[]): number {
  const first = messages.findIndex((message) => message.role !== 'system' && message.role !== 'developer')
  return first < 0 ? messages.length : first
}

/** Gemini takes a system instruction of text, once, before the talk. */
function encodeSystem(turn: Turn, leading: number, context: Context): Json | undefined {
  const parts: JsonObject[] = []
  const add = (blocks: Block[], path: string): void =>
    blocks.forEach((block, index) => {
      const report: Report = { losses: context.losses, path: `${path}[${index}]` }
      reportBlock(block, report)
      if (block.type === 'text') parts.push({ text: block.text, ...ownExtension(block).members })
      else if (block.type === 'foreign' && block.from === GEMINI) parts.push(block.data)
      else if (context.own && block.type === 'media') parts.push(mediaPart(block, report) ?? {})
      else context.losses.push({ path: report.path, reason: 'a system instruction of Gemini is text' })
    })
  add(turn.system, 'system')
  for (let i = 0; i < leading; i++) add(turn.messages[i]?.content ?? [], `messages[${i}].content`)
  const form = turn.ext?.[GEMINI]?.__system
  if (form === 'string') return parts.map((part) => text(part.text) ?? '').join('')
  if (isObject(form)) return { parts, ...form }
  return parts.length > 0 ? { parts } : undefined
}

function encodeMessages(messages: Message[], leading: number, context: Context): JsonObject[] {
  const contents: JsonObject[] = []
  let before: Message | undefined
  messages.forEach((message, index) => {
    if (index < leading) return
    const content = encodeMessage(message, index, context)
    const last = contents.at(-1)
    if (!context.own && before && last && belongTogether(before, message))
      (last.parts as JsonObject[]).push(...(content.parts as JsonObject[]))
    else if (context.own || (content.parts as JsonObject[]).length > 0) contents.push(content)
    else return
    before = message
  })
  return contents
}

/** Parallel calls are one content, and so are their answers (Gemini API, parallel function calling). */
function belongTogether(a: Message, b: Message): boolean {
  if (a.role === 'assistant' && b.role === 'assistant') return true
  const answers = (message: Message): boolean => message.role === 'user' && message.content.some((block) => block.type === 'result')
  return answers(a) && answers(b)
}

function encodeMessage(message: Message, index: number, context: Context): JsonObject {
  const path = `messages[${index}]`
  const own = message.ext?.[GEMINI]
  if (message.ext) context.losses.push(...extensionLosses(message.ext, GEMINI, `${path}.`, 'Gemini has no name for it'))
  if (message.name !== undefined) context.losses.push({ path: `${path}.name`, reason: 'Gemini has no names for speakers' })
  const inTalk = message.role === 'system' || message.role === 'developer'
  if (inTalk && !context.own) {
    context.losses.push({ path: `${path}.role`, reason: 'Gemini has no system messages inside a talk; it is sent as the user' })
  }
  const content: JsonObject = { role: message.role === 'assistant' ? 'model' : inTalk && context.own ? 'system' : 'user' }
  if (own) {
    for (const [name, value] of Object.entries(own)) {
      if (!name.startsWith('_')) content[name] = value
    }
    if (own._role === null) delete content.role
    else if (typeof own._role === 'string') content.role = own._role
  }
  if (own?._noParts !== true) content.parts = encodeBlocks(message.content, path, context)
  return content
}

function encodeBlocks(blocks: Block[], path: string, context: Context): JsonObject[] {
  const parts: JsonObject[] = []
  const after: JsonObject[] = []
  blocks.forEach((block, index) => {
    const report: Report = { losses: context.losses, path: `${path}.content[${index}]` }
    reportBlock(block, report)
    switch (block.type) {
      case 'text':
      case 'refusal':
        parts.push({ text: block.text, ...ownExtension(block).members })
        break
      case 'media': {
        const part = mediaPart(block, report)
        if (part) parts.push(part)
        break
      }
      case 'reasoning':
        encodeReasoning(block, parts, report)
        break
      case 'call':
        parts.push(encodeCall(block, isFirstCall(blocks, index), context, report))
        break
      case 'result': {
        const name = block.name ?? context.names.get(block.callId) ?? block.callId
        const result = resultPart(block, name, context.mediaInResults, report)
        parts.push(result.part)
        after.push(...result.after)
        break
      }
      case 'foreign':
        if (block.from === GEMINI) parts.push(block.data)
        else context.losses.push({ path: report.path, reason: `a block only ${block.from} knows` })
        break
      default:
        block satisfies never
    }
  })
  // Older models take no media inside an answer; they read it beside the answers.
  return after.length > 0 ? [...parts, ...after] : parts
}

function encodeReasoning(block: Extract<Block, { type: 'reasoning' }>, parts: JsonObject[], report: Report): void {
  const { marked, members } = ownExtension(block)
  const signature = block.seal?.by === GEMINI ? block.seal.value : undefined
  if (block.seal && signature === undefined) {
    report.losses.push({ path: `${report.path}.signature`, reason: `only ${block.seal.by} can read it` })
  }
  if (signature !== undefined && block.text === '') signaturePart(parts, signature, marked[marks.apart])
  else if (block.text !== '' || block.seal === undefined) {
    parts.push({ text: block.text, thought: true, ...(signature !== undefined && { thoughtSignature: signature }), ...members })
  }
}

/** Of parallel calls only the first has a signature (Gemini API, thought signatures). */
function isFirstCall(blocks: Block[], index: number): boolean {
  return !blocks.slice(0, index).some((block) => block.type === 'call')
}

function encodeCall(block: Extract<Block, { type: 'call' }>, first: boolean, context: Context, report: Report): JsonObject {
  const part = callPart(block)
  if (block.seal?.by === GEMINI) return { ...part, thoughtSignature: block.seal.value }
  if (block.seal) report.losses.push({ path: `${report.path}.signature`, reason: `only ${block.seal.by} can read it` })
  const needed = context.signCalls && first && (!context.own || block.seal !== undefined)
  return needed ? { ...part, thoughtSignature: NO_SIGNATURE } : part
}

/** Members outside contents, tools and generationConfig. */
function encodeRest(turn: Turn, body: JsonObject, context: Context): void {
  if (context.own) {
    if (turn.serviceTier !== undefined) body.serviceTier = turn.serviceTier
    if (turn.store !== undefined) body.store = turn.store
  } else {
    encodeTier(turn, body, context.losses)
    // Google keeps no answers to fetch later, so `store: false` is what happens anyway.
    if (turn.store === true) context.losses.push({ path: 'store', reason: 'Gemini stores no answers' })
  }
  if (turn.cacheKey !== undefined) context.losses.push({ path: 'prompt_cache_key', reason: 'Gemini caches by itself' })
  if (turn.user !== undefined) context.losses.push({ path: 'user', reason: 'Gemini takes no end-user id' })
  if (turn.metadata && Object.keys(turn.metadata).length > 0) {
    context.losses.push({ path: 'metadata', reason: 'the Gemini API takes no labels' })
  }
}

/** Tiers by the name Google gives them; its standard tier is what is served without a name. */
function encodeTier(turn: Turn, body: JsonObject, losses: Loss[]): void {
  const tier = turn.serviceTier
  if (tier === undefined || ['auto', 'default', 'standard', 'standard_only'].includes(tier)) return
  if (tier === 'flex' || tier === 'priority') body.serviceTier = tier
  else losses.push({ path: 'service_tier', reason: 'Gemini has no such tier' })
}
