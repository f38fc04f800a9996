import { isObject } from '../../../../contract/json.ts'
import type { Json, JsonObject } from '../../../../contract/json.ts'
import { WireError } from '../protocol.ts'
import type { PatchEdit, PathInfo, Peek } from '../protocol.ts'
import { unpackSeal } from '../seal.ts'
import { NO_SIGNATURE, wantsSignatures } from './request-encode.ts'
import { GEMINI, bareModel, count, member, text } from './wire.ts'

/**
 * What routing needs; the URL's model wins over the body's.
 * @throws WireError when there is no model
 */
export function peek(body: JsonObject, path: PathInfo): Peek {
  const model = bareModel(path.model ?? text(body.model) ?? '')
  if (model === '') throw new WireError('Model not specified', 'model')
  const config = member(body, 'generationConfig', 'generation_config')
  const maxOutputTokens = count(config?.maxOutputTokens)
  return {
    model,
    stream: path.action === 'streamGenerateContent',
    choices: Math.max(1, count(config?.candidateCount) ?? 1),
    wantsUsage: true,
    ...(maxOutputTokens !== undefined && { maxOutputTokens }),
  }
}

/**
 * The same body for the upstream, or the very same object when there is nothing to change. The model stands in the URL; a body
 * that names it too gets the upstream's name. Seals of other makers, left in the talk by a channel that speaks another protocol,
 * are taken out: Google refuses what it did not sign.
 */
export function patch(body: JsonObject, edit: PatchEdit): JsonObject {
  let patched = body
  const named = text(body.model)
  if (named !== undefined) patched = { ...patched, model: named.startsWith('models/') ? `models/${edit.model}` : edit.model }
  if (Array.isArray(body.contents) && body.contents.some(hasForeignSeal)) {
    const contents = body.contents.map((content, index) => (hasForeignSeal(content) ? withoutSeals(content, index, edit) : content))
    patched = { ...patched, contents }
  }
  return patched
}

function signatureOf(part: Json): string | undefined {
  return isObject(part) ? (text(part.thoughtSignature) ?? text(part.thought_signature)) : undefined
}

function isForeign(part: Json): boolean {
  const signature = signatureOf(part)
  return signature !== undefined && unpackSeal(signature, GEMINI)?.by !== GEMINI
}

function hasForeignSeal(content: Json): boolean {
  return isObject(content) && Array.isArray(content.parts) && content.parts.some(isForeign)
}

function withoutSeals(content: Json, index: number, edit: PatchEdit): Json {
  if (!isObject(content) || !Array.isArray(content.parts)) return content
  const parts: Json[] = []
  content.parts.forEach((part, position) => {
    if (!isObject(part) || !isForeign(part)) {
      parts.push(part)
      return
    }
    edit.losses?.push({
      path: `contents[${index}].parts[${position}].thoughtSignature`,
      reason: 'only the maker that sealed it can read it',
    })
    const { thoughtSignature: _, thought_signature: __, ...rest } = part
    const calls = rest.functionCall !== undefined || rest.function_call !== undefined
    if (calls && wantsSignatures(edit.model)) rest.thoughtSignature = NO_SIGNATURE
    // A part that only brought the seal is nothing without it.
    if (calls || text(rest.text) !== '') parts.push(rest)
  })
  return { ...content, parts: parts.length > 0 ? parts : [{ text: '' }] }
}

/**
 * The URL of a call. A base that ends in a version gets ours in its place (contract.md 6.3); a Vertex base that ends in
 * `publishers/google` has its version inside.
 * @example endpoint('https://generativelanguage.googleapis.com', {model: 'gemini-3-pro', stream: false}).url
 * // https://generativelanguage.googleapis.com/v1beta/models/gemini-3-pro:generateContent
 */
export function endpoint(
  base: string,
  call: { model: string; stream: boolean },
): { url: string; headers(key: string): Record<string, string> } {
  const root = base.replace(/\/+$/, '')
  const versioned = /\/v\d[^/]*\/.*publishers\/[^/]+$/.test(root) ? root : `${root.replace(/\/v1(beta)?$/, '')}/v1beta`
  const action = call.stream ? 'streamGenerateContent?alt=sse' : 'generateContent'
  return {
    url: `${versioned}/models/${encodeURIComponent(bareModel(call.model))}:${action}`,
    // A key in the URL would stand in access logs.
    headers: (key) => ({ 'x-goog-api-key': key }),
  }
}
