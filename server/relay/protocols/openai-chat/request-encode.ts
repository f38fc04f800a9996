import { isObject, type Json, type JsonObject } from '../../../../contract/json.ts'
import type { Loss, Turn } from '../canonical.ts'
import { extensionLosses } from '../loss.ts'
import { withoutCustom } from './custom.ts'
import { writeEffort } from './effort.ts'
import { writeForeignHead, writeMessages, writeNativeHead } from './talk.ts'
import { encodeTool, writeToolChoice } from './tools.ts'
import { maxOutputTokens, SCALAR_NAMES } from './request-decode.ts'
import { OWN, ownMembers, remembered } from './wire.ts'

/** OpenAI takes four; more is a 400. */
const MAX_STOPS = 4
/** Required with a schema, and told to no one. */
const SCHEMA_NAME = 'response'
/**
 * OpenAI's reasoning models refuse `max_tokens`; every other server that speaks this protocol knows it, while many ignore
 * `max_completion_tokens`, which would leave the answer without a cap.
 */
const NEW_CAP = /(^|\/)(o\d|gpt-[5-9]|codex|computer-use)/
/** The tiers the API documents. */
const TIERS = new Set(['auto', 'default', 'flex', 'priority', 'scale'])

/**
 * Writes a turn as a Chat Completions request. A turn this protocol spoke comes back as it was, except that a stream is always asked
 * for its usage; another's is fitted to what OpenAI and its many imitators take, and what they cannot is a Loss.
 */
export function encodeRequest(asked: Turn): { body: JsonObject; losses: Loss[] } {
  const losses: Loss[] = []
  const native = asked.ext?.[OWN] !== undefined
  const turn = native ? asked : withoutCustom(asked, losses)
  const head = native ? writeNativeHead(turn, losses) : writeForeignHead(turn, losses)
  const body: JsonObject = { model: turn.model, messages: [...head, ...writeMessages(turn.messages, native, losses)] }
  losses.push(...extensionLosses(turn.ext, OWN, '', 'Chat Completions has no such parameter'))
  writeStream(turn, body)
  if (native) writeNative(turn, body, losses)
  else writeForeign(turn, body, losses)
  return { body, losses }
}

function writeStream(turn: Turn, body: JsonObject): void {
  if (turn.stream) {
    const options = ownMembers(turn.ext).stream_options
    body.stream = true
    body.stream_options = { ...(isObject(options) ? options : {}), include_usage: true }
  } else {
    const written = remembered(turn.ext, 'stream')
    if (written !== undefined) body.stream = written
  }
}

function writeNative(turn: Turn, body: JsonObject, losses: Loss[]): void {
  const members = ownMembers(turn.ext)
  delete members.stream_options
  Object.assign(body, members, scalars(turn))
  for (const [key, value] of Object.entries(turn.ext?.[OWN] ?? {})) {
    if (key.startsWith('_') && key !== '_system' && key !== '_stream') body[key.slice(1)] = value
  }
  if (turn.toolChoice && body.tool_choice === undefined && body.function_call === undefined) {
    body.tool_choice = writeToolChoice(turn.toolChoice, turn.tools)
  }
  writeTools(turn, body, losses)
  // A cap the gateway set or changed is not the one remembered.
  if (turn.maxOutputTokens !== undefined && maxOutputTokens(body) !== turn.maxOutputTokens) writeCap(turn, body)
}

function scalars(turn: Turn): JsonObject {
  const found: JsonObject = {}
  for (const [wire, canonical] of SCALAR_NAMES) {
    const value = turn[canonical]
    if (value !== undefined) found[wire] = value
  }
  return found
}

function writeTools(turn: Turn, body: JsonObject, losses: Loss[]): void {
  const tools: JsonObject[] = []
  const functions: JsonObject[] = []
  for (const [index, tool] of turn.tools.entries()) {
    const written = encodeTool(tool, `tools[${index}]`, losses)
    if (!written) continue
    const legacy = tool.type === 'function' && remembered(tool.ext, 'legacy') === true
    ;(legacy ? functions : tools).push(written)
  }
  if (tools.length > 0) body.tools = tools
  if (functions.length > 0) body.functions = functions
}

function writeCap(turn: Turn, body: JsonObject): void {
  delete body.max_tokens
  delete body.max_completion_tokens
  if (turn.maxOutputTokens !== undefined) body[NEW_CAP.test(turn.model) ? 'max_completion_tokens' : 'max_tokens'] = turn.maxOutputTokens
}

function writeForeign(turn: Turn, body: JsonObject, losses: Loss[]): void {
  const { metadata, store, service_tier: tier, parallel_tool_calls: parallel, ...plain } = scalars(turn)
  Object.assign(body, plain)
  writeCap(turn, body)
  writeTools(turn, body, losses)
  // OpenAI refuses both without tools.
  if (Array.isArray(body.tools)) {
    if (turn.toolChoice) body.tool_choice = writeToolChoice(turn.toolChoice, turn.tools)
    if (parallel !== undefined) body.parallel_tool_calls = parallel
  }
  const effort = writeEffort(turn, losses)
  if (effort !== undefined) body.reasoning_effort = effort
  const output = writeOutput(turn)
  if (output) body.response_format = output
  if (turn.stop && turn.stop.length > 0) {
    body.stop = turn.stop.slice(0, MAX_STOPS)
    if (turn.stop.length > MAX_STOPS) losses.push({ path: 'stop', reason: `Chat Completions takes ${MAX_STOPS} stop sequences` })
  }
  if (turn.modalities?.some((each) => each !== 'text')) body.modalities = turn.modalities
  if (turn.topK !== undefined) losses.push({ path: 'top_k', reason: 'Chat Completions has no top_k' })
  if (metadata !== undefined) losses.push({ path: 'metadata', reason: 'Chat Completions keeps metadata only of stored answers' })
  if (store === true) losses.push({ path: 'store', reason: 'The answer is not stored' })
  if (typeof tier !== 'string') return
  if (TIERS.has(tier)) body.service_tier = tier
  else losses.push({ path: 'service_tier', reason: `Chat Completions has no service tier "${tier}"` })
}

function writeOutput(turn: Turn): Json | undefined {
  const { output } = turn
  if (!output || output.type === 'text') return undefined
  if (output.type === 'json') return { type: 'json_object' }
  return {
    type: 'json_schema',
    json_schema: {
      name: output.name ?? SCHEMA_NAME,
      ...(output.description === undefined ? {} : { description: output.description }),
      schema: output.schema,
      ...(output.strict === undefined ? {} : { strict: output.strict }),
    },
  }
}
