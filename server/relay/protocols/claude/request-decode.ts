import { isObject, type Json, type JsonObject } from '../../../../contract/json.ts'
import type { Block, Extensions, Message, OutputFormat, Turn } from '../canonical.ts'
import { WireError } from '../protocol.ts'
import { decodeContent } from './block.ts'
import { readThinking } from './thinking.ts'
import { readToolChoice, readTools } from './tools.ts'
import { count, number, OWN, rest, text } from './wire.ts'

const TURN_MEMBERS = new Set([
  'model',
  'stream',
  'system',
  'messages',
  'tools',
  'tool_choice',
  'max_tokens',
  'temperature',
  'top_p',
  'top_k',
  'stop_sequences',
  'thinking',
  'output_config',
  'output_format',
  'metadata',
  'service_tier',
])
const MESSAGE_MEMBERS = new Set(['role', 'content'])
const OUTPUT_MEMBERS = new Set(['effort', 'format'])
const FORMAT_MEMBERS = new Set(['type', 'schema'])
const METADATA_MEMBERS = new Set(['user_id'])

/**
 * Reads a Messages request. What the canonical turn has no name for is kept in `ext.claude` under its own name.
 * @throws WireError when `model` or `messages` is missing or of the wrong type, or a message cannot be understood
 */
export function decodeRequest(body: JsonObject): Turn {
  if (typeof body.model !== 'string') throw new WireError('model: must be a string', 'model')
  if (!Array.isArray(body.messages)) throw new WireError('messages: must be a list', 'messages')
  const kept: JsonObject = { ...rest(body, TURN_MEMBERS) }
  const turn: Turn = {
    model: body.model,
    stream: body.stream === true,
    system: decodeContent(body.system, 'request', 'system'),
    messages: body.messages.map(readMessage),
    tools: readTools(body.tools),
    ext: { [OWN]: kept },
  }
  nameResults(turn.messages)
  readChoice(body, turn, kept)
  readOutput(body, turn, kept)
  readSampling(body, turn)
  if (isObject(body.metadata)) {
    const user = text(body.metadata.user_id)
    if (user !== undefined) turn.user = user
    const more = rest(body.metadata, METADATA_MEMBERS)
    if (more) kept.metadata = more
  }
  return turn
}

function readMessage(message: Json, index: number): Message {
  const path = `messages.${index}`
  if (!isObject(message)) throw new WireError(`${path}: must be an object`, path)
  const { role } = message
  if (typeof role !== 'string') throw new WireError(`${path}.role: must be a string`, `${path}.role`)
  const known = role === 'user' || role === 'assistant' || role === 'system'
  const extra = rest(message, MESSAGE_MEMBERS)
  const kept: JsonObject | undefined = known ? extra : { ...extra, role }
  const ext: Extensions | undefined = kept && { [OWN]: kept }
  return { role: known ? role : 'user', content: decodeContent(message.content, 'request', `${path}.content`), ...(ext ? { ext } : {}) }
}

/** Results name their call by id only; Gemini also wants the function's name. */
function nameResults(messages: Message[]): void {
  const names = new Map<string, string>()
  for (const message of messages) {
    for (const block of message.content) {
      if (block.type === 'call') names.set(block.id, block.name)
      else if (block.type === 'result') nameResult(block, names)
    }
  }
}

function nameResult(block: Extract<Block, { type: 'result' }>, names: ReadonlyMap<string, string>): void {
  const name = names.get(block.callId)
  if (name !== undefined) block.name = name
}

function readChoice(body: JsonObject, turn: Turn, kept: JsonObject): void {
  const { choice, parallel, keep } = readToolChoice(body.tool_choice)
  if (choice) turn.toolChoice = choice
  if (parallel !== undefined) turn.parallelToolCalls = parallel
  if (keep) kept.tool_choice = keep
}

function readOutput(body: JsonObject, turn: Turn, kept: JsonObject): void {
  const config = isObject(body.output_config) ? body.output_config : undefined
  const { reasoning, keep } = readThinking(body.thinking, config?.effort)
  if (reasoning) turn.reasoning = reasoning
  if (keep) kept.thinking = keep
  const more: JsonObject = { ...(config && rest(config, OUTPUT_MEMBERS)) }
  const format = readFormat(config?.format)
  if (format) turn.output = format
  else if (isObject(config?.format)) more.format = config.format
  if (Object.keys(more).length > 0) kept.output_config = more
  // `output_format` is the beta's name of `output_config.format`.
  const beta = readFormat(body.output_format)
  if (beta && !turn.output) {
    turn.output = beta
    kept._outputFormat = true
  } else if (isObject(body.output_format)) kept.output_format = body.output_format
}

function readFormat(format: Json | undefined): OutputFormat | undefined {
  if (!isObject(format) || format.type !== 'json_schema' || !isObject(format.schema)) return undefined
  return rest(format, FORMAT_MEMBERS) ? undefined : { type: 'json_schema', schema: format.schema }
}

function readSampling(body: JsonObject, turn: Turn): void {
  const numbers = {
    maxOutputTokens: count(body.max_tokens),
    temperature: number(body.temperature),
    topP: number(body.top_p),
    topK: number(body.top_k),
  }
  for (const key of ['maxOutputTokens', 'temperature', 'topP', 'topK'] as const) {
    const value = numbers[key]
    if (value !== undefined) turn[key] = value
  }
  if (Array.isArray(body.stop_sequences)) turn.stop = body.stop_sequences.filter((each) => typeof each === 'string')
  const tier = text(body.service_tier)
  if (tier !== undefined) turn.serviceTier = tier
}
