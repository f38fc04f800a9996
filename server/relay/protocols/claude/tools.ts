import { isObject, type Json, type JsonObject } from '../../../../contract/json.ts'
import type { Loss, OutputFormat, Tool, ToolChoice, Turn } from '../canonical.ts'
import { extensionLosses } from '../loss.ts'
import { fromWireName, toWireName } from './names.ts'
import { OWN, own, ownMembers, readCache, rest, text, writeCache } from './wire.ts'

const TOOL_MEMBERS = new Set(['type', 'name', 'description', 'input_schema', 'strict', 'cache_control'])
/** A schema deeper than this is no honest one and would exhaust the stack. */
const MAX_SCHEMA_DEPTH = 64
/** Words of JSON Schema whose value is data. */
const DATA_WORDS = new Set(['enum', 'const', 'default', 'examples'])
/** Words of JSON Schema whose value is an object of schemas by name. */
const NAMING_WORDS = new Set(['properties', 'patternProperties', '$defs', 'definitions', 'dependentSchemas'])

/** Reads `tools`; server tools and anything else without an `input_schema` are kept whole. */
export function readTools(value: Json | undefined): Tool[] {
  if (!Array.isArray(value)) return []
  const tools: Tool[] = []
  for (const tool of value) if (isObject(tool)) tools.push(readTool(tool))
  return tools
}

function readTool(tool: JsonObject): Tool {
  const { name, input_schema: schema } = tool
  const plain = tool.type === undefined || tool.type === null || tool.type === 'custom'
  if (!plain || typeof name !== 'string' || !isObject(schema)) return { type: 'foreign', from: OWN, data: tool }
  const cache = readCache(tool.cache_control)
  const kept: JsonObject = { ...rest(tool, TOOL_MEMBERS) }
  if (!cache && isObject(tool.cache_control)) kept.cache_control = tool.cache_control
  if (tool.type === 'custom') kept._custom = true
  const description = text(tool.description)
  return {
    type: 'function',
    name: fromWireName(name),
    ...(description === undefined ? {} : { description }),
    schema,
    ...(typeof tool.strict === 'boolean' ? { strict: tool.strict } : {}),
    ...(cache ? { cache } : {}),
    ...own(Object.keys(kept).length > 0 ? kept : undefined),
  }
}

/** Reads `tool_choice`; `keep` is the whole of a choice we do not know. */
export function readToolChoice(value: Json | undefined): { choice?: ToolChoice; parallel?: boolean; keep?: JsonObject } {
  if (!isObject(value)) return {}
  const parallel = typeof value.disable_parallel_tool_use === 'boolean' ? { parallel: !value.disable_parallel_tool_use } : {}
  switch (value.type) {
    case 'auto':
    case 'none':
      return { choice: { type: value.type }, ...parallel }
    case 'any':
      return { choice: { type: 'required' }, ...parallel }
    case 'tool':
      return typeof value.name === 'string' ? { choice: { type: 'tool', name: fromWireName(value.name) }, ...parallel } : { keep: value }
    default:
      return { keep: value }
  }
}

/** Writes the tools a turn may use, in their order: moving one would destroy the customer's prompt cache. */
export function writeTools(turn: Turn, native: boolean, losses: Loss[]): JsonObject[] {
  const allowed = turn.toolChoice?.type === 'allowed' ? new Set(turn.toolChoice.names) : undefined
  const written: JsonObject[] = []
  for (const [index, tool] of turn.tools.entries()) {
    const path = `tools[${index}]`
    if (tool.type === 'foreign') {
      if (tool.from === OWN) written.push(tool.data)
      else losses.push({ path, reason: `Claude does not have this tool of ${tool.from}` })
      continue
    }
    losses.push(...extensionLosses(tool.ext, OWN, `${path}.`, 'Claude has no such member'))
    if (allowed && !allowed.has(tool.name)) continue
    written.push(tool.type === 'custom' ? writeCustom(tool, path, losses) : writeFunction(tool, path, native, losses))
  }
  return written
}

