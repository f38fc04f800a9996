import { AppError } from '../../contract/errors.ts'
import { describeError } from '../lib/log.ts'
import type { AdmittedCall } from './call.ts'

/** What stands in place of a customer's own words. */
const MASK = '[…]'
/** As many characters in a row as the request has them are a quotation, not chance. */
const QUOTED_CHARS = 12
/** A whole line of the request, as a short prompt is, counts from here on. */
const MIN_LINE_CHARS = 4
/** A longer line is found by its pieces. */
const MAX_LINE_CHARS = 2 * QUOTED_CHARS
/** Up to this size of a request a quotation is looked for at each character, beyond it only where 23 characters are quoted. */
const CLOSE_LOOK_CHARS = 65_536
/** What upstreams say is kept no further than this (lib/log.ts cuts sooner). */
const MAX_TEXT_CHARS = 1_000

/**
 * An upstream's words for logs and rows, without what they quote of the customer's request (S17): validators and moderation filters
 * repeat it. For failures only, so that its cost (a search of the request for some pieces) is no matter.
 */
export function withoutCustomersWords(text: string, { ingress, body }: Pick<AdmittedCall, 'ingress' | 'body'>): string {
  const cut = text.slice(0, MAX_TEXT_CHARS)
  return maskQuoted(cut, ingress.protocol.requestText(body))
}

/** Why a call failed, for logs and rows: not in the words for the customer, which may repeat his own. */
export function privateReason(failure: unknown): string {
  return describeError(failure instanceof AppError && failure.cause !== undefined ? failure.cause : failure)
}

/** Masks every part of `text` that stands in `request` too. */
export function maskQuoted(text: string, request: string): string {
  let masked = ''
  let kept = 0
  const step = request.length <= CLOSE_LOOK_CHARS ? 1 : QUOTED_CHARS
  for (let at = 0; at + QUOTED_CHARS <= text.length;) {
    const found = request.indexOf(text.slice(at, at + QUOTED_CHARS))
    if (found < 0) {
      at += step
      continue
    }
    let start = at
    let end = at + QUOTED_CHARS
    for (let before = found - 1; start > kept && text[start - 1] === request[before]; before -= 1) start -= 1
    for (let after = found + QUOTED_CHARS; end < text.length && text[end] === request[after]; after += 1) end += 1
    masked += text.slice(kept, start) + MASK
    kept = at = end
  }
  return maskLines(masked + text.slice(kept), request)
}

/** Short lines, whole. */
function maskLines(text: string, request: string): string {
  let masked = text
  for (let start = 0; start < request.length;) {
    const newline = request.indexOf('\n', start)
    const end = newline < 0 ? request.length : newline
    const length = end - start
    if (length >= MIN_LINE_CHARS && length <= MAX_LINE_CHARS) {
      const line = request.slice(start, end)
      if (masked.includes(line)) masked = masked.replaceAll(line, MASK)
    }
    start = end + 1
  }
  return masked
}
