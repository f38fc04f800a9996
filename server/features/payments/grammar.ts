import { collect } from '../../http/collect.ts'
import type { Fields } from './signing.ts'

/** A notification has ten short fields; 16 KiB is many times that. */
const MAX_BODY_BYTES = 16 * 1024
const MAX_FIELDS = 32
/** The longest value is our own subject line. */
const MAX_VALUE = 256
/** A site's name as a gateway shows it. */
const MAX_SIGNED_TEXT = 64
const NAME = /^[A-Za-z][A-Za-z0-9_]{0,39}$/
/** Printable ASCII without `&` and `=`: no value can be read as two fields (X6). */
const VALUE = /^[\x20-\x25\x27-\x3c\x3e-\x7e]+$/
const ORDER_NO = /^PAY\d{14}[0-9A-F]{32}$/
const AMOUNT = /^(\d{1,9})(?:\.(\d{1,2}))?$/
const TRADE_NO = /^[\w.-]{1,64}$/

export type Received = { ok: true; fields: Fields } | { ok: false; reason: string }

/**
 * The fields of a callback. One source per method (X7): a GET has them in its address, a POST in its body and nothing in
 * its address. A repeated, blank, long, odd or not-ASCII field refuses the whole.
 */
export async function receive(request: Request): Promise<Received> {
  const query = [...new URL(request.url).searchParams]
  if (request.method === 'GET') return strict(query)
  if (query.length > 0) return { ok: false, reason: 'fields in the address of a POST' }
  const pairs = await readPairs(request)
  return pairs === undefined ? { ok: false, reason: 'the body cannot be read' } : strict(pairs)
}

function strict(pairs: readonly (readonly [string, string])[]): Received {
  if (pairs.length === 0) return { ok: false, reason: 'no fields' }
  if (pairs.length > MAX_FIELDS) return { ok: false, reason: 'too many fields' }
  const fields = new Map<string, string>()
  for (const [name, value] of pairs) {
    if (!NAME.test(name)) return { ok: false, reason: 'a field name that no gateway sends' }
    // Names are told apart without case when signed, so they are here.
    if ([...fields.keys()].some((known) => known.toLowerCase() === name.toLowerCase()))
      return { ok: false, reason: `repeated field ${name}` }
    if (value.length > MAX_VALUE) return { ok: false, reason: `field ${name} is too long` }
    if (value.trim() === '' || !VALUE.test(value)) return { ok: false, reason: `field ${name} is blank or has a forbidden character` }
    fields.set(name, value)
  }
  return { ok: true, fields }
}

async function readPairs(request: Request): Promise<[string, string][] | undefined> {
  const bytes = await readCapped(request)
  if (bytes === undefined) return undefined
  const given = request.headers.get('content-type') ?? ''
  const type = given.toLowerCase()
  if (type.includes('application/json')) return flatJson(bytes.toString('utf8'))
  if (type.startsWith('multipart/form-data')) {
    try {
      const pairs = [...(await new Response(new Uint8Array(bytes), { headers: { 'content-type': given } }).formData())]
      return pairs.every(([, value]) => typeof value === 'string') ? (pairs as [string, string][]) : undefined
    } catch {
      return undefined
    }
  }
  return type.startsWith('application/x-www-form-urlencoded') ? [...new URLSearchParams(bytes.toString('utf8'))] : undefined
}

/** The body, or undefined when it is larger, or comes more slowly, than it may. */
export async function readCapped(request: Request, maxBytes = MAX_BODY_BYTES): Promise<Buffer | undefined> {
  const bytes = await collect(request, maxBytes)
  return typeof bytes === 'string' ? undefined : Buffer.from(bytes)
}

const PAIR = /\s*("(?:[^"\\]|\\.)*")\s*:\s*("(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?)\s*(,|$)/y

/** A flat JSON object of strings and numbers as pairs, with what `JSON.parse` would hide: repeated names. */
function flatJson(text: string): [string, string][] | undefined {
  const inner = /^\s*\{([^]*)\}\s*$/.exec(text)?.[1]
  if (inner === undefined) return undefined
  if (inner.trim() === '') return []
  const pairs: [string, string][] = []
  PAIR.lastIndex = 0
  try {
    for (;;) {
      const match = PAIR.exec(inner)
      if (!match) return undefined
      const [, name = '', value = '', comma] = match
      pairs.push([JSON.parse(name) as string, value.startsWith('"') ? (JSON.parse(value) as string) : value])
      if (comma === '') return pairs
    }
  } catch {
    return undefined
  }
}

/** True for an order number of ours. */
export function isOrderNo(text: string): boolean {
  return ORDER_NO.test(text)
}

export function isTradeNo(text: string): boolean {
  return TRADE_NO.test(text)
}

/** `72`, `72.0`, `72.00` in hundredths; anything else is undefined. */
export function centsOf(text: string): number | undefined {
  const match = AMOUNT.exec(text)
  return match ? Number(match[1]) * 100 + Number((match[2] ?? '').padEnd(2, '0')) : undefined
}

/** Hundredths with exactly two decimals. */
export function centsText(cents: number): string {
  return `${Math.floor(cents / 100)}.${String(cents % 100).padStart(2, '0')}`
}

/** Makes free text of ours fit to be signed: what could be read as another field becomes a space. */
export function plain(text: string): string {
  return text
    .replace(/[&=\p{Cc}]/gu, ' ')
    .slice(0, MAX_SIGNED_TEXT)
    .trim()
}
