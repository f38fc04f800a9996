import { isObject, type JsonObject } from '../../../../contract/json.ts'
import type { Block } from '../canonical.ts'
import { leftovers, own, remembered, text } from './wire.ts'
import { words } from '../../../../contract/words.ts'

type Media = Extract<Block, { type: 'media' }>

const IMAGE_MEMBERS = new Set(['type', 'image_url', 'file_id', 'detail', 'prompt_cache_breakpoint'])
const FILE_MEMBERS = new Set(['type', 'file_data', 'file_url', 'file_id', 'filename', 'detail', 'prompt_cache_breakpoint'])
const AUDIO_MEMBERS = new Set(['type', 'input_audio', 'prompt_cache_breakpoint'])
const DATA_URL = /^data:([^,]*?);base64,/
/** The formats `input_audio` names. */
const AUDIO_TYPES = words<string>({ wav: 'audio/wav', mp3: 'audio/mpeg' })
const AUDIO_FORMATS = words<string>({
  'audio/wav': 'wav',
  'audio/x-wav': 'wav',
  'audio/wave': 'wav',
  'audio/mpeg': 'mp3',
  'audio/mp3': 'mp3',
})
const FILE_TYPES = words<string>({
  pdf: 'application/pdf',
  txt: 'text/plain',
  md: 'text/markdown',
  csv: 'text/csv',
  html: 'text/html',
  json: 'application/json',
  xml: 'application/xml',
  docx: 'application/vnd.openxmlformats-officedocument.wordprocessingml.document',
  xlsx: 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
  pptx: 'application/vnd.openxmlformats-officedocument.presentationml.presentation',
})
const EXTENSIONS = new Map(Object.entries(FILE_TYPES).map(([extension, type]) => [type, extension]))
/** OpenAI takes documents by their name's ending; a file nobody described is most often a PDF. */
const DEFAULT_FILE_TYPE = 'application/pdf'
/** The kinds of images the API takes (developers.openai.com, images and vision). */
const IMAGE_TYPES = new Set(['image/png', 'image/jpeg', 'image/jpg', 'image/webp', 'image/gif', 'image/*'])

/**
 * Reads an `input_image`, `input_file` or `input_audio` part.
 * @returns undefined for any other part and for one without data (both are then kept whole as foreign)
 */
export function readMedia(part: JsonObject): Media | undefined {
  switch (part.type) {
    case 'input_image':
      return readImage(part)
    case 'input_file':
      return readFile(part)
    case 'input_audio': {
      const audio = isObject(part.input_audio) ? part.input_audio : {}
      const mediaType = AUDIO_TYPES[text(audio.format) ?? '']
      if (typeof audio.data !== 'string' || mediaType === undefined || Object.keys(audio).length > 2) return undefined
      return { type: 'media', mediaType, data: { base64: audio.data }, ...own(leftovers(part, AUDIO_MEMBERS)) }
    }
    default:
      return undefined
  }
}

function readImage(part: JsonObject): Media | undefined {
  // Chat's form, an object with a url, is sent by clients that speak both.
  const nested = isObject(part.image_url) ? text(part.image_url.url) : undefined
  const url = text(part.image_url) ?? nested
  const fileId = text(part.file_id)
  const detail = text(part.detail)
  const found = url !== undefined ? readUrl(url, 'image/*') : fileId !== undefined ? { mediaType: 'image/*', data: { fileId } } : undefined
  if (!found || (url !== undefined && fileId !== undefined) || !found.mediaType.startsWith('image/')) return undefined
  const memory = nested === undefined ? {} : { _url: part.image_url }
  return {
    type: 'media',
    ...found,
    ...(detail === undefined ? {} : { detail }),
    ...own({ ...leftovers(part, IMAGE_MEMBERS), ...memory }),
  }
}

