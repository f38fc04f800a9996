import { isObject, type Json, type JsonObject } from '../../../../contract/json.ts'
import type { Block, Finish } from '../canonical.ts'
import type { StreamCall } from '../protocol.ts'
import { repeated } from './asked.ts'
import type { Call } from './block.ts'
import { writeName } from './block-encode.ts'
import { writeCallId } from './seals.ts'
import { list, object, ownMembers, remembered, text } from './wire.ts'

type Media = Extract<Block, { type: 'media' }>
type Words = Extract<Block, { type: 'text' | 'refusal' }>

const KNOWN_PREFIX = /^(resp|chatcmpl|msg|call|req|fc|rs)[_-]/
/** Ids in OpenAI's own requests end at 64 characters; this leaves room for prefix and index. */
const MAX_BASE = 48

/** The middle of all ids of an answer that is not OpenAI's own: the same each time for one call. */
export function idBase(call: StreamCall): string {
  return (
    call.id
      .replace(KNOWN_PREFIX, '')
      .replace(/[^A-Za-z0-9]+/g, '')
      .slice(0, MAX_BASE) || '0'
  )
}

/** The id of the answer: that of the upstream where it is one of this API. */
export function responseId(upstream: string | undefined, native: boolean, call: StreamCall): string {
  return upstream && (native || upstream.startsWith('resp_')) ? upstream : `resp_${idBase(call)}`
}

/** The id of an item: its own, or one made of the call's id and its place. */
export function itemId(block: Block, prefix: string, base: string, index: number): string {
  const echo = block.type === 'foreign' ? undefined : remembered(block.ext, 'echo')
  return (isObject(echo) ? text(echo.id) : undefined) ?? `${prefix}_${base}_${index}`
}

/** What a text or refusal remembers of the message item it begins. */
export function messageMembers(block: Block): JsonObject | undefined {
  const memory = block.type === 'foreign' ? block.data._message : remembered(block.ext, 'message')
  return isObject(memory) ? memory : undefined
}

/** A message item of an answer; `members` is what its first part remembers of it. */
export function messageItem(id: string, members: JsonObject | undefined, status: string, content: JsonObject[]): JsonObject {
  return { id, ...members, type: 'message', status, content, role: 'assistant' }
}

/** A content part of an answer. `annotations` and `logprobs` are those known so far. */
export function answerPart(block: Words, words: string, annotations: Json[], logprobs: Json[]): JsonObject {
  if (block.type === 'refusal') return { type: 'refusal', refusal: words }
  const { annotations: _, ...members } = ownMembers(block.ext)
  return { ...members, type: 'output_text', annotations, logprobs, text: words }
}

/** A `function_call` or `custom_tool_call` of an answer. */
export function callItem(block: Call, id: string, status: string, input: string): JsonObject {
  const echo = object(remembered(block.ext, 'echo'))
  return {
    ...ownMembers(block.ext),
    id,
    type: block.custom ? 'custom_tool_call' : 'function_call',
    status,
    ...(block.custom ? { input } : { arguments: input }),
    call_id: writeCallId(block.id, block.seal),
    ...writeName(block, true),
    ...(status === 'completed' && typeof echo.status === 'string' ? { status: echo.status } : {}),
  }
}

/** An image the model made, as the item of the image tool: the one place for images this API has in an answer. */
export function imageItem(block: Media, id: string, base64: string | null, status: string): JsonObject {
  const format = block.mediaType.replace(/^image\//, '')
  const echo = object(remembered(block.ext, 'echo'))
  return { output_format: format, ...echo, id, type: 'image_generation_call', status, result: base64 }
}

/** Whether an answer can hold this media. */
export function isImage(block: Media): boolean {
  return block.mediaType.startsWith('image/') && 'base64' in block.data
}

/** The `logprobs` of output_text out of the form of Choice.logprobs. */
export function logprobList(logprobs: Json | undefined): Json[] {
  return isObject(logprobs) ? list(logprobs.content) : []
}

/** `status` and what belongs to it. A refusal that said nothing is told as what the filter cut. */
export function writeStatus(finish: Finish, native: boolean, hasRefusal: boolean): JsonObject {
  const raw = finish.raw
  switch (finish.reason) {
    case 'length':
    case 'context_window':
      return incomplete('max_output_tokens')
    case 'content_filter':
      return incomplete('content_filter')
    case 'refusal':
      return hasRefusal ? { status: 'completed', incomplete_details: null } : incomplete('content_filter')
    case 'other':
      if (native && raw !== undefined && !STATUSES.has(raw)) return incomplete(raw)
      return { status: native && raw !== undefined ? raw : 'completed', incomplete_details: null }
    case 'stop':
    case 'stop_sequence':
    case 'tool_calls':
    case 'pause':
      return { status: 'completed', incomplete_details: null }
    default:
      return finish.reason satisfies never
  }
}

const STATUSES = new Set(['completed', 'failed', 'in_progress', 'cancelled', 'queued', 'incomplete'])

function incomplete(reason: string): JsonObject {
  return { status: 'incomplete', incomplete_details: { reason } }
}

/**
 * A response object. One of another maker gets the members the API documents as always there: what was asked, where the request is
 * known, or what they say when nothing was.
 */
export function responseObject(
  id: string,
  created: number,
  call: StreamCall,
  memory: JsonObject | undefined,
  said: JsonObject,
): JsonObject {
  const head = { id, object: 'response', created_at: created }
  if (memory) return { ...head, error: null, incomplete_details: null, usage: null, ...memory, model: call.model, ...said }
  return {
    ...head,
    status: 'completed',
    background: false,
    error: null,
    incomplete_details: null,
    instructions: null,
    max_output_tokens: null,
    model: call.model,
    output: [],
    parallel_tool_calls: true,
    previous_response_id: null,
    reasoning: { effort: null, summary: null },
    store: false,
    temperature: null,
    text: { format: { type: 'text' } },
    tool_choice: 'auto',
    tools: [],
    top_p: null,
    truncation: 'disabled',
    usage: null,
    user: null,
    metadata: {},
    ...repeated(call.request),
    ...said,
  }
}
