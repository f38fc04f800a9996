import { isObject } from '../../../../contract/json.ts'
import type { JsonObject } from '../../../../contract/json.ts'
import type { Loss, Tool, ToolChoice, Turn } from '../canonical.ts'
import { extensionLosses } from '../loss.ts'
import { toOpenApiSchema } from './schema.ts'
import { GEMINI, needsOpenApiSchema } from './wire.ts'

/** Tools as Google groups them: declarations next to each other in one object, each server tool in its own. */
export function encodeTools(turn: Turn, losses: Loss[]): JsonObject[] {
  const openApi = needsOpenApiSchema(turn.model)
  const encoded = turn.tools.map((tool, index) => encodeTool(tool, `tools[${index}]`, openApi, losses))
  const layout = turn.ext?.[GEMINI]?.__tools
  const kept = Array.isArray(layout) ? regroup(encoded, layout.filter(isObject)) : undefined
  if (kept) return kept
  const groups: JsonObject[] = []
  let open: JsonObject[] | undefined
  for (const tool of encoded) {
    if (!tool) continue
    if (!tool.declaration) {
      groups.push(tool.other)
      open = undefined
    } else if (open) open.push(tool.declaration)
    else {
      open = [tool.declaration]
      groups.push({ functionDeclarations: open })
    }
  }
  return groups
}

type Encoded = { declaration: JsonObject; other?: undefined } | { declaration?: undefined; other: JsonObject } | undefined

/** The grouping the request came with; undefined when the tools are no longer the ones it describes. */
function regroup(encoded: Encoded[], layout: JsonObject[]): JsonObject[] | undefined {
  let next = 0
  const groups: JsonObject[] = []
  for (const shape of layout) {
    const group: JsonObject = {}
    for (const [name, size] of Object.entries(shape)) {
      if (name === 'functionDeclarations' && typeof size === 'number' && size >= 0) {
        const rows = encoded.slice(next, next + size).map((tool) => tool?.declaration)
        if (rows.length !== size || rows.includes(undefined)) return undefined
        group[name] = rows.filter((row) => row !== undefined)
        next += size
      } else {
        const other = encoded[next++]?.other
        if (!other || !Object.hasOwn(other, name)) return undefined
        group[name] = other[name]
      }
    }
    groups.push(group)
  }
  return next === encoded.length ? groups : undefined
}

function encodeTool(tool: Tool, path: string, openApi: boolean, losses: Loss[]): Encoded {
  if (tool.type === 'foreign') {
    if (tool.from === GEMINI) return { other: tool.data }
    losses.push({ path, reason: `a tool only ${tool.from} has` })
    return undefined
  }
  losses.push(...extensionLosses(tool.ext, GEMINI, `${path}.`, 'Gemini has no name for it'))
  if (tool.type === 'custom') return { declaration: customDeclaration(tool, path, losses) }
  if (tool.cache) losses.push({ path: `${path}.cache_control`, reason: 'Gemini caches by itself; it takes no cache marks' })
  const { _parameters, ...rest } = tool.ext?.[GEMINI] ?? {}
  const declaration: JsonObject = { name: tool.name }
  if (tool.description !== undefined) declaration.description = tool.description
  if (isObject(_parameters)) declaration.parameters = _parameters
  else if (tool.schema && openApi) {
    const { schema, dropped } = toOpenApiSchema(tool.schema)
    // A parameterless function has no parameters: an OBJECT without properties is refused.
    if (isObject(schema.properties) && Object.keys(schema.properties).length > 0) declaration.parameters = schema
    for (const keyword of dropped) losses.push({ path: `${path}.parameters.${keyword}`, reason: 'this model reads an OpenAPI subset only' })
  } else if (tool.schema) declaration.parametersJsonSchema = tool.schema
  return { declaration: { ...declaration, ...rest } }
}

/** A free-form tool as a function of one text, `input`; the grammar can only be told, not enforced. */
function customDeclaration(tool: Extract<Tool, { type: 'custom' }>, path: string, losses: Loss[]): JsonObject {
  const definition = tool.format?.definition
  let description = tool.description ?? ''
  if (tool.format && tool.format.type !== 'text') {
    losses.push({ path: `${path}.format`, reason: 'Gemini cannot hold a tool to a grammar; it is told in the description' })
    if (typeof definition === 'string') description += `\n\nThe input must follow this grammar:\n${definition}`
  }
  return {
    name: tool.name,
    ...(description !== '' && { description }),
    parametersJsonSchema: { type: 'object', properties: { input: { type: 'string' } }, required: ['input'] },
  }
}

/** `toolConfig` for a tool choice. VALIDATED holds calls to their schema, which is what `strict` asks for. */
export function encodeToolConfig(turn: Turn, losses: Loss[]): JsonObject | undefined {
  const own = turn.ext?.[GEMINI]
  if (turn.parallelToolCalls === false) losses.push({ path: 'parallel_tool_calls', reason: 'Gemini cannot be held to one call at a time' })
  const strict = !own && turn.tools.some((tool) => tool.type === 'function' && tool.strict === true)
  const config = turn.toolChoice ? encodeChoice(turn.toolChoice, strict) : strict ? { mode: 'VALIDATED' } : undefined
  if (!config) return undefined
  const mode = own?.['toolConfig.functionCallingConfig.mode']
  return { functionCallingConfig: mode === undefined ? config : { ...config, mode } }
}

function encodeChoice(choice: ToolChoice, strict: boolean): JsonObject {
  switch (choice.type) {
    case 'auto':
      return { mode: strict ? 'VALIDATED' : 'AUTO' }
    case 'none':
      return { mode: 'NONE' }
    case 'required':
      return { mode: 'ANY' }
    case 'tool':
      return { mode: 'ANY', allowedFunctionNames: [choice.name] }
    case 'allowed':
      return { mode: choice.mode === 'required' ? 'ANY' : 'VALIDATED', allowedFunctionNames: choice.names }
  }
}
