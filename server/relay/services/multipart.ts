import type { JsonObject } from '../../../contract/json.ts'
import { WireError } from '../protocols/protocol.ts'

/** One part of a form: where its value stands in the body. */
interface Part {
  name: string
  isFile: boolean
  start: number
  end: number
}

interface Form {
  contentType: string
  parts: readonly Part[]
}

/** More parts than any of the operations has. */
const MAX_PARTS = 200
/** Fields are words, numbers and prompts; longer ones are no fields. */
const MAX_FIELD_BYTES = 1024 * 1024

/** The field that says which. */
const MODEL = 'model'

/** Which form a body was read from: the bytes themselves are sent on, with nothing but the model's name replaced. */
const forms = new WeakMap<JsonObject, Form>()

/**
 * Reads a `multipart/form-data` body: fields as text, files as the sum of their bytes under their name without `[]`.
 * @throws WireError when it is none
 */
export function readForm(bytes: Uint8Array, contentType: string): JsonObject {
  const boundary = /^multipart\/form-data\s*;.*\bboundary=(?:"([^"]{1,200})"|([^;\s]{1,200}))/i.exec(contentType)
  const mark = boundary?.[1] ?? boundary?.[2]
  // Of two marks each reader takes its own.
  if (mark === undefined || [...contentType.matchAll(/[;\s]boundary\s*=/gi)].length > 1)
    throw new WireError('The body must be multipart/form-data')
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const parts = partsOf(buffer, mark)
  const body: JsonObject = {}
  for (const { name, isFile, start, end } of parts) {
    const plain = name.endsWith('[]') ? name.slice(0, -2) : name
    const known = body[plain]
    // Two models, or one by another spelling: what is allowed and paid would be one and what is served the other.
    if (plain.toLowerCase() === MODEL && (name !== MODEL || isFile || known !== undefined))
      throw new WireError(`The form must name the model once, as the field "${MODEL}"`, MODEL)
    if (isFile) body[plain] = (typeof known === 'number' ? known : 0) + end - start
    else {
      if (end - start > MAX_FIELD_BYTES) throw new WireError(`The field ${plain.slice(0, 60)} is too long`, plain.slice(0, 60))
      body[plain] = buffer.toString('utf8', start, end)
    }
  }
  forms.set(body, { contentType, parts })
  return body
}

function partsOf(buffer: Buffer, mark: string): Part[] {
  const broken = new WireError('The multipart body is not complete')
  const delimiter = Buffer.from(`--${mark}`)
  const between = Buffer.from(`\r\n--${mark}`)
  const parts: Part[] = []
  let at = buffer.indexOf(delimiter)
  if (at < 0) throw broken
  at += delimiter.length
  // `--` after the mark ends the form.
  while (buffer.toString('latin1', at, at + 2) !== '--') {
    const headersEnd = buffer.indexOf('\r\n\r\n', at)
    const end = headersEnd < 0 ? -1 : buffer.indexOf(between, headersEnd + 4)
    if (end < 0 || parts.length >= MAX_PARTS) throw broken
    const disposition = /^content-disposition:\s*form-data\s*;(.*)$/im.exec(buffer.toString('utf8', at, headersEnd))?.[1] ?? ''
    const [named, ...more] = disposition.replace(/\bfilename\*?=("[^"]*"|[^;]*)/gi, '').matchAll(/\bname\b(?:="([^"]*)")?/gi)
    const name = named?.[1]
    // Neither a second name nor an encoded one is a form's (RFC 7578, 4.2).
    if (name === undefined || more.length > 0 || name.includes('\\')) throw broken
    parts.push({ name, isFile: /\bfilename\*?=/i.test(disposition), start: headersEnd + 4, end })
    at = end + between.length
  }
  return parts
}

/**
 * The form's own bytes with another model name; a form that named no model gets none.
 * @throws TypeError for a body that was not read from a form
 */
export function formWithModel(body: JsonObject, bytes: Uint8Array, model: string): { bytes: Uint8Array; contentType: string } {
  const form = forms.get(body)
  if (!form) throw new TypeError('not the body of a form')
  const pieces: Uint8Array[] = []
  let from = 0
  for (const { name, isFile, start, end } of form.parts) {
    if (name !== MODEL || isFile) continue
    pieces.push(bytes.subarray(from, start), Buffer.from(model))
    from = end
  }
  return { bytes: Buffer.concat([...pieces, bytes.subarray(from)]), contentType: form.contentType }
}
