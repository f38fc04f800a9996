import { isObject } from '../../../../contract/json.ts'
import type { Json, JsonObject } from '../../../../contract/json.ts'
import type { Block, Extensions, MediaData } from '../canonical.ts'
import { unpackSeal } from '../seal.ts'
import { unpackCarry } from './carry.ts'
import { GEMINI, camel, list, text } from './wire.ts'

/** How a part was written, where the canonical blocks leave two ways open; under `ext.gemini`, given back by parts.ts. */
export const marks = {
  /** functionCall or functionResponse without an id: the block's id is made up. */
  noId: '_noId',
  /** functionResponse with an id that no call has: the id it gave. */
  givenId: '_givenId',
  /** functionCall without args. */
  noArgs: '_noArgs',
  /** A signature in a part of its own: 'text' with an empty text, 'thought' with an empty thought, 'bare' with nothing. */
  apart: '_apart',
  /** The media part gave no mimeType. */
  noType: '_noType',
  /** The media part gave a displayName. */
  named: '_named',
  /** How functionResponse.response holds the text: one of its keys, 'json' for a whole object, 'none' when absent. */
  response: '_response',
} as const

/** Keys of `response` that hold a tool's plain text (Gemini API reference, FunctionResponse; `result` and `content` are common). */
const responseKeys = ['output', 'error', 'result', 'content']

/** Files stored at Google (Files API, Cloud Storage) can only be read there; other addresses are open to anyone. */
const STORED_AT_GOOGLE = /^(https:\/\/generativelanguage\.googleapis\.com\/|gs:\/\/|files\/)/

/**
 * One part as blocks; streams and whole bodies share it. A signature on a text or media part becomes an empty, sealed reasoning
 * block right after it, so that every protocol that can carry sealed reasoning carries it. Calls and results without an id have
 * the id ''; who reads the whole message gives them one.
 */
export function decodePart(raw: Json): Block[] {
  if (typeof raw === 'string') return [{ type: 'text', text: raw }]
  if (!isObject(raw)) return []
  const { thought, thoughtSignature, ...part } = camel(raw)
  const signature = text(thoughtSignature)
  if (isObject(part.functionCall)) return decodeCall(part, part.functionCall, signature)
  if (isObject(part.functionResponse)) return decodeResult(part, part.functionResponse)
  if (isObject(part.inlineData)) return [decodeInline(part, part.inlineData), ...sealed(signature, undefined)]
  if (isObject(part.fileData)) return [decodeFile(part, part.fileData), ...sealed(signature, undefined)]
  if (typeof part.text === 'string') {
    const { text: written, ...rest } = part
    if (thought === true) return decodeThought(written, signature, rest)
    const block: Block = { type: 'text', text: written, ...extension(rest) }
    const seals = sealed(signature, written === '' ? 'text' : undefined)
    return written === '' && seals.length > 0 ? seals : [block, ...seals]
  }
  if (Object.keys(part).length > 0) return [{ type: 'foreign', from: GEMINI, data: raw }]
  return sealed(signature, 'bare')
}

function extension(rest: JsonObject): { ext?: Extensions } {
  return Object.keys(rest).length === 0 ? {} : { ext: { [GEMINI]: rest } }
}

/** The blocks a signature stands for; none when it is no signature at all. */
function sealed(signature: string | undefined, apart: string | undefined): Block[] {
  const seal = signature === undefined ? undefined : unpackSeal(signature, GEMINI)
  if (!seal) return []
  const carried = unpackCarry(seal)
  if (carried) return carried
  return [{ type: 'reasoning', text: '', seal, ...(apart !== undefined && extension({ [marks.apart]: apart })) }]
}

function decodeThought(written: string, signature: string | undefined, rest: JsonObject): Block[] {
  if (written === '' && signature !== undefined) return sealed(signature, 'thought')
  const seal = signature === undefined ? undefined : unpackSeal(signature, GEMINI)
  const carried = seal ? unpackCarry(seal) : undefined
  if (carried) return carried
  return [{ type: 'reasoning', text: written, ...(seal && { seal }), ...extension(rest) }]
}