function writeFunction(tool: Extract<Tool, { type: 'function' }>, path: string, native: boolean, losses: Loss[]): JsonObject {
  let schema: JsonObject = tool.schema ?? { type: 'object', properties: {} }
  if (!native) {
    if (schema.type === undefined) schema = { type: 'object', ...schema }
    if (tool.strict) schema = closeObjects(schema, `${path}.parameters`, losses)
  }
  return {
    ...(tool.ext?.[OWN]?._custom ? { type: 'custom' } : {}),
    name: toWireName(tool.name),
    ...(tool.description === undefined ? {} : { description: tool.description }),
    input_schema: schema,
    // Not strict is the API's default; other protocols say it with every tool.
    ...(tool.strict || (native && tool.strict !== undefined) ? { strict: tool.strict } : {}),
    ...writeCache(tool.cache),
    ...ownMembers(tool.ext),
  }
}

/** A free-form tool as one whose only argument is the text; the answer's calls then have `{"input": "..."}`. */
function writeCustom(tool: Extract<Tool, { type: 'custom' }>, path: string, losses: Loss[]): JsonObject {
  const format = tool.format && tool.format.type !== 'text' ? tool.format : undefined
  if (format) losses.push({ path: `${path}.format`, reason: 'Claude cannot be held to a grammar; it was told in the description' })
  const grammar = format ? `\n\nThe input must have this format: ${text(format.definition) ?? JSON.stringify(format)}` : ''
  return {
    name: toWireName(tool.name),
    description: `${tool.description ?? ''}${grammar}`.trim(),
    input_schema: {
      type: 'object',
      properties: { input: { type: 'string', description: 'The whole input of the tool as text' } },
      required: ['input'],
      additionalProperties: false,
    },
  }
}

/** Writes `tool_choice`. The API takes none without tools; an allowed set was already carried out by leaving tools away. */
export function writeToolChoice(turn: Turn, native: boolean, tools: JsonObject[]): JsonObject | undefined {
  if (!native && tools.length === 0) return undefined
  const single = turn.parallelToolCalls === false
  const parallel = single || (native && turn.parallelToolCalls !== undefined) ? { disable_parallel_tool_use: single } : {}
  const choice = turn.toolChoice
  if (!choice) return single && !native ? { type: 'auto', ...parallel } : undefined
  switch (choice.type) {
    case 'auto':
      return { type: 'auto', ...parallel }
    case 'none':
      return native ? { type: 'none', ...parallel } : { type: 'none' }
    case 'required':
      return { type: 'any', ...parallel }
    case 'tool':
      return { type: 'tool', name: toWireName(choice.name), ...parallel }
    case 'allowed':
      return { type: choice.mode === 'required' ? 'any' : 'auto', ...parallel }
    default:
      return choice satisfies never
  }
}

/** Writes the `format` of `output_config`. */
export function writeFormat(output: OutputFormat | undefined, native: boolean, losses: Loss[]): JsonObject | undefined {
  if (!output || output.type === 'text') return undefined
  if (output.type === 'json') {
    losses.push({ path: 'response_format', reason: 'Claude answers in JSON only to a schema' })
    return undefined
  }
  if (output.description !== undefined) {
    losses.push({ path: 'response_format.description', reason: 'Claude takes a schema without a description' })
  }
  const schema = native ? output.schema : closeObjects(output.schema, 'response_format.schema', losses)
  return { type: 'json_schema', schema }
}

/**
 * Claude keeps to a schema only when its objects are closed, and refuses it otherwise. OpenAI's strict schemas are; in others
 * absent means open but is hardly ever meant, so it is closed, and only an object said to be open is a Loss.
 */
export function closeObjects(schema: JsonObject, path: string, losses: Loss[]): JsonObject {
  let opened = false
  /** @param names the keys of `value` are names of properties or definitions, not words of JSON Schema */
  function close(value: Json | undefined, depth: number, names: boolean): Json | undefined {
    if (depth > MAX_SCHEMA_DEPTH) return value
    if (Array.isArray(value)) return value.map((each) => close(each, depth + 1, false) ?? null)
    if (!isObject(value)) return value
    const closed: JsonObject = {}
    for (const key of Object.keys(value)) {
      closed[key] = !names && DATA_WORDS.has(key) ? value[key] : close(value[key], depth + 1, !names && NAMING_WORDS.has(key))
    }
    const isObjectSchema = value.type === 'object' || (Array.isArray(value.type) && value.type.includes('object'))
    if (!names && isObjectSchema && value.additionalProperties !== false) {
      opened ||= value.additionalProperties !== undefined
      closed.additionalProperties = false
    }
    return closed
  }
  const closed = close(schema, 0, false)
  if (opened) losses.push({ path, reason: 'Claude allows no additional properties' })
  return isObject(closed) ? closed : schema
}
