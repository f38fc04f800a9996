import { isObject, type JsonObject } from '../../../../contract/json.ts'
import type { Block, Loss, Turn } from '../canonical.ts'
import { extensionLosses } from '../loss.ts'
import { asContent, encodeBlocks, type BlockWriter } from './block-encode.ts'
import { hasOpenToolUse, writeForeignMessages, writeNativeMessages } from './talk.ts'
import { writeForeignThinking, writeNativeThinking } from './thinking.ts'
import { writeFormat, writeToolChoice, writeTools } from './tools.ts'
import { DEFAULT_MAX_TOKENS, isNative, OWN, ownMembers } from './wire.ts'
import { words } from '../../../../contract/words.ts'

/** Claude's own words for a service tier, and what the others' mean in them. */
const SERVICE_TIERS = words<string>({ auto: 'auto', standard_only: 'standard_only', default: 'standard_only', priority: 'auto' })

/**
 * Writes a turn as a Messages request. A turn that was spoken in this protocol comes back as it was; any other is made to fit the
 * API's rules. A missing cap becomes DEFAULT_MAX_TOKENS.
 */
export function encodeRequest(turn: Turn): { body: JsonObject; losses: Loss[] } {
  const losses: Loss[] = extensionLosses(turn.ext, OWN, '', 'Claude has no such parameter')
  if (isNative(turn)) return { body: writeNative(turn, losses), losses }
  return { body: writeForeign(turn, losses), losses }
}

function writeNative(turn: Turn, losses: Loss[]): JsonObject {
  const kept: JsonObject = { ...ownMembers(turn.ext) }
  const body = begin(turn, turn.maxOutputTokens ?? DEFAULT_MAX_TOKENS)
  const system = writeSystem(turn.system, true, losses)
  if (system !== undefined) body.system = system
  body.messages = writeNativeMessages(turn.messages, losses)
  const tools = writeTools(turn, true, losses)
  if (tools.length > 0) body.tools = tools
  const choice = writeToolChoice(turn, true, tools)
  if (choice) body.tool_choice = choice
  const { thinking, effort } = writeNativeThinking(turn.reasoning, kept.thinking)
  delete kept.thinking
  if (thinking) body.thinking = thinking
  const format = writeFormat(turn.output, true, losses)
  const beta = turn.ext?.[OWN]?._outputFormat === true
  const config = isObject(kept.output_config) ? kept.output_config : undefined
  delete kept.output_config
  writeConfig(body, effort, beta ? undefined : format, config)
  if (beta && format) body.output_format = format
  if (turn.serviceTier !== undefined) body.service_tier = turn.serviceTier
  const metadata = isObject(kept.metadata) ? kept.metadata : undefined
  delete kept.metadata
  if (turn.user !== undefined || metadata) body.metadata = { ...(turn.user === undefined ? {} : { user_id: turn.user }), ...metadata }
  writeSampling(body, turn)
  if (turn.stop) body.stop_sequences = turn.stop
  return { ...body, ...kept }
}

function writeForeign(turn: Turn, losses: Loss[]): JsonObject {
  const context = {
    model: turn.model,
    maxOutputTokens: turn.maxOutputTokens,
    toolChoice: turn.toolChoice,
    openToolUse: hasOpenToolUse(turn),
  }
  const { thinking, effort, maxTokens } = writeForeignThinking(turn.reasoning, context, losses)
  const body = begin(turn, turn.maxOutputTokens ?? maxTokens ?? DEFAULT_MAX_TOKENS)
  const talk = writeForeignMessages(turn.messages, losses)
  const system = writeSystem([...turn.system, ...talk.head.flatMap((message) => message.content)], false, losses)
  if (system !== undefined) body.system = system
  body.messages = talk.messages
  const tools = writeTools(turn, false, losses)
  if (tools.length > 0) body.tools = tools
  const choice = writeToolChoice(turn, false, tools)
  if (choice) body.tool_choice = choice
  if (thinking) body.thinking = thinking
  writeConfig(body, effort, writeFormat(turn.output, false, losses), undefined)
  writeMetadata(body, turn, losses)
  writeForeignSampling(body, turn, thinking !== undefined && thinking.type !== 'disabled', losses)
  loseTheRest(turn, losses)
  return body
}

function begin(turn: Turn, maxTokens: number): JsonObject {
  return { model: turn.model, max_tokens: maxTokens, ...(turn.stream ? { stream: true } : {}) }
}

