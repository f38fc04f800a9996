import { isObject, type Json, type JsonObject } from '../../contract/json.ts'
import type { Wire } from '../upstream/script.ts'

/** What a program made of a streamed answer, and what it will send back of it. */
export interface Heard {
  text: string
  thoughts: string
  calls: { id: string; name: string; args: string }[]
  /** The answer in its own protocol's words: output items, content blocks, parts; of Chat one message. */
  own: JsonObject[]
}

const list = (value: Json | undefined): JsonObject[] => (Array.isArray(value) ? value.filter(isObject) : [])
const object = (value: Json | undefined): JsonObject => (isObject(value) ? value : {})
const text = (value: Json | undefined): string => (typeof value === 'string' ? value : '')

const readers: Record<Wire, (events: readonly JsonObject[]) => Heard> = { chat, responses, claude, gemini }
/** What a whole stream ends with. */
const ENDS: Record<Wire, RegExp> = {
  chat: /data: \[DONE\]\s*$/,
  responses: /"type":"response\.completed".*\s*$/,
  claude: /"type":"message_stop".*\s*$/,
  gemini: /"finishReason":"STOP".*\s*$/s,
}

/**
 * Reads a stream as the programs do: events in order, unknown ones passed over.
 * @throws when the stream does not end as its protocol's do, or has an error
 */
export function hear(wire: Wire, stream: string): Heard {
  if (!ENDS[wire].test(stream)) throw new Error(`a stream without its end: ${stream.slice(-300)}`)
  const events: JsonObject[] = []
  for (const line of stream.split('\n')) {
    if (!line.startsWith('data: {')) continue
    const event: unknown = JSON.parse(line.slice('data: '.length))
    if (!isObject(event)) continue
    if (isObject(event.error)) throw new Error(JSON.stringify(event))
    events.push(event)
  }
  return readers[wire](events)
}

function chat(events: readonly JsonObject[]): Heard {
  const heard: Heard = { text: '', thoughts: '', calls: [], own: [] }
  for (const event of events) {
    const delta = object(object(list(event.choices)[0]).delta)
    heard.text += text(delta.content)
    heard.thoughts += text(delta.reasoning_content)
    for (const piece of list(delta.tool_calls)) {
      const at = Number(piece.index)
      const call = (heard.calls[at] ??= { id: '', name: '', args: '' })
      call.id += text(piece.id)
      call.name += text(object(piece.function).name)
      call.args += text(object(piece.function).arguments)
    }
  }
  heard.own = heard.calls.map(({ id, name, args }) => ({ id, type: 'function', function: { name, arguments: args } }))
  return heard
}

function responses(events: readonly JsonObject[]): Heard {
  const own = events.flatMap((event) => (event.type === 'response.output_item.done' && isObject(event.item) ? [event.item] : []))
  return {
    text: own.flatMap((item) => (item.type === 'message' ? list(item.content).map((part) => text(part.text)) : [])).join(''),
    thoughts: own.flatMap((item) => (item.type === 'reasoning' ? list(item.summary).map((part) => text(part.text)) : [])).join(''),
    calls: own.flatMap((item) =>
      item.type === 'function_call'
        ? [{ id: text(item.call_id), name: text(item.name), args: text(item.arguments) }]
        : item.type === 'custom_tool_call'
          ? [{ id: text(item.call_id), name: text(item.name), args: text(item.input) }]
          : [],
    ),
    own,
  }
}

function claude(events: readonly JsonObject[]): Heard {
  const own: JsonObject[] = []
  const inputs: string[] = []
  for (const event of events) {
    const index = Number(event.index)
    if (event.type === 'content_block_start') own[index] = { ...object(event.content_block) }
    if (event.type !== 'content_block_delta') continue
    const block = own[index]
    const delta = object(event.delta)
    if (!block) throw new Error('a delta before its block')
    for (const member of ['text', 'thinking', 'signature']) if (member in delta) block[member] = text(block[member]) + text(delta[member])
    if (delta.type === 'input_json_delta') inputs[index] = (inputs[index] ?? '') + text(delta.partial_json)
  }
  own.forEach((block, index) => {
    if (block.type === 'tool_use') block.input = JSON.parse(inputs[index] === undefined || inputs[index] === '' ? '{}' : inputs[index])
  })
  return {
    text: own.map((block) => (block.type === 'text' ? text(block.text) : '')).join(''),
    thoughts: own.map((block) => text(block.thinking)).join(''),
    calls: own.flatMap((block) =>
      block.type === 'tool_use' ? [{ id: text(block.id), name: text(block.name), args: JSON.stringify(block.input) }] : [],
    ),
    own,
  }
}

function gemini(events: readonly JsonObject[]): Heard {
  const own = events.flatMap((event) => list(object(object(list(event.candidates)[0]).content).parts))
  return {
    text: own.map((part) => (part.thought === true ? '' : text(part.text))).join(''),
    thoughts: own.map((part) => (part.thought === true ? text(part.text) : '')).join(''),
    calls: own.flatMap(({ functionCall: call }) =>
      isObject(call) ? [{ id: text(call.id), name: text(call.name), args: JSON.stringify(call.args) }] : [],
    ),
    own,
  }
}
