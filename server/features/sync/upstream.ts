import { isObject, type Json } from '../../../contract/json.ts'
import { AppError } from '../../../contract/errors.ts'
import { tooDeep } from '../../http/body.ts'
import type { Deps } from '../../http/deps.ts'
import { describeError } from '../../lib/log.ts'
import { OutboundBlocked } from '../../lib/outbound.ts'
import { readCapped } from '../../lib/read-capped.ts'
import type { ChannelAccess } from '../channels/health.ts'

/** The contract's bound of one request (10.2). */
const TIMEOUT_MS = 30_000
/** The largest public list has 2 MB. */
const MAX_BYTES = 16 * 1024 * 1024
/** Pages of a list, of up to a thousand models each. */
const MAX_PAGES = 20
/** What Claude's API wants of every caller (its page "Versions"). */
const ANTHROPIC_VERSION = '2023-06-01'

/** A list to ask for. */
export interface Source {
  /** As it stands in an answer's `source`. */
  readonly label: string
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  /** How the next page is asked for; undefined: there is one page. */
  readonly next?: (body: Json, url: string) => string | undefined
}

/** A source said nothing until its time was over: what else is at that address would not answer either. */
export class SourceSilent extends AppError {
  constructor(source: Source, cause: unknown) {
    super('sync_source_failed', { message: `${source.label} did not answer within ${TIMEOUT_MS / 1000} s`, cause })
  }
}

type SyncDeps = Pick<Deps, 'fetch'>

/**
 * Reads a list to its last page.
 * @returns the bodies in their order
 * @throws AppError sync_source_failed with what a person can act on; never with text of the upstream (W99)
 */
export async function readSource(deps: SyncDeps, source: Source, signal?: AbortSignal): Promise<Json[]> {
  const bodies: Json[] = []
  const deadline = AbortSignal.timeout(TIMEOUT_MS)
  const until = signal ? AbortSignal.any([deadline, signal]) : deadline
  let url: string | undefined = source.url
  while (url !== undefined) {
    if (bodies.length >= MAX_PAGES) throw failed(source, `has more than ${MAX_PAGES} pages`)
    const body: Json = await readPage(deps, source, url, until)
    bodies.push(body)
    const next: string | undefined = source.next?.(body, url)
    if (next === url) throw failed(source, 'names the same page as its next one')
    url = next
  }
  return bodies
}

async function readPage(deps: SyncDeps, source: Source, url: string, signal: AbortSignal): Promise<Json> {
  let response: Response
  let bytes: Uint8Array | undefined
  try {
    response = await deps.fetch(url, { headers: { ...source.headers, accept: 'application/json' }, signal })
    bytes = response.status === 200 ? await readCapped(response, MAX_BYTES) : undefined
    if (response.status !== 200) await response.body?.cancel()
  } catch (cause) {
    if (cause instanceof OutboundBlocked) throw failed(source, `is not allowed: ${cause.message}`, cause)
    const late = signal.aborted || (cause as { name?: unknown }).name === 'TimeoutError'
    if (late) throw new SourceSilent(source, cause)
    throw failed(source, `cannot be reached (${describeError(cause)})`, cause)
  }
  if (response.status !== 200) throw failed(source, `answered ${response.status}`)
  if (bytes === undefined) throw failed(source, `is larger than ${MAX_BYTES / 1024 / 1024} MiB`)
  const text = new TextDecoder().decode(bytes).trimStart()
  if (text.startsWith('<')) throw failed(source, 'returned HTML instead of JSON')
  if (tooDeep(text)) throw failed(source, 'is nested too deep')
  try {
    return JSON.parse(text) as Json
  } catch (cause) {
    throw failed(source, 'returned something that is not JSON', cause)
  }
}

function failed(source: Source, reason: string, cause?: unknown): AppError {
  return new AppError('sync_source_failed', { message: `${source.label} ${reason}`, cause })
}

type Access = Pick<ChannelAccess, 'protocol' | 'vendor' | 'baseUrl' | 'key'>

/** Header that carries the channel's key; a cloud that wants a signature has no list to read with one. */
function keyHeaders({ protocol, vendor, key }: Access): Record<string, string> {
  const auth = vendor?.auth ?? (protocol === 'claude' ? 'x-api-key' : protocol === 'gemini' ? 'x-goog-api-key' : 'bearer')
  if (key === '' || auth === 'google' || auth === 'aws') return {}
  return auth === 'bearer' ? { authorization: `Bearer ${key}` } : { [auth]: key }
}

/** A path below the channel's root: a base that ends in its version is not given another one (contract.md 10.2). */
export function sourceAt(access: Access, path: string, withKey: boolean): Source {
  const root = access.baseUrl.replace(/\/+$/, '').replace(/\/v\d+(beta)?$/, '')
  return { label: path, url: `${root}${path}`, headers: withKey ? keyHeaders(access) : {} }
}

/** A list somewhere else, asked for without any key. */
export function publicSource(label: string, url: string): Source {
  return { label, url, headers: {} }
}

/** The list as the maker of the channel's protocol, or its vendor, has it; undefined when that is OpenAI's own. */
export function ownList(access: Access): Source | undefined {
  const { protocol, vendor } = access
  if (vendor?.quirks.includes('no_model_list')) return undefined
  const root = access.baseUrl.replace(/\/+$/, '')
  if (vendor && vendor.modelList.startsWith('https:'))
    // Only a channel to the vendor's own address is led elsewhere: its key is the vendor's.
    return root === vendor.baseUrl ? { label: vendor.modelList, url: vendor.modelList, headers: keyHeaders(access) } : undefined
  if (protocol === 'claude') return claudeList(access)
  if (protocol === 'gemini') return geminiList(access)
  if (!vendor || vendor.modelList === '') return undefined
  return { label: vendor.modelList, url: `${root}${vendor.modelList}`, headers: keyHeaders(access) }
}

/** Pages by `after_id` while `has_more` (Claude's API, "List Models"). */
function claudeList(access: Access): Source {
  const own = sourceAt(access, '/v1/models', true)
  return {
    ...own,
    url: `${own.url}?limit=1000`,
    headers: { ...own.headers, 'anthropic-version': ANTHROPIC_VERSION },
    next: (body) =>
      isObject(body) && body['has_more'] === true && typeof body['last_id'] === 'string'
        ? `${own.url}?limit=1000&after_id=${encodeURIComponent(body['last_id'])}`
        : undefined,
  }
}

/** Pages by `nextPageToken` (Gemini API, models.list). */
function geminiList(access: Access): Source {
  const own = sourceAt(access, '/v1beta/models', true)
  return {
    ...own,
    url: `${own.url}?pageSize=1000`,
    next: (body) =>
      isObject(body) && typeof body['nextPageToken'] === 'string' && body['nextPageToken'] !== ''
        ? `${own.url}?pageSize=1000&pageToken=${encodeURIComponent(body['nextPageToken'])}`
        : undefined,
  }
}
