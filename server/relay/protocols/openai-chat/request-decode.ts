import { isObject, type Json, type JsonObject } from '../../../../contract/json.ts'
import type { Block, Message, OutputFormat, Turn } from '../canonical.ts'
import { place } from '../places.ts'
import { WireError } from '../protocol.ts'
import { readReasoning, REASONING_MEMBERS } from './effort.ts'
import { ASSISTANT_MEMBERS, decodeAssistant, decodeContent } from './message.ts'
import { plainCallId } from './seals.ts'
import { decodeFunction, decodeTool, readToolChoice, writeToolChoice } from './tools.ts'
import { count, number, object, objects, OWN, own, rest, sameJson, text } from './wire.ts'

const MESSAGE = new Set(['role', 'name', 'content'])
const TOOL_MESSAGE = new Set(['role', 'name', 'content', 'tool_call_id'])

/** Members that have one canonical name and need no more than a look at their type. */
const SCALARS = [
  ['temperature', 'temperature', number],
  ['top_p', 'topP', number],
  ['seed', 'seed', number],
  ['presence_penalty', 'presencePenalty', number],
  ['frequency_penalty', 'frequencyPenalty', number],
  ['n', 'n', count],
  ['logprobs', 'logprobs', flag],
  ['top_logprobs', 'topLogprobs', count],
  ['logit_bias', 'logitBias', members],
  ['parallel_tool_calls', 'parallelToolCalls', flag],
  ['verbosity', 'verbosity', text],
  ['service_tier', 'serviceTier', text],
  ['prompt_cache_key', 'cacheKey', text],
  ['user', 'user', text],
  ['metadata', 'metadata', members],
  ['store', 'store', flag],
] as const

function flag(value: Json | undefined): boolean | undefined {
  return typeof value === 'boolean' ? value : undefined
}

function members(value: Json | undefined): JsonObject | undefined {
  return isObject(value) ? value : undefined
}

/** The names `SCALARS` gives to the members of a turn, for the way back. */
export const SCALAR_NAMES = SCALARS.map(([wire, canonical]) => [wire, canonical] as const)

/**
 * Reads a Chat Completions request. What the canonical model has no name for stays in `ext`; what it would write differently is
 * remembered there under `_name`.
 * @throws WireError when `model` or `messages` cannot be understood
 */
export function decodeRequest(body: JsonObject): Turn {
  if (typeof body.model !== 'string') throw new WireError('model must be a string', 'model')
  if (!Array.isArray(body.messages)) throw new WireError('messages must be a list', 'messages')
  const ext: JsonObject = {}
  const done = new Set(['model', 'messages', 'stream', 'tools', 'functions'])
  const turn: Turn = { model: body.model, stream: body.stream === true, system: [], messages: [], tools: [], ext: { [OWN]: ext } }
  if (body.stream !== undefined && body.stream !== true) ext._stream = body.stream

  const found: { [key: string]: unknown } = {}
  for (const [wire, canonical, read] of SCALARS) {
    const value = read(body[wire])
    if (value === undefined) continue
    found[canonical] = value
    done.add(wire)
  }
  Object.assign(turn, found)
  decodeMessages(body.messages, turn, ext)
  decodeTools(body, turn, ext, done)
  decodeOutput(body, turn, ext, done)
  decodeLimits(body, turn, ext, done)
  for (const [key, value] of Object.entries(body)) if (!done.has(key) && value !== undefined) ext[key] = value
  return turn
}

