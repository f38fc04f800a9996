import { isObject, type Json, type JsonObject } from '../../contract/json.ts'
import type { Wire } from './script.ts'

/*
 * What the makers refuse with 400, as far as a talk that was carried from one protocol to another can break it. From their public
 * documentation and the texts of their errors.
 */

/** Google's documented stand-in for a signature on calls it did not make. */
const NO_SIGNATURE = 'skip_thought_signature_validator'
const CLAUDE_ID = /^[a-zA-Z0-9_-]+$/
const TOOL_NAME = /^[a-zA-Z0-9_-]{1,64}$/

/**
 * Why the maker would refuse the body, or undefined.
 * @param issued seals this maker has made
 */
export function refusalOf(wire: Wire, body: JsonObject, model: string, issued: ReadonlySet<string>): string | undefined {
  switch (wire) {
    case 'chat':
      return chatRefusal(body)
    case 'responses':
      return responsesRefusal(body, issued)
    case 'claude':
      return claudeRefusal(body, issued)
    case 'gemini':
      return geminiRefusal(body, model, issued)
  }
}

const list = (value: Json | undefined): JsonObject[] => (Array.isArray(value) ? value.filter(isObject) : [])
const object = (value: Json | undefined): JsonObject => (isObject(value) ? value : {})
const text = (value: Json | undefined): string => (typeof value === 'string' ? value : '')

function chatRefusal(body: JsonObject): string | undefined {
  let open: string[] = []
  for (const message of list(body.messages)) {
    if (message.role === 'tool') {
      const at = open.indexOf(text(message.tool_call_id))
      if (at < 0)
        return `messages with role 'tool' must be a response to a preceeding message with 'tool_calls': ${text(message.tool_call_id)}`
      open.splice(at, 1)
      continue
    }
    if (open.length > 0)
      return `An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id': ${open.join(', ')}`
    open = list(message.tool_calls).map((call) => text(call.id))
    if (message.role === 'assistant' && open.length === 0 && (message.content === null || message.content === undefined))
      return 'assistant message without content'
  }
  return undefined
}

function responsesRefusal(body: JsonObject, issued: ReadonlySet<string>): string | undefined {
  const items = list(body.input)
  const calls = new Set<string>()
  for (const [index, item] of items.entries()) {
    if (item.type === 'reasoning') {
      const next = items[index + 1]
      if (typeof item.encrypted_content !== 'string') return 'reasoning item without encrypted_content while store is false'
      if (!isIssued(item.id, item.encrypted_content, issued))
        return `The encrypted content for item ${text(item.id)} could not be verified.`
      if (!next || next.role === 'user')
        return `Item '${text(item.id)}' of type 'reasoning' was provided without its required following item.`
    }
    if (item.type === 'function_call') calls.add(text(item.call_id))
    if (item.type === 'function_call_output' && !calls.delete(text(item.call_id)))
      return `No tool call found for function call output with call_id ${text(item.call_id)}.`
  }
  return calls.size > 0 ? `No tool output found for function call ${[...calls].join(', ')}.` : undefined
}

/** Sealed thoughts belong to the id of their item; an item without an id, as Codex sends it back, is taken. */
function isIssued(id: Json | undefined, sealed: string, issued: ReadonlySet<string>): boolean {
  return id === undefined ? [...issued].some((one) => one.endsWith(`:${sealed}`)) : issued.has(`${text(id)}:${sealed}`)
}

function claudeRefusal(body: JsonObject, issued: ReadonlySet<string>): string | undefined {
  const { messages } = body
  const thinking = object(body.thinking)
  if (thinking.type === 'enabled' && Number(body.max_tokens) <= Number(thinking.budget_tokens))
    return '`max_tokens` must be greater than `thinking.budget_tokens`'
  if (thinking.type === 'enabled' && body.temperature !== undefined && body.temperature !== 1)
    return '`temperature` may only be set to 1 when thinking is enabled'
  let open: string[] = []
  let lastWithCalls: JsonObject[] | undefined
  for (const message of list(messages)) {
    const blocks = typeof message.content === 'string' ? [{ type: 'text', text: message.content } as JsonObject] : list(message.content)
    if (blocks.length === 0) return 'messages: all messages must have non-empty content'
    const results = blocks.filter((block) => block.type === 'tool_result').map((block) => text(block.tool_use_id))
    if (open.some((id) => !results.includes(id)))
      return `tool_use ids were found without tool_result blocks immediately after: ${open.join(', ')}`
    if (results.some((id) => !open.includes(id))) return `unexpected tool_use_id found in tool_result blocks: ${results.join(', ')}`
    open = []
    for (const block of blocks) {
      if (block.type === 'text' && block.text === '') return 'messages: text content blocks must be non-empty'
      if (block.type === 'thinking' && !issued.has(text(block.signature))) return 'Invalid `signature` in `thinking` block'
      if (block.type === 'redacted_thinking' && !issued.has(text(block.data))) return 'Invalid `data` in `redacted_thinking` block'
      if (block.type !== 'tool_use') continue
      if (!CLAUDE_ID.test(text(block.id))) return `tool_use.id: String should match pattern '^[a-zA-Z0-9_-]+$'`
      if (!TOOL_NAME.test(text(block.name))) return `tool_use.name: String should match pattern '^[a-zA-Z0-9_-]{1,64}$'`
      open.push(text(block.id))
    }
    if (message.role === 'assistant') lastWithCalls = open.length > 0 ? blocks : undefined
    else if (results.length === 0) lastWithCalls = undefined
  }
  if (open.length > 0) return `tool_use ids were found without tool_result blocks immediately after: ${open.join(', ')}`
  const first = lastWithCalls?.[0]?.type
  if (thinking.type === 'enabled' && first !== undefined && first !== 'thinking' && first !== 'redacted_thinking') {
    return `Expected \`thinking\` or \`redacted_thinking\`, but found \`${text(first)}\`. When \`thinking\` is enabled, a final \`assistant\` message must start with a thinking block.`
  }
  return undefined
}

function geminiRefusal(body: JsonObject, model: string, issued: ReadonlySet<string>): string | undefined {
  const contents = list(body.contents)
  const lastUser = contents.findLastIndex(
    (content) => content.role !== 'model' && !list(content.parts).some((part) => isObject(part.functionResponse)),
  )
  for (const [index, content] of contents.entries()) {
    const parts = list(content.parts)
    if (parts.length === 0) return 'contents.parts must not be empty.'
    const calls = parts.filter((part) => isObject(part.functionCall))
    for (const part of parts) {
      const { thoughtSignature: signature } = part
      if (signature !== undefined && signature !== NO_SIGNATURE && !issued.has(text(signature))) return 'Thought signature is not valid.'
    }
    if (calls.length === 0) continue
    const answers = list(contents[index + 1]?.parts).filter((part) => isObject(part.functionResponse))
    if (answers.length !== calls.length)
      return 'the number of function response parts must be equal to the number of function call parts of the function call turn.'
    // From Gemini 3 on the first call of each step of the current turn must be signed.
    if (model.startsWith('gemini-3') && index > lastUser && calls[0]?.thoughtSignature === undefined)
      return 'Function call is missing a thought_signature in functionCall parts.'
  }
  return undefined
}
