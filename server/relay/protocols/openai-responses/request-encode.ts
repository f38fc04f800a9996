import { isObject, type Json, type JsonObject } from '../../../../contract/json.ts'
import type { Block, Loss, Turn } from '../canonical.ts'
import { extensionLosses } from '../loss.ts'
import { type BlockWriter, loseExtras, NO_MEMBER } from './block-encode.ts'
import { alwaysThinks, neverThinks, writeForeignReasoning, writeNativeReasoning } from './reasoning.ts'
import { LOGPROBS, SEALED_THOUGHTS } from './request-decode.ts'
import { writeTalk } from './talk.ts'
import { writeFormat, writeToolChoice, writeTools } from './tools.ts'
import { count, isNative, list, object, OWN, ownMembers, remembered } from './wire.ts'
import { words } from '../../../../contract/words.ts'

/** OpenAI's service tiers, and what other makers' words mean in them. */
const SERVICE_TIERS = words<string>({
  auto: 'auto',
  default: 'default',
  flex: 'flex',
  priority: 'priority',
  scale: 'scale',
  fast: 'fast',
  ultrafast: 'ultrafast',
  standard: 'default',
  standard_only: 'default',
})
/** Below this the API refuses `max_output_tokens`. */
const MIN_OUTPUT_TOKENS = 16
/** Between blocks of a system prompt, which is one text here. */
const SYSTEM_BREAK = '\n\n'
/** Most log probabilities per token the API gives. */
const MAX_TOP_LOGPROBS = 20

/**
 * Writes a turn as a Responses request. A turn that was spoken in this protocol comes back as it was; any other is made to fit: nothing
 * is stored unless asked for, and thoughts are asked for sealed, since the caller keeps the talk.
 */
export function encodeRequest(turn: Turn): { body: JsonObject; losses: Loss[] } {
  const losses: Loss[] = extensionLosses(turn.ext, OWN, '', NO_MEMBER)
  return isNative(turn) ? { body: writeNative(turn, losses), losses } : { body: writeForeign(turn, losses), losses }
}

function writeNative(turn: Turn, losses: Loss[]): JsonObject {
  const { ext } = turn
  const body: JsonObject = { ...ownMembers(ext), ...object(remembered(ext, 'quiet')), model: turn.model }
  const writer: BlockWriter = { native: true, losses }
  if (turn.stream) body.stream = true
  else if (remembered(ext, 'stream') === false) body.stream = false
  const system = systemText(turn.system, writer)
  if (system !== undefined) body.instructions = system
  else if (remembered(ext, 'instructions') === '') body.instructions = ''
  const { base, additional } = splitTools(turn)
  const items = writeTalk(turn.messages, writer)
  for (const { at, item, tools } of additional) items.splice(at, 0, { ...item, tools: writeTools(tools, turn, losses) })
  const input = asInput(items, remembered(ext, 'input'))
  if (input !== undefined) body.input = input
  if (base.length > 0) body.tools = writeTools(base, turn, losses)
  else if (remembered(ext, 'noTools') === true) body.tools = []
  const format = writeFormat(turn)
  const memory = remembered(ext, 'text')
  if (isObject(memory)) {
    body.text = { ...ownMembers({ [OWN]: memory }), ...object(body.text), ...textMembers(turn, format) }
  } else if (format || turn.verbosity !== undefined) body.text = textMembers(turn, format)
  const reasoning = writeNativeReasoning(turn)
  if (reasoning) body.reasoning = reasoning
  const include = remembered(ext, 'include')
  if (Array.isArray(include)) body.include = include
  writeShared(body, turn)
  if (turn.user !== undefined) body[remembered(ext, 'user') === 'safety_identifier' ? 'safety_identifier' : 'user'] = turn.user
  if (turn.serviceTier !== undefined) body.service_tier = turn.serviceTier
  if (turn.store !== undefined) body.store = turn.store
  if (turn.metadata) body.metadata = turn.metadata
  if (turn.temperature !== undefined) body.temperature = turn.temperature
  if (turn.topP !== undefined) body.top_p = turn.topP
  if (turn.maxOutputTokens !== undefined) body.max_output_tokens = turn.maxOutputTokens
  if (turn.topLogprobs !== undefined) body.top_logprobs = turn.topLogprobs
  return body
}

interface Additional {
  at: number
  item: JsonObject
  tools: Turn['tools']
}

/** Parts the tools of a request from those of its `additional_tools` items, which stand behind them in the same order. */
function splitTools(turn: Turn): { base: Turn['tools']; additional: Additional[] } {
  const entries = list(remembered(turn.ext, 'additional')).filter(isObject)
  let from = turn.tools.length
  for (const entry of entries) from -= count(entry.count) ?? 0
  const base = turn.tools.slice(0, Math.max(0, from))
  const additional: Additional[] = []
  let next = base.length
  for (const entry of entries) {
    const size = count(entry.count) ?? 0
    additional.push({ at: count(entry.at) ?? 0, item: object(entry.item), tools: turn.tools.slice(next, next + size) })
    next += size
  }
  return { base, additional }
}

