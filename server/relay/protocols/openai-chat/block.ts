import { isObject, type JsonObject } from '../../../../contract/json.ts'
import type { Block, CacheMark, Loss, MediaData } from '../canonical.ts'
import { extensionLosses } from '../loss.ts'
import { argumentsText, object, OWN, own, ownMembers, remembered, rest, restSaid, text } from './wire.ts'
import { parseJson, readCallId, writeCallId, type CallId, type Reasoning } from './seals.ts'
import { words } from '../../../../contract/words.ts'

/*
 * One decoder for content parts and tool calls, shared by requests, whole answers and streams. How the seals of other makers ride in
 * `tool_calls[].id` and `reasoning_details` is written down in seals.ts.
 */

type Media = Extract<Block, { type: 'media' }>
export type Call = Extract<Block, { type: 'call' }>

const TEXT = new Set(['type', 'text', 'cache_control'])
const REFUSAL = new Set(['type', 'refusal'])
const THINKING = new Set(['type', 'thinking'])
const DATA_URL = /^data:([\w.+-]+\/[\w.+-]+);base64,/
/** The two formats `input_audio` documents under another name than their media type's. */
const AUDIO_FORMATS = words<string>({ mp3: 'audio/mpeg', wav: 'audio/wav' })
/** Text formats besides `text/*` that can be told as text where the API takes no such file. */
const TEXT_TYPES = /^(text\/|application\/(json|xml|x-yaml|yaml|javascript|x-ndjson|sql|toml)\b)/

