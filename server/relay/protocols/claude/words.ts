import { isObject, type Json, type JsonObject } from '../../../../contract/json.ts'
import { text } from './wire.ts'

/** Members that are bytes, marks or machine words, not text the model reads or writes. */
const NOT_TEXT = new Set([
  'type',
  'id',
  'tool_use_id',
  'data',
  'signature',
  'encrypted_content',
  'encrypted_index',
  'cache_control',
  'media_type',
  'file_id',
  'role',
])
/** Deeper nesting than any honest block's; what lies below is not counted. */
const MAX_DEPTH = 64

/** The words the model wrote in a whole answer: texts, thoughts, and the inputs of tools. What server tools found is not its own. */
export function answerText(body: JsonObject): string {
  const words: string[] = []
  if (!Array.isArray(body.content)) return ''
  for (const block of body.content) {
    if (!isObject(block)) continue
    const said = text(block.text) ?? text(block.thinking)
    if (said !== undefined) words.push(said)
    else if (isObject(block.input)) words.push(JSON.stringify(block.input))
    else if (block.type === 'compaction') words.push(text(block.content) ?? '')
  }
  return words.join('\n')
}

/** The words of a request without its framing: system, messages, tools and the schema of the answer; no base64, no signatures. */
export function requestText(body: JsonObject): string {
  const words: string[] = []
  gather(body.system, words, 0)
  if (Array.isArray(body.messages)) for (const message of body.messages) if (isObject(message)) gather(message.content, words, 0)
  if (Array.isArray(body.tools)) for (const tool of body.tools) if (isObject(tool)) gatherTool(tool, words)
  if (isObject(body.output_config) && isObject(body.output_config.format)) words.push(JSON.stringify(body.output_config.format))
  return words.join('\n')
}

function gatherTool(tool: JsonObject, words: string[]): void {
  if (!isObject(tool.input_schema)) return gather(tool, words, 0)
  words.push(text(tool.name) ?? '', text(tool.description) ?? '', JSON.stringify(tool.input_schema))
}

function gather(value: Json | undefined, words: string[], depth: number): void {
  if (typeof value === 'string') words.push(value)
  else if (depth >= MAX_DEPTH) return
  else if (Array.isArray(value)) for (const each of value) gather(each, words, depth + 1)
  else if (isObject(value)) gatherBlock(value, words, depth)
}

function gatherBlock(block: JsonObject, words: string[], depth: number): void {
  if (block.type === 'tool_use' && isObject(block.input)) {
    words.push(text(block.name) ?? '', JSON.stringify(block.input))
    return
  }
  // The data of a plain-text document is its text; that of any other source is base64.
  if (block.type === 'text' && block.media_type === 'text/plain') words.push(text(block.data) ?? '')
  for (const key of Object.keys(block)) if (!NOT_TEXT.has(key)) gather(block[key], words, depth + 1)
}
