import { isObject, type Json, type JsonObject } from '../../../../contract/json.ts'
import type { Turn } from '../canonical.ts'
import { place } from '../places.ts'
import { WireError } from '../protocol.ts'
import { readReasoningWish } from './reasoning.ts'
import { readTalk } from './talk.ts'
import { readFormat, readTools, readToolChoice } from './tools.ts'
import { count, flag, leftovers, list, number, OWN, text } from './wire.ts'

/** Members that are read one by one below; every other one is kept under its own name. */
const KNOWN = new Set([
  'model',
  'input',
  'stream',
  'instructions',
  'tools',
  'tool_choice',
  'parallel_tool_calls',
  'text',
  'max_output_tokens',
  'temperature',
  'top_p',
  'top_logprobs',
  'reasoning',
  'include',
  'prompt_cache_key',
  'user',
  'safety_identifier',
  'metadata',
  'service_tier',
  'store',
])
const TEXT_MEMBERS = new Set(['format', 'verbosity'])
/** What `include` can ask for that every road gives: sealed thoughts ride in seals, log probabilities have a place of their own. */
export const SEALED_THOUGHTS = 'reasoning.encrypted_content'
export const LOGPROBS = 'message.output_text.logprobs'

/**
 * Reads a Responses request.
 * @throws WireError when `model` or `input` are missing or of a type nobody could understand
 */
export function decodeRequest(body: JsonObject): Turn {
  if (typeof body.model !== 'string' || body.model === '') throw new WireError('model: must be a non-empty string', 'model')
  const kept = leftovers(body, KNOWN)
  hideDefaults(kept)
  const items = readInput(body, kept)
  const turn: Turn = {
    model: body.model,
    stream: body.stream === true,
    system: [],
    messages: readTalk(takeAdditional(items, kept)),
    tools: [],
  }
  if (body.stream === false) kept._stream = false
  if (body.instructions === '') kept._instructions = ''
  else if (typeof body.instructions === 'string') turn.system.push(place({ type: 'text', text: body.instructions }, 'instructions'))
  else keep(kept, body, 'instructions')
  readToolMembers(body, turn, kept)
  readAnswerForm(body, turn, kept)
  readSampling(body, turn, kept)
  readCaller(body, turn, kept)
  turn.ext = { [OWN]: kept }
  return turn
}

/** Keeps a member of the wrong type as it is: the maker may know better. */
function keep(kept: JsonObject, body: JsonObject, member: string): void {
  const value = body[member]
  if (value !== undefined && value !== null) kept[member] = value
}

/** Members that say what the API would do anyway, or only concern the wire, ask for nothing on other roads. */
function hideDefaults(kept: JsonObject): void {
  const quiet: JsonObject = {}
  const hide = (member: string) => {
    quiet[member] = kept[member]
    delete kept[member]
  }
  if (kept.background === false) hide('background')
  if (kept.truncation === 'disabled') hide('truncation')
  if (isObject(kept.stream_options)) hide('stream_options')
  if (Object.keys(quiet).length > 0) kept._quiet = quiet
}

function readInput(body: JsonObject, kept: JsonObject): JsonObject[] {
  const { input } = body
  if (typeof input === 'string') {
    kept._input = 'string'
    return [place({ role: 'user', content: input }, 'input')]
  }
  if (Array.isArray(input)) {
    return input.map((item, index) => {
      if (isObject(item)) return place(item, `input[${index}]`)
      throw new WireError(`input[${index}]: must be an object`, `input[${index}]`)
    })
  }
  if (isObject(input)) {
    kept._input = 'object'
    return [place(input, 'input')]
  }
  if (input !== undefined && input !== null) throw new WireError('input: must be a string or a list', 'input')
  // The talk may be kept by the maker.
  if (kept.previous_response_id !== undefined || kept.conversation !== undefined || kept.prompt !== undefined) {
    kept._input = 'none'
    return []
  }
  throw new WireError('input is required', 'input')
}

/**
 * Takes `additional_tools` items out of the talk (newer Codex sends its tools in one and no `tools` at all), so that every upstream has
 * them; where they stood is remembered in `_additional`.
 */