/** Where nobody told the kind of a URL's content, its name does. */
const IMAGE_PATH = /\.(jpe?g|png|gif|webp)(\?|#|$)/i

/** Reads one content part; what we do not know is kept whole as foreign. */
export function decodePart(part: JsonObject): Block {
  switch (part.type) {
    case 'text':
    case 'output_text':
    case 'input_text': {
      if (part.type !== 'text' || typeof part.text !== 'string') break
      const cache = readCache(part)
      return { type: 'text', text: part.text, ...(cache ? { cache } : {}), ...own({ ...rest(part, TEXT), ...keepCache(part, cache) }) }
    }
    case 'refusal':
      if (typeof part.refusal !== 'string') break
      return { type: 'refusal', text: part.refusal, ...own({ ...rest(part, REFUSAL), _part: true }) }
    case 'thinking': {
      const thoughts = thinkingText(part)
      if (thoughts === undefined) break
      return { type: 'reasoning', text: thoughts, seal: { by: OWN, value: 'thinking' }, ...own(rest(part, THINKING)) }
    }
    case 'image_url':
    case 'video_url':
    case 'input_audio':
    case 'file':
      return decodeMedia(part, part.type) ?? { type: 'foreign', from: OWN, data: part }
    default:
      break
  }
  return { type: 'foreign', from: OWN, data: part }
}

/** The text of Mistral's `thinking` part, when it holds nothing but text. */
function thinkingText(part: JsonObject): string | undefined {
  if (!Array.isArray(part.thinking)) return undefined
  let found = ''
  for (const piece of part.thinking) {
    if (!isObject(piece) || piece.type !== 'text' || typeof piece.text !== 'string' || Object.keys(piece).length > 2) return undefined
    found += piece.text
  }
  return found
}

type MediaKind = 'image_url' | 'video_url' | 'input_audio' | 'file'

const NESTED: Record<MediaKind, ReadonlySet<string>> = {
  image_url: new Set(['url', 'detail']),
  video_url: new Set(['url']),
  input_audio: new Set(['data', 'format']),
  file: new Set(['file_data', 'filename', 'file_id']),
}

function decodeMedia(part: JsonObject, kind: MediaKind): Media | undefined {
  const plainUrl = typeof part[kind] === 'string' ? part[kind] : undefined
  const payload: JsonObject = plainUrl === undefined ? object(part[kind]) : { url: plainUrl }
  const found = mediaData(payload, kind)
  if (!found) return undefined
  const name = text(payload.filename)
  const detail = text(payload.detail)
  const cache = readCache(part)
  const nested = rest(payload, NESTED[kind])
  return {
    type: 'media',
    mediaType: found.mediaType,
    data: found.data,
    ...(name === undefined ? {} : { name }),
    ...(detail === undefined ? {} : { detail }),
    ...(cache ? { cache } : {}),
    ...own({
      ...rest(part, new Set(['type', kind, 'cache_control'])),
      ...keepCache(part, cache),
      ...(nested ? { [kind]: nested } : {}),
      ...(plainUrl === undefined ? {} : { _plain: true }),
      _kind: kind,
    }),
  }
}

function mediaData(payload: JsonObject, kind: MediaKind): Pick<Media, 'mediaType' | 'data'> | undefined {
  if (kind === 'input_audio') {
    if (typeof payload.data !== 'string' || typeof payload.format !== 'string') return undefined
    return { mediaType: AUDIO_FORMATS[payload.format] ?? `audio/${payload.format}`, data: { base64: payload.data } }
  }
  if (kind === 'file' && typeof payload.file_id === 'string') {
    return payload.file_data === undefined ? { mediaType: '*/*', data: { fileId: payload.file_id } } : undefined
  }
  const url = kind === 'file' ? payload.file_data : payload.url
  if (typeof url !== 'string') return undefined
  const match = DATA_URL.exec(url)
  if (match?.[1]) return { mediaType: match[1], data: { base64: url.slice(match[0].length) } }
  return { mediaType: kind === 'image_url' ? 'image/*' : kind === 'video_url' ? 'video/*' : 'application/pdf', data: { url } }
}

/** `cache_control` as a mark (OpenRouter, DashScope and others take it on parts); undefined when it says more than a mark can hold. */
export function readCache(part: JsonObject): CacheMark | undefined {
  const value = part.cache_control
  if (!isObject(value) || value.type !== 'ephemeral') return undefined
  for (const key of Object.keys(value)) if (key !== 'type' && key !== 'ttl') return undefined
  if (value.ttl === undefined) return {}
  return value.ttl === '5m' || value.ttl === '1h' ? { ttl: value.ttl } : undefined
}

/** Remembers that a mark was ours, so that it goes back; a mark we cannot read goes back as it is. */
export function keepCache(part: JsonObject, cache: CacheMark | undefined): JsonObject {
  if (part.cache_control === undefined) return {}
  return cache ? { _cache: true } : { cache_control: part.cache_control }
}

/** Writes a mark back where it was ours; OpenAI caches by itself and has no word for another maker's mark. */
export function writeCache(block: Pick<Media, 'cache' | 'ext'>, path: string, losses: Loss[]): JsonObject {
  if (!block.cache) return {}
  if (remembered(block.ext, 'cache') === true) {
    return { cache_control: block.cache.ttl ? { type: 'ephemeral', ttl: block.cache.ttl } : { type: 'ephemeral' } }
  }
  losses.push({ path: `${path}.cache_control`, reason: 'Chat Completions has no cache marks; its models cache by themselves' })
  return {}
}

/**
 * Writes a block as a content part. Calls, results and reasoning other than Mistral's have no part.
 * @returns undefined, with a Loss, for what the API cannot carry
 */
export function encodePart(block: Block, path: string, losses: Loss[]): JsonObject | undefined {
  if (block.type === 'foreign') {
    if (block.from === OWN) return block.data
    losses.push({ path, reason: `Chat Completions has no ${text(block.data.type) ?? 'such'} block` })
    return undefined
  }
  losses.push(...extensionLosses(block.ext, OWN, `${path}.`, 'Chat Completions has no such member'))
  switch (block.type) {
    case 'text':
      return { type: 'text', text: block.text, ...writeCache(block, path, losses), ...ownMembers(block.ext) }
    case 'refusal':
      return { type: 'refusal', refusal: block.text, ...ownMembers(block.ext) }
    case 'reasoning':
      return { type: 'thinking', thinking: [{ type: 'text', text: block.text }], ...ownMembers(block.ext) }
    case 'media':
      return encodeMedia(block, path, losses)
    case 'call':
    case 'result':
      losses.push({ path, reason: `Chat Completions takes no ${block.type} here` })
      return undefined
    default:
      return block satisfies never
  }
}

function encodeMedia(block: Media, path: string, losses: Loss[]): JsonObject | undefined {
  const kind = remembered(block.ext, 'kind')
  const native = typeof kind === 'string'
  const payload = mediaPayload(block, native)
  if (typeof payload === 'string') {
    losses.push({ path, reason: payload })
    return undefined
  }
  const members = ownMembers(block.ext)
  if (payload.type === 'text') return { ...payload, ...writeCache(block, path, losses) }
  const nested = payload.inner
  const extra = isObject(members[payload.type]) ? members[payload.type] : undefined
  delete members[payload.type]
  const inner = remembered(block.ext, 'plain') === true ? nested.url : { ...nested, ...object(extra) }
  return { type: payload.type, [payload.type]: inner, ...writeCache(block, path, losses), ...members }
}

type Payload = { type: MediaKind; inner: JsonObject } | { type: 'text'; text: string } | string

function mediaPayload(block: Media, native: boolean): Payload {
  const { data, mediaType, detail, name } = block
  if ('fileId' in data) {
    const ours = native || block.ext?.['openai-responses'] !== undefined
    return ours
      ? { type: 'file', inner: { file_id: data.fileId, ...(name ? { filename: name } : {}) } }
      : 'A file uploaded to another provider cannot be read here'
  }
  if (isPicture(block)) return { type: 'image_url', inner: { url: dataUrl(mediaType, data), ...(detail === undefined ? {} : { detail }) } }
  if (mediaType.startsWith('video/')) return { type: 'video_url', inner: { url: dataUrl(mediaType, data) } }
  if (mediaType.startsWith('audio/')) {
    if ('url' in data) return 'Chat Completions takes audio only inside the request'
    return { type: 'input_audio', inner: { data: data.base64, format: audioFormat(mediaType) } }
  }
  if (!native && 'url' in data) return 'Chat Completions takes files only inside the request'
  if (!native && 'base64' in data && TEXT_TYPES.test(mediaType)) {
    const plain = Buffer.from(data.base64, 'base64').toString('utf8')
    return { type: 'text', text: name ? `${name}:\n${plain}` : plain }
  }
  const filename = name ?? (native ? undefined : 'document.pdf')
  return { type: 'file', inner: { ...(filename === undefined ? {} : { filename }), file_data: dataUrl(mediaType, data) } }
}

/** Only pictures and, at vendors that have them, videos are fetched from an address (OpenAI API, Chat Completions, content parts). */
export function takesUrl(media: Media): boolean {
  return isPicture(media) || media.mediaType.startsWith('video/')
}

function isPicture({ mediaType, data }: Media): boolean {
  return mediaType.startsWith('image/') || ((mediaType === '' || mediaType === '*/*') && 'url' in data && IMAGE_PATH.test(data.url))
}

/** Media as a URL that a client or provider can open: the URL itself, or a data URL. */
export function dataUrl(mediaType: string, data: Exclude<MediaData, { fileId: string }>): string {
  return 'url' in data ? data.url : `data:${mediaType};base64,${data.base64}`
}

function audioFormat(mediaType: string): string {
  const subtype = mediaType.slice('audio/'.length).replace(/^x-/, '')
  for (const [format, known] of Object.entries(AUDIO_FORMATS)) if (known === mediaType || format === subtype) return format
  return subtype
}

const CALL = new Set(['id', 'type', 'index', 'function', 'extra_content'])
const CUSTOM_CALL = new Set(['id', 'type', 'index', 'custom'])
const FUNCTION = new Set(['name', 'arguments'])
const CUSTOM = new Set(['name', 'input'])

/** A call with the thoughts that rode on its id. */
export interface DecodedCall {
  call: Call
  reasoning: Reasoning[]
}

/**
 * Reads one entry of `tool_calls`.
 * @param fallbackId for vendors that give no id
 */
export function decodeCall(entry: JsonObject, fallbackId: string): DecodedCall {
  const id: CallId = readCallId(text(entry.id) || fallbackId)
  const custom = isObject(entry.custom) ? entry.custom : undefined
  const inner = custom ?? object(entry.function)
  const extra = {
    ...restSaid(entry, custom ? CUSTOM_CALL : CALL),
    ...nest(custom ? 'custom' : 'function', rest(inner, custom ? CUSTOM : FUNCTION)),
  }
  const input = argumentsText(custom ? custom.input : inner.arguments)
  const seal = id.seal ?? (isObject(entry.extra_content) ? { by: OWN, value: JSON.stringify(entry.extra_content) } : undefined)
  const call: Call = {
    type: 'call',
    id: id.id,
    name: text(inner.name) ?? '',
    input,
    ...(custom ? { custom: true } : {}),
    ...(seal ? { seal } : {}),
    ...own(extra),
  }
  return { call, reasoning: id.reasoning }
}

function nest(name: string, members: JsonObject | undefined): JsonObject {
  return members ? { [name]: members } : {}
}

/**
 * Writes an entry of `tool_calls`, as a whole answer, a request or (without input) the first piece of a stream has it.
 * @param reasoning the sealed thoughts its id shall carry; none in a request
 */
export function encodeCall(call: Call, reasoning: Reasoning[], input = call.input): JsonObject {
  const members = ownMembers(call.ext)
  const kind = call.custom ? 'custom' : 'function'
  const extra = members[kind]
  delete members[kind]
  const inner = call.custom ? { name: call.name, input } : { name: call.name, arguments: input }
  return {
    id: writeCallId(call.id, reasoning, call.seal),
    type: kind,
    [kind]: { ...inner, ...object(extra) },
    ...(call.seal?.by === OWN ? { extra_content: parseJson(call.seal.value) } : {}),
    ...members,
  }
}
