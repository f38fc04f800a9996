import { isObject, type Json, type JsonObject } from '../../../../contract/json.ts'

/** Whether an object has no member. */
export function isObjectEmpty(value: JsonObject): boolean {
  for (const key in value) if (value[key] !== undefined) return false
  return true
}

/** Puts members told piece by piece together as OpenAI's SDKs do: texts and lists appended, objects merged, the rest replaced. */
export function mergeMembers(into: JsonObject | undefined, pieces: JsonObject | undefined): JsonObject | undefined {
  if (!pieces) return into
  const merged: JsonObject = { ...into }
  for (const [key, value] of Object.entries(pieces)) {
    if (value !== undefined && value !== null) merged[key] = mergeValue(merged[key], value)
  }
  return merged
}

function mergeValue(into: Json | undefined, piece: Json): Json {
  if (typeof into === 'string' && typeof piece === 'string') return into + piece
  if (Array.isArray(into) && Array.isArray(piece)) return [...into, ...piece]
  if (isObject(into) && isObject(piece)) return mergeMembers(into, piece) ?? into
  return piece
}
