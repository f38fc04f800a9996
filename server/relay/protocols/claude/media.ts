import { isObject, type Json, type JsonObject } from '../../../../contract/json.ts'
import type { Block } from '../canonical.ts'
import { OWN, own, readCache, rest, text } from './wire.ts'

type Media = Extract<Block, { type: 'media' }>

const IMAGE_MEMBERS = new Set(['type', 'source', 'cache_control'])
const DOCUMENT_MEMBERS = new Set(['type', 'source', 'title', 'cache_control'])
/** The kinds of images the Messages API takes as base64 (platform.claude.com, vision). */
const IMAGE_TYPES = new Set(['image/jpeg', 'image/png', 'image/gif', 'image/webp'])
/** Text formats besides `text/*` that a plain-text document can hold without loss. */
const TEXT_TYPES = /^(text\/|application\/(json|xml|x-yaml|yaml|javascript|x-ndjson|sql|toml)\b)/
const IMAGE_PATH = /\.(jpe?g|png|gif|webp)(\?|#|$)/i

/**
 * Reads an `image` or `document` block.
 * @returns undefined for a source we do not know (the block is then kept whole as foreign)
 */
export function readMedia(block: JsonObject): Media | undefined {
  const source = block.source
  if (!isObject(source)) return undefined
  const image = block.type === 'image'
  const found = readSource(source, image)
  if (!found) return undefined
  const cache = readCache(block.cache_control)
  const extra = rest(block, image ? IMAGE_MEMBERS : DOCUMENT_MEMBERS)
  const name = image ? undefined : text(block.title)
  const kept: JsonObject = { ...extra, ...found.keep }
  if (!cache && isObject(block.cache_control)) kept.cache_control = block.cache_control
  return {
    type: 'media',
    mediaType: found.mediaType,
    data: found.data,
    ...(name === undefined ? {} : { name }),
    ...(cache ? { cache } : {}),
    ...own(Object.keys(kept).length > 0 ? kept : undefined),
  }
}

function readSource(source: JsonObject, image: boolean): (Pick<Media, 'mediaType' | 'data'> & { keep?: JsonObject }) | undefined {
  const mediaType = text(source.media_type)
  switch (source.type) {
    case 'base64':
      return typeof source.data === 'string' && mediaType ? { mediaType, data: { base64: source.data } } : undefined
    case 'url':
      return typeof source.url === 'string' ? { mediaType: image ? 'image/*' : 'application/pdf', data: { url: source.url } } : undefined
    case 'file':
      return typeof source.file_id === 'string'
        ? { mediaType: image ? 'image/*' : 'application/pdf', data: { fileId: source.file_id } }
        : undefined
    case 'text':
      return typeof source.data === 'string'
        ? { mediaType: 'text/plain', data: { base64: Buffer.from(source.data, 'utf8').toString('base64') } }
        : undefined
    case 'content': {
      // A document made of blocks: its text travels as a file, its structure (what citations point at) only to Claude.
      const plain = contentText(source.content)
      return plain === undefined
        ? undefined
        : { mediaType: 'text/plain', data: { base64: Buffer.from(plain, 'utf8').toString('base64') }, keep: { source } }
    }
    default:
      return undefined
  }
}

function contentText(content: Json | undefined): string | undefined {
  if (typeof content === 'string') return content
  if (!Array.isArray(content)) return undefined
  const parts: string[] = []
  for (const part of content) {
    if (!isObject(part) || part.type !== 'text' || typeof part.text !== 'string') return undefined
    parts.push(part.text)
  }
  return parts.join('\n')
}

/**
 * Writes media as an `image` or `document` block, without its cache mark and extensions.
 * @param native the talk was spoken in this protocol, so file ids are Claude's own
 * @returns the reason as text where Claude cannot take it
 */
export function writeMedia(media: Media, native: boolean): JsonObject | string {
  const { data, mediaType } = media
  const image = isImage(media)
  if ('fileId' in data) {
    if (!native) return 'A file uploaded to another provider cannot be read by Claude'
    return titled(image, { type: 'file', file_id: data.fileId }, media)
  }
  if (!native && /^(audio|video)\//.test(mediaType)) return 'Claude takes no audio and no video'
  if ('url' in data) return titled(image, { type: 'url', url: data.url }, media)
  if (isObject(media.ext?.[OWN]?.source)) return titled(false, media.ext[OWN].source, media)
  if (image) {
    const known = mediaType === 'image/jpg' ? 'image/jpeg' : mediaType
    if (!native && !IMAGE_TYPES.has(known)) return `Claude takes no ${mediaType} images`
    return titled(true, { type: 'base64', media_type: known, data: data.base64 }, media)
  }
  if (TEXT_TYPES.test(mediaType)) {
    return titled(false, { type: 'text', media_type: 'text/plain', data: Buffer.from(data.base64, 'base64').toString('utf8') }, media)
  }
  if (!native && mediaType !== 'application/pdf') return `Claude takes no ${mediaType} files`
  return titled(false, { type: 'base64', media_type: mediaType, data: data.base64 }, media)
}

/** Claude fetches pictures and PDFs (platform.claude.com, vision and PDF support); plain text must stand in the request. */
export function takesUrl(media: Media): boolean {
  return !TEXT_TYPES.test(media.mediaType)
}

function isImage(media: Media): boolean {
  if (media.mediaType.startsWith('image/')) return true
  const unnamed = media.mediaType === '' || media.mediaType === '*/*'
  return unnamed && 'url' in media.data && IMAGE_PATH.test(media.data.url)
}

function titled(image: boolean, source: JsonObject, media: Media): JsonObject {
  if (image) return { type: 'image', source }
  return media.name === undefined ? { type: 'document', source } : { type: 'document', source, title: media.name }
}