function takeAdditional(items: JsonObject[], kept: JsonObject): JsonObject[] {
  if (!items.some(isAdditional)) return items
  const rest: JsonObject[] = []
  const additional: Json[] = []
  for (const [index, item] of items.entries()) {
    if (isAdditional(item)) additional.push({ at: index, item })
    else rest.push(item)
  }
  kept._additional = additional
  return rest
}

function isAdditional(item: JsonObject): boolean {
  return item.type === 'additional_tools' && Array.isArray(item.tools)
}

function readToolMembers(body: JsonObject, turn: Turn, kept: JsonObject): void {
  if (Array.isArray(body.tools)) {
    turn.tools = readTools(body.tools, 'tools')
    if (turn.tools.length === 0) kept._noTools = true
  } else keep(kept, body, 'tools')
  for (const entry of list(kept._additional)) {
    if (!isObject(entry) || !isObject(entry.item)) continue
    const tools = readTools(entry.item.tools, `input[${count(entry.at) ?? 0}].tools`)
    entry.count = tools.length
    turn.tools.push(...tools)
  }
  const { choice, keep: other, memory } = readToolChoice(body.tool_choice)
  if (choice) turn.toolChoice = choice
  if (other !== undefined) kept.tool_choice = other
  if (memory !== undefined) kept._toolChoice = memory
  const parallel = flag(body.parallel_tool_calls)
  if (parallel === undefined) keep(kept, body, 'parallel_tool_calls')
  else turn.parallelToolCalls = parallel
}

function readAnswerForm(body: JsonObject, turn: Turn, kept: JsonObject): void {
  if (isObject(body.text)) {
    const memory = leftovers(body.text, TEXT_MEMBERS)
    const format = readFormat(body.text.format)
    if (format) {
      turn.output = format.output
      if (format.memory) kept._format = format.memory
    } else if (body.text.format !== undefined && body.text.format !== null) kept.text = { format: body.text.format }
    const verbosity = text(body.text.verbosity)
    if (verbosity !== undefined) turn.verbosity = verbosity
    kept._text = memory
  } else keep(kept, body, 'text')
  const { reasoning, asked, memory } = readReasoningWish(body.reasoning)
  if (reasoning) turn.reasoning = reasoning
  if (asked) kept.reasoning = asked
  if (memory) kept._reasoning = memory
  else keep(kept, body, 'reasoning')
  if (!Array.isArray(body.include)) return keep(kept, body, 'include')
  kept._include = body.include
  if (body.include.includes(LOGPROBS)) turn.logprobs = true
  const others = body.include.filter((each) => each !== SEALED_THOUGHTS && each !== LOGPROBS)
  if (others.length > 0) kept.include = others
}

function readSampling(body: JsonObject, turn: Turn, kept: JsonObject): void {
  const cap = count(body.max_output_tokens)
  if (cap === undefined) keep(kept, body, 'max_output_tokens')
  else turn.maxOutputTokens = cap
  const temperature = number(body.temperature)
  if (temperature === undefined) keep(kept, body, 'temperature')
  else turn.temperature = temperature
  const topP = number(body.top_p)
  if (topP === undefined) keep(kept, body, 'top_p')
  else turn.topP = topP
  const topLogprobs = count(body.top_logprobs)
  if (topLogprobs === undefined) keep(kept, body, 'top_logprobs')
  else turn.topLogprobs = topLogprobs
}

function readCaller(body: JsonObject, turn: Turn, kept: JsonObject): void {
  const user = text(body.user)
  const safety = text(body.safety_identifier)
  if (user !== undefined) {
    turn.user = user
    if (safety !== undefined) kept.safety_identifier = safety
  } else if (safety !== undefined) {
    // The newer name for the same thing.
    turn.user = safety
    kept._user = 'safety_identifier'
  }
  if (typeof body.user !== 'string') keep(kept, body, 'user')
  if (typeof body.safety_identifier !== 'string') keep(kept, body, 'safety_identifier')
  const cacheKey = text(body.prompt_cache_key)
  if (cacheKey === undefined) keep(kept, body, 'prompt_cache_key')
  else turn.cacheKey = cacheKey
  const tier = text(body.service_tier)
  if (tier === undefined) keep(kept, body, 'service_tier')
  else turn.serviceTier = tier
  const store = flag(body.store)
  if (store === undefined) keep(kept, body, 'store')
  else turn.store = store
  if (isObject(body.metadata)) turn.metadata = body.metadata
  else keep(kept, body, 'metadata')
}
