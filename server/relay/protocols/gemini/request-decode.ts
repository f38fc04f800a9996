import { isObject } from '../../../../contract/json.ts'
import type { Json, JsonObject } from '../../../../contract/json.ts'
import type { Block, Message, Turn } from '../canonical.ts'
import { place } from '../places.ts'
import { WireError } from '../protocol.ts'
import type { PathInfo } from '../protocol.ts'
import { decodePart, marks } from './block.ts'
import { decodeConfig } from './config.ts'
import { keep } from './extra.ts'
import { decodeToolConfig, decodeTools } from './tools.ts'
import { GEMINI, bareModel, camel, text } from './wire.ts'

/**
 * Reads a generateContent request. Model and action come from the URL; a `model` in the body is optional.
 * @throws WireError when there is no model or no contents
 */
export function decodeRequest(raw: JsonObject, path: PathInfo): Turn {
  const { model, contents, systemInstruction, tools, toolConfig, generationConfig, serviceTier, store, ...rest } = camel(raw)
  const name = path.model ?? text(model)
  if (name === undefined || bareModel(name) === '') throw new WireError('Model not specified', 'model')
  const ext: JsonObject = {}
  const turn: Turn = {
    model: bareModel(name),
    stream: path.action === 'streamGenerateContent',
    system: [],
    messages: [],
    tools: [],
    ext: { [GEMINI]: ext },
  }
  if (typeof model === 'string') ext.__model = model.startsWith('models/') ? 'models/' : ''
  turn.messages = decodeContents(contents)
  decodeSystem(systemInstruction, turn, ext)
  decodeTools(tools, turn, ext)
  if (isObject(toolConfig)) decodeToolConfig(toolConfig, turn, ext)
  if (isObject(generationConfig)) decodeConfig(generationConfig, turn, ext)
  if (typeof serviceTier === 'string') turn.serviceTier = serviceTier
  if (typeof store === 'boolean') turn.store = store
  for (const [key, value] of Object.entries(rest)) keep(ext, key, value)
  return turn
}

/** `contents` is a list; a single content or plain text is one message. */
function decodeContents(contents: Json | undefined): Message[] {
  const rows = Array.isArray(contents) ? contents : contents === undefined || contents === null ? [] : [contents]
  if (rows.length === 0) throw new WireError('contents are required', 'contents')
  const pairing = new Pairing()
  return rows.map((row, index) => {
    if (typeof row === 'string') return { role: 'user', content: [{ type: 'text', text: row }] }
    if (!isObject(row)) throw new WireError(`contents[${index}] must be an object`, `contents[${index}]`)
    return decodeContent(row, index, pairing)
  })
}

/** Roles as Google names them; `function` is the older one of tool answers. */
const roles: { [role: string]: Message['role'] | undefined } = { user: 'user', model: 'assistant', function: 'user', system: 'system' }

function decodeContent(raw: JsonObject, index: number, pairing: Pairing): Message {
  const { role, parts, ...rest } = camel(raw)
  const known = typeof role === 'string' ? roles[role] : undefined
  const message: Message = { role: known ?? 'user', content: decodeParts(parts, `contents[${index}]`) }
  const ext: JsonObject = { ...rest }
  if (known === undefined || role === 'function') ext._role = text(role) ?? null
  if (parts === undefined) ext._noParts = true
  if (Object.keys(ext).length > 0) message.ext = { [GEMINI]: ext }
  pairing.name(message.content, index)
  return message
}

function decodeParts(parts: Json | undefined, path: string): Block[] {
  if (typeof parts === 'string') return [{ type: 'text', text: parts }]
  const rows = Array.isArray(parts) ? parts : isObject(parts) ? [parts] : []
  const content: Block[] = []
  for (const [index, row] of rows.entries()) {
    for (const block of decodePart(row)) {
      if (block.type === 'reasoning' && block.seal && block.seal.by !== GEMINI) addForeignThought(content, block)
      else content.push(place(block, `${path}.parts[${index}]`))
    }
  }
  return content
}

/**
 * Another maker's thoughts come back in pieces: their text in one or more parts as it was streamed, their seal in a part of its
 * own, and once more with the call they led to (carry.ts). They become one block again, once.
 */
function addForeignThought(content: Block[], block: Extract<Block, { type: 'reasoning' }>): void {
  const seal = block.seal
  if (content.some((other) => other.type === 'reasoning' && other.seal?.value === seal?.value && other.seal?.by === seal?.by)) return
  let start = content.length
  while (start > 0) {
    const before = content[start - 1]
    if (before?.type !== 'reasoning' || before.seal) break
    start--
  }
  const pieces = content.splice(start).map((piece) => (piece.type === 'reasoning' ? piece.text : ''))
  const streamed = pieces.join('')
  const { ext: _, ...plain } = block
  content.push({ ...plain, text: block.text === '' && block.redacted !== true ? streamed : block.text })
  if (block.redacted === true && streamed !== '') content.splice(start, 0, { type: 'reasoning', text: streamed })
}

interface OpenCall {
  id: string
  name: string
  message: number
}

/**
 * Ids for calls and results that have none. A call's is made of its position, so it is the same each time the talk is sent; a
 * result answers the first unanswered call of its name in the latest message that has one (Gemini API, function calling:
 * answers come back in the order of the calls).
 */
class Pairing {
  readonly #open: OpenCall[] = []

  name(content: Block[], message: number): void {
    content.forEach((block, index) => {
      if (block.type === 'call') {
        if (block.id === '') block.id = `call_${message}_${index}`
        this.#open.push({ id: block.id, name: block.name, message })
      } else if (block.type === 'result') this.#answer(block, message, index)
    })
  }

  #answer(block: Extract<Block, { type: 'result' }>, message: number, index: number): void {
    const given = block.callId
    const at =
      given !== '' && this.#open.some((call) => call.id === given)
        ? this.#open.findIndex((call) => call.id === given)
        : this.#find(block.name)
    const call = this.#open[at]
    if (!call) {
      if (given === '') block.callId = `call_${message}_${index}`
      return
    }
    this.#open.splice(at, 1)
    block.callId = call.id
    block.name ??= call.name
    if (given !== '' && given !== call.id) {
      block.ext = { ...block.ext, [GEMINI]: { ...block.ext?.[GEMINI], [marks.givenId]: given } }
    }
  }

  #find(name: string | undefined): number {
    let best = -1
    this.#open.forEach((call, index) => {
      const matches = name === undefined || call.name === name
      const current = this.#open[best]
      if (matches && (current === undefined || call.message > current.message)) best = index
    })
    return best
  }
}

/** A content, a list of parts or plain text; how it was written is kept as `__system`. */
function decodeSystem(raw: Json | undefined, turn: Turn, ext: JsonObject): void {
  if (raw === undefined || raw === null) return
  if (!isObject(raw)) {
    turn.system = decodeParts(raw, 'systemInstruction')
    if (typeof raw === 'string') ext.__system = 'string'
    return
  }
  const { parts, ...rest } = camel(raw)
  if (parts === undefined && typeof rest.text === 'string') {
    turn.system = decodeParts(rest, 'systemInstruction')
    return
  }
  turn.system = decodeParts(parts, 'systemInstruction')
  if (Object.keys(rest).length > 0) ext.__system = rest
}