function asInput(items: JsonObject[], form: Json | undefined): Json | undefined {
  const [only] = items
  if (form === 'none' && !only) return undefined
  if (items.length === 1 && only) {
    if (form === 'string' && typeof only.content === 'string') return only.content
    if (form === 'object') return only
  }
  return items
}

function writeForeign(turn: Turn, losses: Loss[]): JsonObject {
  const writer: BlockWriter = { native: false, losses }
  const body: JsonObject = { model: turn.model, ...(turn.stream ? { stream: true } : {}) }
  const system = systemText(turn.system, writer)
  if (system !== undefined) body.instructions = system
  body.input = writeTalk(turn.messages, writer)
  const tools = writeTools(turn.tools, turn, losses)
  if (tools.length > 0) body.tools = tools
  const format = writeFormat(turn)
  if ((format && format.type !== 'text') || turn.verbosity !== undefined)
    body.text = textMembers(turn, format?.type === 'text' ? undefined : format)
  const reasoning = writeForeignReasoning(turn, losses)
  if (reasoning) body.reasoning = reasoning
  const include = [...(neverThinks(turn.model) ? [] : [SEALED_THOUGHTS]), ...(turn.logprobs ? [LOGPROBS] : [])]
  if (include.length > 0) body.include = include
  body.store = turn.store ?? false
  writeShared(body, turn)
  if (tools.length === 0) delete body.parallel_tool_calls
  if (turn.user !== undefined) body.user = turn.user
  writeForeignCaller(body, turn, losses)
  writeForeignSampling(body, turn, losses)
  loseTheRest(turn, losses)
  return body
}

function writeShared(body: JsonObject, turn: Turn): void {
  const choice = writeToolChoice(turn)
  if (choice !== undefined) body.tool_choice = choice
  if (turn.parallelToolCalls !== undefined) body.parallel_tool_calls = turn.parallelToolCalls
  if (turn.cacheKey !== undefined) body.prompt_cache_key = turn.cacheKey
}

function textMembers(turn: Turn, format: JsonObject | undefined): JsonObject {
  return { ...(format ? { format } : {}), ...(turn.verbosity === undefined ? {} : { verbosity: turn.verbosity }) }
}

function systemText(blocks: Block[], writer: BlockWriter): string | undefined {
  const texts: string[] = []
  for (const [index, block] of blocks.entries()) {
    if (block.type !== 'text') {
      writer.losses.push({ path: `system[${index}]`, reason: "OpenAI's instructions are text only" })
      continue
    }
    loseExtras(block, `system[${index}]`, writer)
    texts.push(block.text)
  }
  return texts.length === 0 ? undefined : texts.join(SYSTEM_BREAK)
}

function writeForeignCaller(body: JsonObject, turn: Turn, losses: Loss[]): void {
  if (turn.serviceTier !== undefined) {
    const tier = SERVICE_TIERS[turn.serviceTier]
    if (tier) body.service_tier = tier
    else losses.push({ path: 'service_tier', reason: `OpenAI has no tier "${turn.serviceTier}"` })
  }
  const metadata: JsonObject = {}
  for (const [key, value] of Object.entries(turn.metadata ?? {})) {
    if (typeof value === 'string') metadata[key] = value
    else if (value !== undefined && value !== null) losses.push({ path: `metadata.${key}`, reason: "OpenAI's metadata are texts" })
  }
  if (Object.keys(metadata).length > 0) body.metadata = metadata
}

function writeForeignSampling(body: JsonObject, turn: Turn, losses: Loss[]): void {
  const cap = turn.maxOutputTokens
  if (cap !== undefined) {
    body.max_output_tokens = Math.max(cap, MIN_OUTPUT_TOKENS)
    if (cap < MIN_OUTPUT_TOKENS) losses.push({ path: 'max_tokens', reason: `OpenAI takes no cap below ${MIN_OUTPUT_TOKENS}` })
  }
  const thinks = alwaysThinks(turn.model)
  const sampling = [
    ['temperature', turn.temperature],
    ['top_p', turn.topP],
  ] as const
  for (const [member, value] of sampling) {
    if (value === undefined) continue
    if (!thinks) body[member] = value
    else if (value !== 1) losses.push({ path: member, reason: `${turn.model} takes no ${member}` })
  }
  if (turn.topLogprobs !== undefined && turn.logprobs) body.top_logprobs = Math.min(turn.topLogprobs, MAX_TOP_LOGPROBS)
}

/** What the Responses API has no parameter for at all. */
function loseTheRest(turn: Turn, losses: Loss[]): void {
  const asked: [string, boolean][] = [
    ['n', (turn.n ?? 1) > 1],
    ['stop', (turn.stop?.length ?? 0) > 0],
    ['seed', turn.seed !== undefined],
    ['top_k', turn.topK !== undefined],
    ['presence_penalty', Boolean(turn.presencePenalty)],
    ['frequency_penalty', Boolean(turn.frequencyPenalty)],
    ['logit_bias', Object.keys(turn.logitBias ?? {}).length > 0],
    ['modalities', turn.modalities?.some((each) => each !== 'text') ?? false],
  ]
  for (const [path, lost] of asked) if (lost) losses.push({ path, reason: 'The Responses API has no such parameter' })
}