function writeSystem(blocks: Block[], native: boolean, losses: Loss[]): JsonObject['system'] {
  const writer: BlockWriter = { road: 'request', native, losses }
  const texts: Block[] = []
  for (const [index, block] of blocks.entries()) {
    if (native || block.type === 'text') texts.push(block)
    else losses.push({ path: `system[${index}]`, reason: "Claude's system prompt is text only" })
  }
  const written = encodeBlocks(texts, 'system', writer)
  return written.length === 0 ? undefined : asContent(texts, written)
}

function writeConfig(body: JsonObject, effort: string | undefined, format: JsonObject | undefined, more: JsonObject | undefined): void {
  const config: JsonObject = { ...(effort === undefined ? {} : { effort }), ...(format ? { format } : {}), ...more }
  if (Object.keys(config).length > 0) body.output_config = config
}

function writeMetadata(body: JsonObject, turn: Turn, losses: Loss[]): void {
  let user = turn.user
  for (const key of Object.keys(turn.metadata ?? {})) {
    const value = turn.metadata?.[key]
    if (key === 'user_id' && typeof value === 'string') user ??= value
    else losses.push({ path: `metadata.${key}`, reason: "Claude's metadata knows only user_id" })
  }
  if (user !== undefined) body.metadata = { user_id: user }
  if (turn.serviceTier === undefined) return
  const tier = SERVICE_TIERS[turn.serviceTier]
  if (tier) body.service_tier = tier
  else losses.push({ path: 'service_tier', reason: `Claude has no tier "${turn.serviceTier}"` })
}

function writeSampling(body: JsonObject, turn: Turn): void {
  if (turn.temperature !== undefined) body.temperature = turn.temperature
  if (turn.topP !== undefined) body.top_p = turn.topP
  if (turn.topK !== undefined) body.top_k = turn.topK
}

/**
 * Claude's temperature ends at 1 (OpenAI's at 2), newer models refuse it together with top_p, and a model that thinks takes no
 * temperature but 1, no top_k, and a top_p of at least 0.95 (platform.claude.com, extended thinking). 1 is the default of both.
 */
function writeForeignSampling(body: JsonObject, turn: Turn, thinks: boolean, losses: Loss[]): void {
  const lose = (path: string, reason: string) => losses.push({ path, reason })
  let temperature = turn.temperature
  if (temperature !== undefined && temperature > 1) {
    lose('temperature', "Claude's highest temperature is 1")
    temperature = 1
  }
  if (thinks && temperature !== undefined && temperature !== 1) {
    lose('temperature', 'Claude takes no temperature while it thinks')
    temperature = undefined
  }
  if (temperature !== undefined) body.temperature = temperature
  const topP = turn.topP === 1 ? undefined : turn.topP
  if (topP !== undefined) {
    if (thinks && topP < 0.95) lose('top_p', 'Claude takes no top_p below 0.95 while it thinks')
    else if (temperature !== undefined && temperature !== 1) lose('top_p', 'Claude takes temperature or top_p, not both')
    else {
      delete body.temperature
      body.top_p = topP
    }
  }
  if (turn.topK !== undefined) {
    if (thinks) lose('top_k', 'Claude takes no top_k while it thinks')
    else body.top_k = turn.topK
  }
  const stop = turn.stop?.filter((each) => each.trim() !== '')
  if (stop && stop.length > 0) body.stop_sequences = stop
  if (turn.stop && stop && stop.length < turn.stop.length) lose('stop', 'Claude takes no stop sequence of nothing but blanks')
}

/** What the Messages API has no parameter for at all. */
function loseTheRest(turn: Turn, losses: Loss[]): void {
  const asked: [string, boolean][] = [
    ['n', (turn.n ?? 1) > 1],
    ['seed', turn.seed !== undefined],
    ['presence_penalty', Boolean(turn.presencePenalty)],
    ['frequency_penalty', Boolean(turn.frequencyPenalty)],
    ['logprobs', turn.logprobs === true],
    ['top_logprobs', Boolean(turn.topLogprobs)],
    ['logit_bias', Object.keys(turn.logitBias ?? {}).length > 0],
    ['verbosity', turn.verbosity !== undefined && turn.verbosity !== 'medium'],
    ['modalities', turn.modalities?.some((each) => each !== 'text') ?? false],
    ['prompt_cache_key', turn.cacheKey !== undefined],
    ['store', turn.store === true],
  ]
  for (const [path, lost] of asked) if (lost) losses.push({ path, reason: 'Claude has no such parameter' })
}
