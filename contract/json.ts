/** Any JSON value, as `JSON.parse` gives it. */
export type Json = string | number | boolean | null | Json[] | { [key: string]: Json | undefined }

/** A JSON object; `undefined` members are left out when it is written. */
export type JsonObject = { [key: string]: Json | undefined }

/** True for objects that are neither null nor arrays. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