function decodeCall(part: JsonObject, raw: JsonObject, signature: string | undefined): Block[] {
  const { functionCall: _, ...beside } = part
  const { id, name, args, ...rest } = camel(raw)
  const ext: JsonObject = { ...beside }
  if (Object.keys(rest).length > 0) ext.functionCall = rest
  if (typeof id !== 'string') ext[marks.noId] = true
  if (!isObject(args)) ext[marks.noArgs] = true
  const seal = signature === undefined ? undefined : unpackSeal(signature, GEMINI)
  const carried = seal ? unpackCarry(seal) : undefined
  const call: Block = {
    type: 'call',
    id: text(id) ?? '',
    name: text(name) ?? '',
    input: isObject(args) ? JSON.stringify(args) : '{}',
    ...(seal && !carried && { seal }),
    ...extension(ext),
  }
  return [...(carried ?? []), call]
}

function decodeResult(part: JsonObject, raw: JsonObject): Block[] {
  const { functionResponse: _, ...beside } = part
  const { id, name, response, parts, ...rest } = camel(raw)
  const ext: JsonObject = { ...beside }
  if (Object.keys(rest).length > 0) ext.functionResponse = rest
  if (typeof id !== 'string') ext[marks.noId] = true
  const answer = readResponse(response)
  ext[marks.response] = answer.form
  const content: Block[] = answer.text === undefined ? [] : [{ type: 'text', text: answer.text }]
  for (const item of list(parts)) {
    if (!isObject(item)) continue
    const inner = camel(item)
    if (isObject(inner.inlineData)) content.push(decodeInline(inner, inner.inlineData))
    else if (isObject(inner.fileData)) content.push(decodeFile(inner, inner.fileData))
    else content.push({ type: 'foreign', from: GEMINI, data: item })
  }
  return [
    {
      type: 'result',
      callId: text(id) ?? '',
      ...(typeof name === 'string' && { name }),
      isError: answer.isError,
      content,
      ...extension(ext),
    },
  ]
}

function readResponse(response: Json | undefined): { text?: string; isError: boolean; form: string } {
  if (typeof response === 'string') return { text: response, isError: false, form: 'output' }
  if (!isObject(response)) return { isError: false, form: 'none' }
  const keys = Object.keys(response)
  const key = keys.length === 1 ? keys[0] : undefined
  const value = key === undefined ? undefined : response[key]
  const isError = key === 'error'
  if (key !== undefined && responseKeys.includes(key) && typeof value === 'string') return { text: value, isError, form: key }
  return { text: JSON.stringify(response), isError, form: 'json' }
}

function decodeInline(part: JsonObject, raw: JsonObject): Block {
  const { inlineData: _, ...beside } = part
  const { mimeType, data, displayName, ...rest } = camel(raw)
  return media(beside, 'inlineData', rest, mimeType, { base64: text(data) ?? '' }, displayName)
}

function decodeFile(part: JsonObject, raw: JsonObject): Block {
  const { fileData: _, ...beside } = part
  const { mimeType, fileUri, displayName, ...rest } = camel(raw)
  const uri = text(fileUri) ?? ''
  const data: MediaData = STORED_AT_GOOGLE.test(uri) ? { fileId: uri } : { url: uri }
  return media(beside, 'fileData', rest, mimeType, data, displayName)
}

function media(
  beside: JsonObject,
  member: string,
  rest: JsonObject,
  type: Json | undefined,
  data: MediaData,
  name: Json | undefined,
): Block {
  const ext: JsonObject = { ...beside }
  if (Object.keys(rest).length > 0) ext[member] = rest
  if (typeof name === 'string') ext[marks.named] = true
  if (typeof type !== 'string') ext[marks.noType] = true
  return { type: 'media', mediaType: text(type) ?? '', data, ...(typeof name === 'string' && { name }), ...extension(ext) }
}

/** Whether a file id of the canonical model is one that Google can read. */
export function isStoredAtGoogle(fileId: string): boolean {
  return STORED_AT_GOOGLE.test(fileId)
}