function decodeTools(body: JsonObject, turn: Turn, ext: JsonObject, done: Set<string>): void {
  if (Array.isArray(body.tools)) {
    turn.tools.push(...objects(body.tools).map(decodeTool))
    if (body.tools.length === 0) ext._tools = []
  } else if (body.tools !== undefined) ext._tools = body.tools
  for (const [index, definition] of objects(body.functions).entries()) {
    const tool = decodeFunction(definition, {})
    if (tool.type === 'function') tool.ext = { [OWN]: { ...tool.ext?.[OWN], _legacy: true } }
    turn.tools.push(place(tool, `functions[${index}]`))
  }
  const choice = readToolChoice(body.tool_choice)
  if (choice) {
    turn.toolChoice = choice
    done.add('tool_choice')
    if (!sameJson(writeToolChoice(choice, turn.tools), body.tool_choice)) ext._tool_choice = body.tool_choice
  }
  if (body.function_call === 'auto' || body.function_call === 'none') turn.toolChoice ??= { type: body.function_call }
  else {
    const name = text(object(body.function_call).name)
    if (name === undefined) return
    turn.toolChoice ??= { type: 'tool', name }
  }
  ext._function_call = body.function_call
  done.add('function_call')
}

function decodeOutput(body: JsonObject, turn: Turn, ext: JsonObject, done: Set<string>): void {
  const output = readOutput(body.response_format)
  if (output) {
    turn.output = output
    done.add('response_format')
    ext._response_format = body.response_format
  }
  if (Array.isArray(body.modalities) && body.modalities.every((each) => typeof each === 'string')) {
    turn.modalities = body.modalities.map((each) => each.toLowerCase())
    done.add('modalities')
    ext._modalities = body.modalities
  }
  const reasoning = readReasoning(body)
  if (!reasoning) return
  turn.reasoning = reasoning
  for (const member of REASONING_MEMBERS) {
    if (body[member] === undefined) continue
    done.add(member)
    ext[`_${member}`] = body[member]
  }
}

function readOutput(format: Json | undefined): OutputFormat | undefined {
  if (!isObject(format)) return undefined
  if (format.type === 'text') return { type: 'text' }
  if (format.type === 'json_object') return { type: 'json' }
  if (format.type !== 'json_schema' || !isObject(format.json_schema)) return undefined
  const { name, description, schema, strict } = format.json_schema
  return {
    type: 'json_schema',
    ...(typeof name === 'string' ? { name } : {}),
    ...(typeof description === 'string' ? { description } : {}),
    schema: object(schema),
    ...(typeof strict === 'boolean' ? { strict } : {}),
  }
}

function decodeLimits(body: JsonObject, turn: Turn, ext: JsonObject, done: Set<string>): void {
  const remember = (...names: string[]): void => {
    for (const name of names) {
      if (body[name] === undefined) continue
      done.add(name)
      ext[`_${name}`] = body[name]
    }
  }
  const cap = maxOutputTokens(body)
  if (cap !== undefined) {
    turn.maxOutputTokens = cap
    remember('max_tokens', 'max_completion_tokens')
  }
  const stop = typeof body.stop === 'string' ? [body.stop] : body.stop
  if (Array.isArray(stop) && stop.every((each) => typeof each === 'string')) {
    turn.stop = stop
    remember('stop')
  }
  const topK = count(body.top_k)
  if (topK !== undefined) {
    turn.topK = topK
    remember('top_k')
  }
  if (turn.user === undefined && typeof body.safety_identifier === 'string') turn.user = body.safety_identifier
  if (typeof body.safety_identifier === 'string') remember('safety_identifier')
  if (isObject(body.stream_options)) {
    done.add('stream_options')
    const others = rest(body.stream_options, new Set(['include_usage']))
    if (others) ext.stream_options = others
  }
}

/** The client's cap on output tokens, by its new or its old name. */
export function maxOutputTokens(body: JsonObject): number | undefined {
  return count(body.max_completion_tokens) ?? count(body.max_tokens)
}

/** One system message of the head: its role, how many blocks it has, and whether they were a list. */
export type SystemGroup = [role: string, blocks: number, form: string]

