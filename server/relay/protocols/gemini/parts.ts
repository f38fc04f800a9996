import { isObject } from '../../../../contract/json.ts'
import type { Json, JsonObject } from '../../../../contract/json.ts'
import type { Block, Loss } from '../canonical.ts'
import { extensionLosses } from '../loss.ts'
import { isStoredAtGoogle, marks } from './block.ts'
import { GEMINI, needsOpenApiSchema, parseObject, text } from './wire.ts'

type MediaBlock = Extract<Block, { type: 'media' }>
type CallBlock = Extract<Block, { type: 'call' }>
type ResultBlock = Extract<Block, { type: 'result' }>

/** Where losses of an encoding are collected, and under which path. */
export interface Report {
  losses: Loss[]
  path: string
}

const NO_NAME = 'Gemini has no name for it'

/** Our marks and the members Google has names for, apart. */
export function ownExtension(block: Block): { marked: JsonObject; members: JsonObject } {
  const marked: JsonObject = {}
  const members: JsonObject = {}
  const own = block.type === 'foreign' ? undefined : block.ext?.[GEMINI]
  if (own) {
    for (const [name, value] of Object.entries(own)) {
      if (name.startsWith('_')) marked[name] = value
      else members[name] = value
    }
  }
  return { marked, members }
}

/** Losses that every kind of block may have: a cache mark, other makers' members. */
export function reportBlock(block: Block, report: Report): void {
  if (block.type === 'foreign') return
  if ('cache' in block && block.cache) {
    report.losses.push({ path: `${report.path}.cache_control`, reason: 'Gemini caches by itself; it takes no cache marks' })
  }
  if (block.ext) report.losses.push(...extensionLosses(block.ext, GEMINI, `${report.path}.`, NO_NAME))
}

/** A part that holds media; undefined, with a Loss, when Google could not read it. */
export function mediaPart(block: MediaBlock, report: Report): JsonObject | undefined {
  const { marked, members } = ownExtension(block)
  const { inlineData, fileData, ...beside } = members
  const named = marked[marks.named] === true
  if (block.name !== undefined && !named) {
    report.losses.push({ path: `${report.path}.name`, reason: 'the Gemini API takes no file names' })
  }
  if (block.detail !== undefined && block.detail !== 'auto') {
    report.losses.push({ path: `${report.path}.detail`, reason: 'Gemini has one media resolution for the whole request' })
  }
  const name: JsonObject = named ? { displayName: block.name } : {}
  const source = inline(block)
  if (source) {
    return { inlineData: { mimeType: source.mediaType, data: source.base64, ...name, ...(isObject(inlineData) && inlineData) }, ...beside }
  }
  const uri = 'url' in block.data ? block.data.url : 'fileId' in block.data ? block.data.fileId : ''
  if ('fileId' in block.data && !isStoredAtGoogle(uri)) {
    report.losses.push({ path: report.path, reason: 'the file is stored at another maker' })
    return undefined
  }
  const vague = block.mediaType.includes('*') || block.mediaType === ''
  const mimeType = marked[marks.noType] === true ? undefined : vague ? typeOfAddress(uri) : block.mediaType
  return {
    fileData: { ...(mimeType !== undefined && { mimeType }), fileUri: uri, ...name, ...(isObject(fileData) && fileData) },
    ...beside,
  }
}

/** Bytes that stand in the block itself, also as a `data:` address. */
function inline(block: MediaBlock): { mediaType: string; base64: string } | undefined {
  if ('base64' in block.data) return { mediaType: block.mediaType, base64: block.data.base64 }
  if (!('url' in block.data)) return undefined
  const match = /^data:([^;,]*)(?:;[^,;]*)*;base64,/.exec(block.data.url)
  return match ? { mediaType: match[1] || block.mediaType, base64: block.data.url.slice(match[0].length) } : undefined
}

/** Media types by the ending of an address; what Gemini reads (Gemini API, file input methods). */
const types: { [ending: string]: string | undefined } = {
  png: 'image/png',
  jpg: 'image/jpeg',
  jpeg: 'image/jpeg',
  webp: 'image/webp',
  gif: 'image/gif',
  heic: 'image/heic',
  heif: 'image/heif',
  pdf: 'application/pdf',
  txt: 'text/plain',
  csv: 'text/csv',
  html: 'text/html',
  md: 'text/markdown',
  mp3: 'audio/mp3',
  wav: 'audio/wav',
  ogg: 'audio/ogg',
  flac: 'audio/flac',
  aac: 'audio/aac',
  mp4: 'video/mp4',
  mov: 'video/mov',
  webm: 'video/webm',
  mpeg: 'video/mpeg',
}

