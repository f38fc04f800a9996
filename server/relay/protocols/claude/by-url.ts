import { isObject, type Json, type JsonObject } from '../../../../contract/json.ts'
import type { MediaFile, NamedMedia } from '../protocol.ts'

/** What servers wrongly call a JPEG; the Messages API takes the right name only. */
const JPEG = { wrong: 'image/jpg', right: 'image/jpeg' }

/** Pictures and documents of a request whose source is an address: in messages, in tools' results and inside documents. */
export function mediaByUrl(body: JsonObject): NamedMedia[] {
  const found: NamedMedia[] = []
  mapMessages(body, (named) => {
    found.push(named)
    return undefined
  })
  return found
}

/** The request with bytes in place of the addresses that have some here; what holds none is not copied. */
export function withMedia(body: JsonObject, files: ReadonlyMap<string, MediaFile>): JsonObject {
  return mapMessages(body, ({ url }) => {
    const file = files.get(url)
    if (!file) return undefined
    return { type: 'base64', media_type: file.mediaType === JPEG.wrong ? JPEG.right : file.mediaType, data: file.base64 }
  })
}

/** The new source of a block, or undefined to leave it. */
type Replace = (named: NamedMedia) => JsonObject | undefined

function mapMessages(body: JsonObject, replace: Replace): JsonObject {
  const messages = mapList(body.messages, (message) => inContent(message, replace))
  return messages === body.messages ? body : { ...body, messages }
}

/** @returns the very same value where nothing of it changes, also where it is no list */
function mapList(value: Json | undefined, change: (item: JsonObject) => JsonObject): Json {
  if (!Array.isArray(value)) return value ?? null
  const mapped = value.map((item) => (isObject(item) ? change(item) : item))
  return mapped.some((item, index) => item !== value[index]) ? mapped : value
}

function inContent(holder: JsonObject, replace: Replace): JsonObject {
  if (!Array.isArray(holder.content)) return holder
  const content = mapList(holder.content, (block) => inBlock(block, replace))
  return content === holder.content ? holder : { ...holder, content }
}

function inBlock(block: JsonObject, replace: Replace): JsonObject {
  if (block.type === 'tool_result') return inContent(block, replace)
  if ((block.type !== 'image' && block.type !== 'document') || !isObject(block.source)) return block
  const { source } = block
  if (source.type === 'content') {
    const inner = inContent(source, replace)
    return inner === source ? block : { ...block, source: inner }
  }
  if (source.type !== 'url' || typeof source.url !== 'string') return block
  const replaced = replace({ url: source.url, mediaType: block.type === 'image' ? 'image/*' : 'application/pdf' })
  return replaced ? { ...block, source: replaced } : block
}
