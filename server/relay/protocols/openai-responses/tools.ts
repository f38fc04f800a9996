import { isObject, type Json, type JsonObject } from '../../../../contract/json.ts'
import type { Loss, OutputFormat, Tool, ToolChoice, Turn } from '../canonical.ts'
import { extensionLosses } from '../loss.ts'
import { place } from '../places.ts'
import { NO_MEMBER } from './block-encode.ts'
import { joinName, splitName, toWireName } from './names.ts'
import { flag, isNative, leftovers, list, object, OWN, own, ownMembers, remembered, text } from './wire.ts'

const FUNCTION_MEMBERS = new Set(['type', 'name', 'description', 'parameters', 'strict'])
const CUSTOM_MEMBERS = new Set(['type', 'name', 'description', 'format'])
const FORMAT_MEMBERS = new Set(['type', 'name', 'description', 'schema', 'strict'])

/**
 * Reads a list of tools. The tools of a `namespace` (Codex, for models it does not know) become tools of their own under a joined
 * name, so that every upstream can have them; each remembers the namespace it stood in.
 * @param path what the list is called in the body
 */
export function readTools(value: Json | undefined, path = 'tools'): Tool[] {
  const tools: Tool[] = []
  for (const [index, tool] of list(value).entries()) {
    if (!isObject(tool)) continue
    const at = `${path}[${index}]`
    tools.push(...(readNamespace(tool, at) ?? [place(readTool(tool), at)]))
  }
  return tools
}

function readNamespace(tool: JsonObject, path: string): Tool[] | undefined {
  if (tool.type !== 'namespace' || typeof tool.name !== 'string' || !Array.isArray(tool.tools) || tool.tools.length === 0) return undefined
  const { tools: members, ...namespace } = tool
  const tools: Tool[] = []
  for (const member of list(members)) {
    const read = isObject(member) ? readTool(member, tool.name) : undefined
    // One tool nobody knows among them: the namespace is kept whole.
    if (!read || read.type === 'foreign') return undefined
    read.ext = { ...read.ext, [OWN]: { ...read.ext?.[OWN], _namespace: namespace, ...(tools.length === 0 ? { _first: true } : {}) } }
    tools.push(place(read, `${path}.tools[${tools.length}]`))
  }
  return tools
}

function readTool(tool: JsonObject, namespace?: string): Tool {
  const name = text(tool.name)
  const custom = tool.type === 'custom'
  if (name === undefined || (!custom && tool.type !== 'function')) return { type: 'foreign', from: OWN, data: tool }
  const description = text(tool.description)
  const head = { name: joinName(namespace, name), ...(description === undefined ? {} : { description }) }
  if (custom) {
    return { type: 'custom', ...head, ...(isObject(tool.format) ? { format: tool.format } : {}), ...own(leftovers(tool, CUSTOM_MEMBERS)) }
  }
  const strict = flag(tool.strict)
  return {
    type: 'function',
    ...head,
    ...(isObject(tool.parameters) ? { schema: tool.parameters } : {}),
    ...(strict === undefined ? {} : { strict }),
    ...own(leftovers(tool, FUNCTION_MEMBERS)),
  }
}

/** Reads `tool_choice`; `keep` is the whole of a choice the canonical model has no form for, `memory` how a known one was written. */
export function readToolChoice(value: Json | undefined): { choice?: ToolChoice; keep?: Json; memory?: Json } {
  if (value === undefined || value === null) return {}
  if (value === 'auto' || value === 'none' || value === 'required') return { choice: { type: value } }
  if (!isObject(value)) return { keep: value }
  const name = text(value.name)
  if ((value.type === 'function' || value.type === 'custom') && name !== undefined) {
    return { choice: { type: 'tool', name: joinName(text(value.namespace), name) }, memory: value }
  }
  if (value.type === 'allowed_tools' && (value.mode === 'auto' || value.mode === 'required') && Array.isArray(value.tools)) {
    const names: string[] = []
    for (const tool of value.tools) {
      const named = isObject(tool) && (tool.type === 'function' || tool.type === 'custom') ? text(tool.name) : undefined
      if (!isObject(tool) || named === undefined) return { keep: value }
      names.push(joinName(text(tool.namespace), named))
    }
    return { choice: { type: 'allowed', mode: value.mode, names }, memory: value }
  }
  return { keep: value }
}