/**
 * Gemini fetches public https addresses from 2.5 on, and must be told the type of what is there (Gemini API, file input methods,
 * external URLs); what is stored at Google it reads by its address anyway.
 */
export function takesUrl(block: MediaBlock, model: string): boolean {
  if (!('url' in block.data) || block.data.url.startsWith('data:') || isStoredAtGoogle(block.data.url)) return true
  if (!block.data.url.startsWith('https://') || needsOpenApiSchema(model)) return false
  return !block.mediaType.includes('*') && block.mediaType !== '' ? true : typeOfAddress(block.data.url) !== undefined
}

function typeOfAddress(url: string): string | undefined {
  const ending = /\.([A-Za-z0-9]{2,4})(?:[?#]|$)/.exec(url)?.[1]?.toLowerCase()
  return ending === undefined ? undefined : types[ending]
}

/**
 * A part that calls a function. Free text (a `custom` tool's input) and what is no JSON object go under `input`, the parameter
 * that request-encode.ts gives to custom tools.
 */
export function callPart(block: CallBlock): JsonObject {
  const { marked, members } = ownExtension(block)
  const { functionCall, ...beside } = members
  const call: JsonObject = { name: block.name }
  if (marked[marks.noId] !== true && block.id !== '') call.id = block.id
  if (!(marked[marks.noArgs] === true && block.input === '{}')) call.args = args(block)
  return { functionCall: { ...call, ...(isObject(functionCall) && functionCall) }, ...beside }
}

function args(block: CallBlock): JsonObject {
  if (block.custom) return { input: block.input }
  if (block.input.trim() === '') return {}
  return parseObject(block.input) ?? { input: block.input }
}

/**
 * A part that answers a function call.
 * @param name the function's name, which Google requires
 * @param mediaInside whether the model takes media inside the answer (from Gemini 3 on); else it comes back in `after`
 */
export function resultPart(
  block: ResultBlock,
  name: string,
  mediaInside: boolean,
  report: Report,
): { part: JsonObject; after: JsonObject[] } {
  const { marked, members } = ownExtension(block)
  const { functionResponse, ...beside } = members
  const texts: string[] = []
  const parts: JsonObject[] = []
  block.content.forEach((inner, index) => {
    const at: Report = { losses: report.losses, path: `${report.path}.content[${index}]` }
    reportBlock(inner, at)
    if (inner.type === 'text' || inner.type === 'refusal' || inner.type === 'reasoning') texts.push(inner.text)
    else if (inner.type === 'media') {
      const part = mediaPart(inner, at)
      if (part) parts.push(part)
    } else if (inner.type === 'foreign' && inner.from === GEMINI) parts.push(inner.data)
    else report.losses.push({ path: at.path, reason: 'Gemini takes text and media in a tool result' })
  })
  const answer: JsonObject = { name }
  const id = text(marked[marks.givenId]) ?? block.callId
  if (marked[marks.noId] !== true && id !== '') answer.id = id
  const response = responseOf(texts, block.isError, text(marked[marks.response]))
  if (response) answer.response = response
  const inside = mediaInside && parts.length > 0
  if (inside) answer.parts = parts
  return {
    part: { functionResponse: { ...answer, ...(isObject(functionResponse) && functionResponse) }, ...beside },
    after: inside ? [] : parts,
  }
}

function responseOf(texts: string[], isError: boolean, form: string | undefined): JsonObject | undefined {
  const joined = texts.join('\n')
  if (form === 'none' && texts.length === 0) return undefined
  if (form === 'json') {
    const whole = parseObject(joined)
    if (whole) return whole
  }
  if (form !== undefined && form !== 'json' && form !== 'none') return { [form]: joined }
  return isError ? { error: joined } : { output: joined }
}

/** Puts a signature on the part it belongs to: the last one, where that one can have it. */
export function attachSignature(parts: JsonObject[], signature: string): void {
  const last = parts.at(-1)
  const fits =
    last &&
    last.thoughtSignature === undefined &&
    last.thought !== true &&
    (typeof last.text === 'string' || last.inlineData !== undefined || last.fileData !== undefined)
  if (last && fits) last.thoughtSignature = signature
  else parts.push({ text: '', thoughtSignature: signature })
}

/** A sealed, empty reasoning block is a signature; its mark tells where it stood. */
export function signaturePart(parts: JsonObject[], signature: string, apart: Json | undefined): void {
  if (apart === 'bare') parts.push({ thoughtSignature: signature })
  else if (apart === 'text') parts.push({ text: '', thoughtSignature: signature })
  else if (apart === 'thought') parts.push({ text: '', thought: true, thoughtSignature: signature })
  else attachSignature(parts, signature)
}
