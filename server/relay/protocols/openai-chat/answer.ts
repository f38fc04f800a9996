import { isObject, type JsonObject } from '../../../../contract/json.ts'
import type { Block, Loss } from '../canonical.ts'
import { extensionLosses } from '../loss.ts'
import type { StreamCall } from '../protocol.ts'
import { dataUrl, encodeCall, encodePart } from './block.ts'
import type { Held } from './finish.ts'
import { writeOwnReasoning } from './message.ts'
import { isSealedElsewhere, packReasoning, writeDetail, type Reasoning } from './seals.ts'
import { OWN, ownMembers, remembered } from './wire.ts'

type Media = Extract<Block, { type: 'media' }>

/**
 * Writes the blocks of an answer as one assistant message. Thoughts are shown as `reasoning_content`; what their maker needs back
 * rides as seals.ts says.
 */
export function encodeAnswer(blocks: Block[], path: string, call: StreamCall, losses: Loss[]): { message: JsonObject; held: Held } {
  const message: JsonObject = { role: 'assistant', content: null, refusal: null }
  const held: Held = { calls: false, refusal: false }
  const calls: JsonObject[] = []
  const details: JsonObject[] = []
  const parts: JsonObject[] = []
  let texts = ''
  let plain = true
  /** Sealed thoughts that no call carries yet. */
  let pending: Reasoning[] = []
  for (const [index, block] of blocks.entries()) {
    const at = `${path}.content[${index}]`
    switch (block.type) {
      case 'reasoning':
        losses.push(...extensionLosses(block.ext, OWN, `${at}.`, 'Chat Completions has no such member'))
        if (isSealedElsewhere(block)) {
          pending.push(block)
          details.push(writeDetail(packReasoning([block]), details.length))
          if (block.text !== '') writeOwnReasoning(message, { type: 'reasoning', text: block.text })
        } else writeOwnReasoning(message, block)
        break
      case 'call':
        losses.push(...extensionLosses(block.ext, OWN, `${at}.`, 'Chat Completions has no such member'))
        held.calls = true
        calls.push(encodeCall(block, pending))
        pending = []
        break
      case 'refusal':
        held.refusal = true
        message.refusal = (typeof message.refusal === 'string' ? message.refusal : '') + block.text
        break
      case 'media': {
        const shown = encodeMedia(block, call)
        if (!shown) losses.push({ path: at, reason: 'Chat Completions shows no such media' })
        else if (shown.audio) message.audio = shown.audio
        else message.images = [...(Array.isArray(message.images) ? message.images : []), shown.image ?? null]
        break
      }
      default: {
        const part = encodePart(block, at, losses)
        if (!part) break
        if (Array.isArray(part.annotations)) {
          message.annotations = part.annotations
          delete part.annotations
        }
        parts.push(part)
        if (block.type === 'text') texts += block.text
        else plain = false
      }
    }
  }
  if (parts.length > 0) message.content = plain ? texts : parts
  else if (!held.calls && !held.refusal) message.content = ''
  if (details.length > 0) {
    const own = Array.isArray(message.reasoning_details) ? message.reasoning_details : []
    message.reasoning_details = [...own, ...details]
  }
  if (calls.length > 0) message.tool_calls = calls
  return { message, held }
}

/** Media of an answer: sound as OpenAI tells it, pictures as OpenRouter does; undefined for what neither has. */
export function encodeMedia(block: Media, call: StreamCall): { audio?: JsonObject; image?: JsonObject } | undefined {
  const { data, mediaType } = block
  if ('base64' in data && (remembered(block.ext, 'audio') === true || mediaType.startsWith('audio/'))) {
    return { audio: { id: `audio_${call.id}`, data: data.base64, expires_at: 0, transcript: '', ...ownMembers(block.ext) } }
  }
  if ('fileId' in data || !mediaType.startsWith('image/')) return undefined
  const members = ownMembers(block.ext)
  const nested = isObject(members.image_url) ? members.image_url : {}
  delete members.image_url
  return { image: { type: 'image_url', image_url: { url: dataUrl(mediaType, data), ...nested }, ...members } }
}
