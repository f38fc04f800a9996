import { isObject } from '../../../../contract/json.ts'
import type { Json, JsonObject } from '../../../../contract/json.ts'

/** The levels of the request below which a kept member may stand; a dot elsewhere belongs to a member's name. */
const levels = ['generationConfig.thinkingConfig.', 'generationConfig.', 'toolConfig.functionCallingConfig.', 'toolConfig.']

/**
 * Keeps a member the canonical model has no name for under its path. Empty values ask for nothing; they are marked as a mere way
 * of writing. Marks of our own start with two underscores and are no members.
 */
export function keep(ext: JsonObject, path: string, value: Json | undefined): void {
  if (value === undefined) return
  const empty = value === null || (Array.isArray(value) && value.length === 0) || (isObject(value) && Object.keys(value).length === 0)
  ext[empty ? `_${path}` : path] = value
}

/** Puts the kept members back where they stood; what the encoder wrote there itself stays. */
export function restore(ext: JsonObject, body: JsonObject): void {
  for (const [key, value] of Object.entries(ext)) {
    if (value === undefined || key.startsWith('__')) continue
    const path = key.startsWith('_') ? key.slice(1) : key
    const level = levels.find((prefix) => path.startsWith(prefix)) ?? ''
    let at = body
    for (const step of level.split('.').slice(0, -1)) {
      const below: Json | undefined = at[step]
      const next: JsonObject = isObject(below) ? below : {}
      at[step] = next
      at = next
    }
    const name = path.slice(level.length)
    at[name] ??= value
  }
}
