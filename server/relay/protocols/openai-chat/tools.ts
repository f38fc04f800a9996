import { isObject, type Json, type JsonObject } from '../../../../contract/json.ts'
import type { Loss, Tool, ToolChoice } from '../canonical.ts'
import { extensionLosses } from '../loss.ts'
import { keepCache, readCache, writeCache } from './block.ts'
import { object, objects, OWN, own, ownMembers, remembered, rest, text } from './wire.ts'

const TOOL = new Set(['type', 'function', 'cache_control'])
const FUNCTION = new Set(['name', 'description', 'parameters', 'strict'])
const CUSTOM_TOOL = new Set(['type', 'custom'])
const CUSTOM = new Set(['name', 'description', 'format'])

/** Reads one entry of `tools`; a vendor's own tool is kept whole. */
export function decodeTool(entry: JsonObject): Tool {
  if (entry.type === 'custom' && isObject(entry.custom) && typeof entry.custom.name === 'string') {
    const { name, description, format } = entry.custom
    const flat = readFormat(format)
    return {
      type: 'custom',
      name,
      ...(typeof description === 'string' ? { description } : {}),
      ...(flat ? { format: flat } : {}),
      ...own({ ...rest(entry, CUSTOM_TOOL), ...inner('custom', rest(entry.custom, CUSTOM)) }),
    }
  }
  if (entry.type !== undefined && entry.type !== 'function') return { type: 'foreign', from: OWN, data: entry }
  if (!isObject(entry.function) || typeof entry.function.name !== 'string') return { type: 'foreign', from: OWN, data: entry }
  return decodeFunction(entry.function, entry)
}

/** Reads a function; `entry` is what it is wrapped in, nothing for the legacy `functions` list. */
export function decodeFunction(source: JsonObject, entry: JsonObject): Tool {
  const { name, description, parameters, strict } = source
  const extra: JsonObject = { ...rest(source, FUNCTION) }
  if (description !== undefined && typeof description !== 'string') extra.description = description
  if (parameters !== undefined && !isObject(parameters)) extra.parameters = parameters
  if (strict !== undefined && typeof strict !== 'boolean') extra.strict = strict
  const cache = readCache(entry)
  return {
    type: 'function',
    name: text(name) ?? '',
    ...(typeof description === 'string' ? { description } : {}),
    ...(isObject(parameters) ? { schema: parameters } : {}),
    ...(typeof strict === 'boolean' ? { strict } : {}),
    ...(cache ? { cache } : {}),
    ...own({
      ...rest(entry, TOOL),
      ...keepCache(entry, cache),
      ...inner('function', extra),
      ...(entry.type === undefined ? { _untyped: true } : {}),
    }),
  }
}

function inner(name: string, members: JsonObject | undefined): JsonObject {
  return members && Object.keys(members).length > 0 ? { [name]: members } : {}
}

/** Chat nests a grammar where the canonical form, which is that of Responses, has it flat. */
function readFormat(format: Json | undefined): JsonObject | undefined {
  if (!isObject(format)) return undefined
  return format.type === 'grammar' && isObject(format.grammar) ? { type: 'grammar', ...format.grammar } : format
}

function writeFormat(format: JsonObject): JsonObject {
  if (format.type !== 'grammar') return format
  const { type, ...grammar } = format
  return { type, grammar }
}

/** Writes a tool; undefined, with a Loss, for another maker's server tool. */
export function encodeTool(tool: Tool, path: string, losses: Loss[]): JsonObject | undefined {
  if (tool.type === 'foreign') {
    if (tool.from === OWN) return tool.data
    losses.push({ path, reason: `Chat Completions has no ${text(tool.data.type) ?? 'such'} tool` })
    return undefined
  }
  losses.push(...extensionLosses(tool.ext, OWN, `${path}.`, 'Chat Completions has no such member'))
  const members = ownMembers(tool.ext)
  const kind = tool.type
  const extra = object(members[kind])
  delete members[kind]
  const described = tool.description === undefined ? {} : { description: tool.description }
  if (tool.type === 'custom') {
    const format = tool.format ? { format: writeFormat(tool.format) } : {}
    return { type: 'custom', custom: { name: tool.name, ...described, ...format, ...extra }, ...members }
  }
  const definition = {
    name: tool.name,
    ...described,
    ...(tool.schema ? { parameters: tool.schema } : {}),
    ...(tool.strict === undefined ? {} : { strict: tool.strict }),
    ...extra,
  }
  if (remembered(tool.ext, 'legacy') === true) return definition
  return {
    ...(remembered(tool.ext, 'untyped') === true ? {} : { type: 'function' }),
    function: definition,
    ...writeCache(tool, path, losses),
    ...members,
  }
}

/** Reads `tool_choice`; undefined for what we do not know. */
export function readToolChoice(choice: Json | undefined): ToolChoice | undefined {
  switch (choice) {
    case 'auto':
    case 'none':
    case 'required':
      return { type: choice }
    case 'any':
      // Mistral's word.
      return { type: 'required' }
    default:
      break
  }
  if (!isObject(choice)) return undefined
  const named = choice.type === 'custom' ? choice.custom : choice.type === 'function' ? choice.function : undefined
  if (isObject(named) && typeof named.name === 'string') return { type: 'tool', name: named.name }
  if (choice.type !== 'allowed_tools') return undefined
  const allowed = object(choice.allowed_tools)
  const names = objects(allowed.tools).map((tool) => text(object(tool.function ?? tool.custom).name))
  if (!names.every((name) => name !== undefined)) return undefined
  return { type: 'allowed', mode: allowed.mode === 'required' ? 'required' : 'auto', names }
}

/** Writes `tool_choice`; a named tool is called by its kind. */
export function writeToolChoice(choice: ToolChoice, tools: Tool[]): Json {
  const named = (name: string): JsonObject => {
    const custom = tools.some((tool) => tool.type === 'custom' && tool.name === name)
    return custom ? { type: 'custom', custom: { name } } : { type: 'function', function: { name } }
  }
  switch (choice.type) {
    case 'auto':
    case 'none':
    case 'required':
      return choice.type
    case 'tool':
      return named(choice.name)
    case 'allowed':
      return { type: 'allowed_tools', allowed_tools: { mode: choice.mode, tools: choice.names.map(named) } }
    default:
      return choice satisfies never
  }
}