function readFile(part: JsonObject): Media | undefined {
  const name = text(part.filename)
  const data = text(part.file_data)
  const url = text(part.file_url)
  const fileId = text(part.file_id)
  const detail = text(part.detail)
  const guess = FILE_TYPES[(name ?? url?.replace(/[?#].*/, '') ?? '').split('.').at(-1)?.toLowerCase() ?? ''] ?? DEFAULT_FILE_TYPE
  if ([data, url, fileId].filter((each) => each !== undefined).length !== 1) return undefined
  const kept = leftovers(part, FILE_MEMBERS)
  let found: Pick<Media, 'mediaType' | 'data'>
  if (data !== undefined) {
    const whole = readUrl(data, guess)
    if ('url' in whole.data) {
      found = { mediaType: guess, data: { base64: data } }
      kept._bare = true
    } else found = whole
  } else if (url !== undefined) found = { mediaType: guess, data: { url } }
  else found = { mediaType: guess, data: { fileId: fileId ?? '' } }
  return {
    type: 'media',
    ...found,
    ...(name === undefined ? {} : { name }),
    ...(detail === undefined ? {} : { detail }),
    ...own({ ...kept, _file: true }),
  }
}

function readUrl(url: string, mediaType: string): Pick<Media, 'mediaType' | 'data'> {
  const head = DATA_URL.exec(url)
  if (!head?.[1]) return { mediaType, data: { url } }
  return { mediaType: head[1], data: { base64: url.slice(head[0].length) } }
}

/**
 * Writes media as an input part, without its extensions.
 * @param native the talk was spoken in this protocol, so file ids are OpenAI's own
 * @returns the reason as text where OpenAI cannot take it
 */
export function writeMedia(media: Media, native: boolean): JsonObject | string {
  const { data, mediaType } = media
  if (!native && 'fileId' in data) return 'A file uploaded to another provider cannot be read by OpenAI'
  if (!native && mediaType.startsWith('video/')) return 'OpenAI takes no video'
  const file = remembered(media.ext, 'file') === true
  const detail = media.detail === undefined ? {} : { detail: media.detail }
  if (mediaType.startsWith('audio/') && !file) {
    const format = AUDIO_FORMATS[mediaType]
    if (!('base64' in data)) return 'OpenAI takes sound as data only'
    if (format === undefined) return `OpenAI takes no ${mediaType}`
    return { type: 'input_audio', input_audio: { data: data.base64, format } }
  }
  if (mediaType.startsWith('image/') && !file) {
    if (!native && 'base64' in data && !IMAGE_TYPES.has(mediaType)) return `OpenAI takes no ${mediaType} images`
    const known = native ? detail : { detail: media.detail ?? 'auto' }
    if ('fileId' in data) return { type: 'input_image', file_id: data.fileId, ...known }
    const nested = remembered(media.ext, 'url')
    return { type: 'input_image', image_url: nested ?? ('url' in data ? data.url : dataUrl(mediaType, data.base64)), ...known }
  }
  const name = media.name === undefined ? {} : { filename: media.name }
  if ('fileId' in data) return { type: 'input_file', file_id: data.fileId, ...name, ...detail }
  if ('url' in data) return { type: 'input_file', file_url: data.url, ...(native ? name : {}), ...detail }
  const bare = remembered(media.ext, 'bare') === true
  const named = native ? name : { filename: withExtension(media.name, mediaType) }
  return { type: 'input_file', ...named, file_data: bare ? data.base64 : dataUrl(mediaType, data.base64), ...detail }
}

/** OpenAI fetches pictures (`image_url`) and files (`file_url`); sound must stand in the request. */
export function takesUrl(media: Media): boolean {
  return !media.mediaType.startsWith('audio/')
}

function dataUrl(mediaType: string, base64: string): string {
  return `data:${mediaType};base64,${base64}`
}

/** OpenAI reads a file's kind from its name, which other protocols give as a title or not at all. */
function withExtension(name: string | undefined, mediaType: string): string {
  const extension = EXTENSIONS.get(mediaType.split(';')[0] ?? '') ?? (mediaType.startsWith('text/') ? 'txt' : 'pdf')
  if (name === undefined || name === '') return `file.${extension}`
  return /\.[A-Za-z0-9]{1,5}$/.test(name) ? name : `${name}.${extension}`
}
