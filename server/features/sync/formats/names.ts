import { MAX_MODEL_NAME } from '../../../../contract/api/models.ts'
import { isObject, type Json } from '../../../../contract/json.ts'
import { MAX_ITEMS } from '../feed.ts'

const WRAPPERS = ['data', 'models', 'list', 'items']
const MAX_WRAPPERS = 4

/**
 * Names of a model list: OpenAI's and Claude's `{data:[{id}]}`, Gemini's `{models:[{name:"models/x"}]}`, one-api's
 * `{data:{"1":["x"]}}`, plain lists of names, and maps by name. Sorted, unique, without what cannot be a name.
 */
export function readNames(payload: Json): string[] {
  const names = new Set<string>()
  collect(payload, names, 0)
  return [...names].sort((a, b) => (a < b ? -1 : 1)).slice(0, MAX_ITEMS)
}

function collect(value: Json | undefined, names: Set<string>, depth: number): void {
  if (depth > MAX_WRAPPERS || value === undefined || value === null) return
  if (Array.isArray(value)) {
    for (const row of value) {
      if (names.size >= MAX_ITEMS) return
      const name =
        typeof row === 'string' ? row : isObject(row) ? (row['id'] ?? row['model'] ?? row['model_name'] ?? row['name']) : undefined
      if (typeof name === 'string') add(name, names)
    }
    return
  }
  if (!isObject(value)) return
  const wrapper = WRAPPERS.find((name) => typeof value[name] === 'object' && value[name] !== null)
  if (wrapper !== undefined) return collect(value[wrapper], names, depth + 1)
  for (const [name, member] of Object.entries(value)) {
    if (Array.isArray(member)) collect(member, names, depth + 1)
    else if (isObject(member) && depth > 0) add(name, names)
  }
}

function add(text: string, names: Set<string>): void {
  const name = text.trim().replace(/^models\//, '')
  if (name !== '' && name.length <= MAX_MODEL_NAME && !/\p{Cc}/u.test(name)) names.add(name)
}