/** Writes tools in their order: moving one would destroy the customer's prompt cache. */
export function writeTools(tools: Tool[], turn: Turn, losses: Loss[]): JsonObject[] {
  const native = isNative(turn)
  const written: JsonObject[] = []
  let namespace: JsonObject | undefined
  for (const [index, tool] of tools.entries()) {
    const path = `tools[${index}]`
    if (tool.type === 'foreign') {
      namespace = undefined
      if (tool.from === OWN) written.push(tool.data)
      else losses.push({ path, reason: `OpenAI does not have this tool of ${tool.from}` })
      continue
    }
    losses.push(...extensionLosses(tool.ext, OWN, `${path}.`, NO_MEMBER))
    if ('cache' in tool && tool.cache)
      losses.push({ path: `${path}.cache_control`, reason: 'OpenAI caches prompts by itself, without marks' })
    const within = remembered(tool.ext, 'namespace')
    const one = tool.type === 'custom' ? writeCustom(tool, native) : writeFunction(tool, native)
    if (!isObject(within)) {
      namespace = undefined
      written.push(one)
      continue
    }
    if (!namespace || remembered(tool.ext, 'first') === true) {
      namespace = { ...within, tools: [] }
      written.push(namespace)
    }
    namespace.tools = [...list(namespace.tools), one]
  }
  return written
}

function nameOf(tool: Exclude<Tool, { type: 'foreign' }>, native: boolean): string {
  if (isObject(remembered(tool.ext, 'namespace'))) return splitName(tool.name).name
  return native ? tool.name : toWireName(tool.name)
}

function writeFunction(tool: Extract<Tool, { type: 'function' }>, native: boolean): JsonObject {
  // Without a word OpenAI takes a function for strict and refuses most schemas that were not written for that.
  const strict = native ? tool.strict : (tool.strict ?? false)
  const schema = tool.schema ?? (native ? undefined : { type: 'object', properties: {} })
  return {
    ...ownMembers(tool.ext),
    type: 'function',
    name: nameOf(tool, native),
    ...(tool.description === undefined ? {} : { description: tool.description }),
    ...(schema ? { parameters: schema } : {}),
    ...(strict === undefined ? {} : { strict }),
  }
}

function writeCustom(tool: Extract<Tool, { type: 'custom' }>, native: boolean): JsonObject {
  return {
    ...ownMembers(tool.ext),
    type: 'custom',
    name: nameOf(tool, native),
    ...(tool.description === undefined ? {} : { description: tool.description }),
    ...(tool.format ? { format: tool.format } : {}),
  }
}

/** Writes `tool_choice`. A choice without tools is refused by the API and says nothing. */
export function writeToolChoice(turn: Turn): Json | undefined {
  const native = isNative(turn)
  const choice = turn.toolChoice
  if (!choice || (!native && turn.tools.length === 0)) return undefined
  const memory = remembered(turn.ext, 'toolChoice')
  switch (choice.type) {
    case 'auto':
    case 'none':
    case 'required':
      return choice.type
    case 'tool':
      return isObject(memory) && text(memory.name) !== undefined ? memory : toolEntry(choice.name, turn)
    case 'allowed': {
      if (isObject(memory) && Array.isArray(memory.tools)) return memory
      return { type: 'allowed_tools', mode: choice.mode, tools: choice.names.map((name) => toolEntry(name, turn)) }
    }
    default:
      return choice satisfies never
  }
}

function toolEntry(name: string, turn: Turn): JsonObject {
  const custom = turn.tools.some((tool) => tool.type === 'custom' && tool.name === name)
  return { type: custom ? 'custom' : 'function', name: isNative(turn) ? name : toWireName(name) }
}

/** Reads `text.format`; undefined for one we do not know. */
export function readFormat(value: Json | undefined): { output: OutputFormat; memory?: JsonObject } | undefined {
  if (!isObject(value)) return undefined
  if (value.type === 'text') return { output: { type: 'text' } }
  if (value.type === 'json_object') return { output: { type: 'json' } }
  if (value.type !== 'json_schema' || !isObject(value.schema)) return undefined
  const name = text(value.name)
  const description = text(value.description)
  const strict = flag(value.strict)
  const output: OutputFormat = {
    type: 'json_schema',
    ...(name === undefined ? {} : { name }),
    ...(description === undefined ? {} : { description }),
    schema: value.schema,
    ...(strict === undefined ? {} : { strict }),
  }
  const memory = leftovers(value, FORMAT_MEMBERS)
  return Object.keys(memory).length > 0 ? { output, memory } : { output }
}

/** Writes `text.format`. */
export function writeFormat(turn: Turn): JsonObject | undefined {
  const { output } = turn
  if (!output) return undefined
  if (output.type === 'text') return { type: 'text' }
  if (output.type === 'json') return { type: 'json_object' }
  const { name, description, schema, strict } = output
  // The API requires a name, which other protocols do not have.
  const named = name ?? (isNative(turn) ? undefined : 'answer')
  return {
    ...ownMembers({ [OWN]: object(remembered(turn.ext, 'format')) }),
    type: 'json_schema',
    ...(named === undefined ? {} : { name: named }),
    ...(description === undefined ? {} : { description }),
    schema,
    ...(strict === undefined ? {} : { strict }),
  }
}
