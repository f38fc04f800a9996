import { isObject } from '../../../../contract/json.ts'
import type { Json, JsonObject } from '../../../../contract/json.ts'
import type { Tool, ToolChoice, Turn } from '../canonical.ts'
import { place } from '../places.ts'
import { names } from './config.ts'
import { keep } from './extra.ts'
import { toJsonSchema } from './schema.ts'
import { GEMINI, camel, list, text } from './wire.ts'

/** Modes of functionCallingConfig that leave the model its choice; VALIDATED also holds it to the schema. */
const FREE_MODES = new Set(['AUTO', 'VALIDATED'])

/**
 * Reads `tools`. Google groups: one tool object may hold many declarations and server tools beside them. The canonical list is
 * flat; a grouping that request-encode.ts would not make by itself is kept as `__tools`.
 */
export function decodeTools(raw: Json | undefined, turn: Turn, ext: JsonObject): void {
  if (raw === undefined) return
  const groups = (isObject(raw) ? [raw] : list(raw)).filter(isObject)
  if (groups.length === 0) {
    keep(ext, 'tools', raw)
    return
  }
  const layout: Json[] = []
  for (const [at, group] of groups.entries()) {
    const shape: JsonObject = {}
    for (const [name, value] of Object.entries(camel(group))) {
      if (name === 'functionDeclarations' && Array.isArray(value)) {
        const declared = value.filter(isObject)
        for (const [index, row] of declared.entries())
          turn.tools.push(place(decodeDeclaration(row), `tools[${at}].functionDeclarations[${index}]`))
        shape[name] = declared.length
      } else {
        turn.tools.push(place({ type: 'foreign', from: GEMINI, data: { [name]: value } }, `tools[${at}].${name}`))
        shape[name] = -1
      }
    }
    layout.push(shape)
  }
  if (!isPlain(layout)) ext.__tools = layout
}

/** Each declaration list and each server tool in an object of its own, no two lists side by side. */
function isPlain(layout: Json[]): boolean {
  return layout.every((shape, index) => {
    if (!isObject(shape)) return false
    const keys = Object.keys(shape)
    const before = layout[index - 1]
    const declares = shape.functionDeclarations !== undefined
    return (
      keys.length === 1 && shape.functionDeclarations !== 0 && !(declares && isObject(before) && before.functionDeclarations !== undefined)
    )
  })
}

function decodeDeclaration(raw: JsonObject): Tool {
  const { name, description, parameters, parametersJsonSchema, ...rest } = camel(raw)
  const ext: JsonObject = { ...rest }
  const tool: Tool = { type: 'function', name: text(name) ?? '' }
  if (typeof description === 'string') tool.description = description
  if (isObject(parametersJsonSchema)) tool.schema = parametersJsonSchema
  else if (isObject(parameters)) {
    tool.schema = toJsonSchema(parameters)
    ext._parameters = parameters
  }
  if (Object.keys(ext).length > 0) tool.ext = { [GEMINI]: ext }
  return tool
}

/** Reads `toolConfig`; what has no name in the turn goes to `ext` under its path. */
export function decodeToolConfig(raw: JsonObject, turn: Turn, ext: JsonObject): void {
  const { functionCallingConfig, ...rest } = camel(raw)
  if (Object.keys(raw).length === 0) keep(ext, 'toolConfig', {})
  for (const [name, value] of Object.entries(rest)) keep(ext, `toolConfig.${name}`, value)
  if (!isObject(functionCallingConfig)) return
  const path = 'toolConfig.functionCallingConfig'
  const { mode, allowedFunctionNames, streamFunctionCallArguments, ...others } = camel(functionCallingConfig)
  if (Object.keys(functionCallingConfig).length === 0) keep(ext, path, {})
  for (const [name, value] of Object.entries(others)) keep(ext, `${path}.${name}`, value)
  // Only a way of sending: every other protocol streams arguments unasked.
  if (streamFunctionCallArguments !== undefined) ext[`_${path}.streamFunctionCallArguments`] = streamFunctionCallArguments
  const allowed = names(allowedFunctionNames)
  const choice = toChoice(mode, allowed)
  if (choice) turn.toolChoice = choice
  if (!choice || (choice.type === 'auto' && mode !== 'AUTO')) keep(ext, `${path}.mode`, mode)
  const used = choice !== undefined && (choice.type === 'tool' || choice.type === 'allowed')
  if (!used) keep(ext, `${path}.allowedFunctionNames`, allowedFunctionNames)
}

function toChoice(mode: Json | undefined, allowed: string[]): ToolChoice | undefined {
  const [first] = allowed
  if (mode === 'NONE') return { type: 'none' }
  if (mode === 'ANY') {
    if (first === undefined) return { type: 'required' }
    return allowed.length === 1 ? { type: 'tool', name: first } : { type: 'allowed', mode: 'required', names: allowed }
  }
  if (mode === 'VALIDATED' && first !== undefined) return { type: 'allowed', mode: 'auto', names: allowed }
  return typeof mode === 'string' && FREE_MODES.has(mode) ? { type: 'auto' } : undefined
}
