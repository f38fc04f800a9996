import { isObject, type Json, type JsonObject } from '../../../../contract/json.ts'
import { list } from './wire.ts'

/** Members of items and parts that hold words; everything else is framing, ids, seals and base64. */
const WORDS = ['text', 'refusal', 'name', 'arguments', 'input', 'output', 'code', 'query', 'instructions', 'transcript'] as const
const LISTS = ['content', 'summary', 'output'] as const
/** Deeper than any documented item; a body of the caller's must not exhaust the stack. */
const MAX_DEPTH = 8

/** The text of a whole answer. */
export function answerText(body: JsonObject): string {
  const words: string[] = []
  for (const item of list(body.output)) gather(item, words, 0)
  return words.join('\n')
}

/** The text of a whole request: instructions, talk, tools and the schema of the answer. */
export function requestText(body: JsonObject): string {
  const words: string[] = []
  if (typeof body.instructions === 'string') words.push(body.instructions)
  if (typeof body.input === 'string') words.push(body.input)
  else if (isObject(body.input)) gather(body.input, words, 0)
  for (const item of list(body.input)) {
    gather(item, words, 0)
    if (isObject(item) && Array.isArray(item.tools)) words.push(JSON.stringify(item.tools))
  }
  if (Array.isArray(body.tools) && body.tools.length > 0) words.push(JSON.stringify(body.tools))
  if (isObject(body.text) && isObject(body.text.format) && isObject(body.text.format.schema))
    words.push(JSON.stringify(body.text.format.schema))
  return words.join('\n')
}

function gather(value: Json, words: string[], depth: number): void {
  if (!isObject(value) || depth > MAX_DEPTH) return
  for (const member of WORDS) {
    const word = value[member]
    if (typeof word === 'string' && word !== '') words.push(word)
  }
  if (typeof value.content === 'string' && value.content !== '') words.push(value.content)
  for (const member of LISTS) for (const each of list(value[member])) gather(each, words, depth + 1)
  if (isObject(value.action)) gather(value.action, words, depth + 1)
}