function decodeMessages(list: Json[], turn: Turn, ext: JsonObject): void {
  const groups: SystemGroup[] = []
  let head = true
  let legacyId = ''
  for (const [index, message] of list.entries()) {
    const path = `messages[${index}]`
    if (!isObject(message)) throw new WireError(`${path} must be an object`, path)
    const role = message.role
    if (role === 'tool' || role === 'function') {
      head = false
      addResult(turn.messages, message, legacyId, path)
      continue
    }
    const system = role === 'system' || role === 'developer'
    if (system && head && !rest(message, new Set(['role', 'content']))) {
      const blocks = decodeContent(message.content, `${path}.content`)
      for (const [part, block] of blocks.entries()) turn.system.push(place(block, partPath(message, path, part)))
      groups.push([role, blocks.length, formOf(message, blocks, false)])
      continue
    }
    head = false
    if (role === 'assistant') {
      const decoded = assistantMessage(message, index, path)
      legacyId = decoded.content.findLast((block) => block.type === 'call')?.id ?? legacyId
      turn.messages.push(place(decoded, path))
    } else turn.messages.push(place(plainMessage(message, system ? role : 'user', path), path))
  }
  if (groups.length > 0) ext._system = groups
}

/** Where a part of a message's content stands. */
function partPath(message: JsonObject, path: string, part: number): string {
  return Array.isArray(message.content) ? `${path}.content[${part}]` : `${path}.content`
}

/** Consecutive results are one message: that is what they answer, the calls of one turn. */
function addResult(messages: Message[], message: JsonObject, legacyId: string, path: string): void {
  const legacy = message.role === 'function'
  const content = decodeContent(message.content, `${path}.content`)
  const name = text(message.name)
  const result: Block = {
    type: 'result',
    callId: legacy ? legacyId : plainCallId(text(message.tool_call_id) ?? ''),
    ...(name === undefined ? {} : { name }),
    isError: false,
    content,
    ...own({ ...rest(message, TOOL_MESSAGE), ...form(message, content, false), ...(legacy ? { _legacy: true } : {}) }),
  }
  place(result, path)
  const last = messages.at(-1)
  if (last?.role === 'user' && last.content.length > 0 && last.content.every((block) => block.type === 'result')) last.content.push(result)
  else messages.push({ role: 'user', content: [result] })
}

function plainMessage(message: JsonObject, role: Message['role'], path: string): Message {
  const content = decodeContent(message.content, `${path}.content`)
  const name = text(message.name)
  const odd = message.role === role ? {} : { _role: message.role }
  return {
    role,
    content,
    ...(name === undefined ? {} : { name }),
    ...own({ ...rest(message, MESSAGE), ...form(message, content, false), ...odd }),
  }
}

function assistantMessage(message: JsonObject, index: number, path: string): Message {
  const content = decodeAssistant(message, path, (call) => `call_${index}_${call}`)
  const name = text(message.name)
  const extra: JsonObject = { ...rest(message, ASSISTANT_MEMBERS), ...form(message, content, true) }
  // Members that say nothing, or the same as another, have no block: they are only written back.
  for (const member of [
    'refusal',
    'reasoning_content',
    'reasoning',
    'reasoning_details',
    'tool_calls',
    'audio',
    'images',
    'annotations',
    'function_call',
  ]) {
    const value = message[member]
    const empty = value === null || value === '' || (Array.isArray(value) && value.length === 0)
    const again = member === 'reasoning' && typeof value === 'string' && typeof message.reasoning_content === 'string'
    if (empty || again) extra[`_${member}`] = value
  }
  if (message.cache_control !== undefined) extra.cache_control = message.cache_control
  return { role: 'assistant', content, ...(name === undefined ? {} : { name }), ...own(extra) }
}

function form(message: JsonObject, blocks: Block[], assistant: boolean): JsonObject {
  const found = formOf(message, blocks, assistant)
  return found === '' ? {} : { _content: found }
}

/** How `content` was written, where the encoder would choose another way; '' where it would not. */
function formOf(message: JsonObject, blocks: Block[], assistant: boolean): string {
  const { content } = message
  if (Array.isArray(content)) return 'parts'
  if (typeof content === 'string' && content !== '') return ''
  const calls = assistant && blocks.some((block) => block.type === 'call')
  if (content === undefined) return 'absent'
  if (content === null) return calls ? '' : 'null'
  return calls ? 'empty' : ''
}
