import { AppError } from '../../contract/errors.ts'
import { describeError } from '../lib/log.ts'
import { readBounded } from './bounded.ts'
import type { AdmittedCall } from './call.ts'
import type { RelayDeps } from './deps.ts'
import type { JsonObject } from '../../contract/json.ts'
import type { Block, Turn } from './protocols/canonical.ts'
import type { MediaFile, NamedMedia, Protocol } from './protocols/protocol.ts'

type Media = Extract<Block, { type: 'media' }>

/** Largest file fetched for a request: base64 makes 26 MiB of it, and makers take 20 to 100 MB inside a request. */
const MAX_FILE_BYTES = 20 * 1024 * 1024
/** All files of one request together: as large as a request may be that carries them itself. */
const MAX_REQUEST_BYTES = 32 * 1024 * 1024
/** More than any client sends; a request must not make the gateway knock at hundreds of doors. */
const MAX_FILES = 32
/** The client waits meanwhile, and its upstream has not been asked yet. */
const FETCH_TIMEOUT_MS = 15_000
/** Addresses of pictures often lead to a store elsewhere; each step goes through the same guard. */
const MAX_REDIRECTS = 3
const REDIRECTS = new Set([301, 302, 303, 307, 308])
/** What servers say of a file they know nothing of: the request's own word is taken then. */
const NO_TYPE = /^(application|binary)\/octet-stream$/
const DATA_URL = /^data:([^;,]*)(?:;[^;,]*)*;base64,/i

interface File extends MediaFile {
  bytes: number
}

/** What was fetched for a call: the next channel does not fetch it again. */
const fetched = new WeakMap<AdmittedCall, Map<string, Promise<File>>>()

/**
 * Puts the bytes of pictures and files into the turn where the upstream takes no addresses of this kind. The turn is changed in place.
 * @throws AppError media_unavailable, for the customer: the address is his
 */
export async function inlineMedia(turn: Turn, takesUrl: (media: Media) => boolean, call: AdmittedCall, deps: RelayDeps): Promise<void> {
  const wanted: { block: Media; url: string; mediaType: string }[] = []
  for (const block of mediaOf(turn)) {
    if ('url' in block.data && !takesUrl(block)) wanted.push({ block, url: block.data.url, mediaType: block.mediaType })
  }
  const files = await filesOf(wanted, call, deps)
  for (const { block, url } of wanted) {
    const file = files.get(url)
    if (!file) continue
    block.mediaType = file.mediaType
    block.data = { base64: file.base64 }
  }
}

/**
 * The same for a client's own body on the road to a vendor of its protocol that takes no addresses; the very same object without any.
 * @throws AppError media_unavailable
 */
export async function inlineOwnMedia(body: JsonObject, protocol: Protocol, call: AdmittedCall, deps: RelayDeps): Promise<JsonObject> {
  const wanted = protocol.mediaByUrl?.(body) ?? []
  if (wanted.length === 0 || !protocol.withMedia) return body
  return protocol.withMedia(body, await filesOf(wanted, call, deps))
}

/** Files by address: fetched through the guarded fetch for customers’ addresses, within limits, and only where the content is of the kind that was named. */
async function filesOf(wanted: readonly NamedMedia[], call: AdmittedCall, deps: RelayDeps): Promise<Map<string, File>> {
  const found = new Map<string, File>()
  if (wanted.length === 0) return found
  const files = fetched.get(call) ?? new Map<string, Promise<File>>()
  fetched.set(call, files)
  if (new Set([...files.keys(), ...wanted.map(({ url }) => url)]).size > MAX_FILES)
    throw unavailable(`The request names more than ${MAX_FILES} files by address`)
  const signal = AbortSignal.any([AbortSignal.timeout(FETCH_TIMEOUT_MS), ...(call.peek.stream ? [call.clientSignal] : [])])
  let total = 0
  for (const { url, mediaType } of wanted) {
    let file = files.get(url)
    if (!file) files.set(url, (file = fetchFile(url, mediaType, signal, deps)))
    const got = await file
    total += got.bytes
    if (total > MAX_REQUEST_BYTES) throw unavailable('The files of the request are larger than 32 MiB together')
    found.set(url, got)
  }
  return found
}

function* mediaOf(turn: Turn): Generator<Media> {
  for (const message of turn.messages) {
    for (const block of message.content) {
      if (block.type === 'media') yield block
      else if (block.type === 'result') for (const inner of block.content) if (inner.type === 'media') yield inner
    }
  }
}

async function fetchFile(url: string, named: string, signal: AbortSignal, deps: RelayDeps): Promise<File> {
  const own = DATA_URL.exec(url)
  if (own) {
    const base64 = url.slice(own[0].length)
    return { mediaType: own[1] || named, base64, bytes: (base64.length * 3) / 4 }
  }
  try {
    return await download(url, named, signal, deps)
  } catch (error) {
    if (error instanceof AppError) throw error
    // Why it failed may tell of the network behind us; it is for the log.
    throw unavailable(`A file of the request could not be fetched: ${shown(url)}`, url, error)
  }
}

async function download(url: string, named: string, signal: AbortSignal, deps: RelayDeps): Promise<File> {
  let at = url
  for (let step = 0; step <= MAX_REDIRECTS; step++) {
    const response = await deps.publicFetch(at, {
      signal,
      headers: { accept: named === '' || named === '*/*' ? '*/*' : `${named}, */*;q=0.1` },
    })
    const location = response.headers.get('location')
    if (REDIRECTS.has(response.status) && location !== null) {
      await response.body?.cancel()
      at = new URL(location, at).href
      continue
    }
    if (!response.ok) {
      await response.body?.cancel()
      throw unavailable(`A file of the request could not be fetched: ${shown(url)} answered ${response.status}`, url)
    }
    const mediaType = typeOf(response.headers.get('content-type'), named)
    if (mediaType === undefined) {
      await response.body?.cancel()
      throw unavailable(`A file of the request is not what the request says: ${shown(url)} is no ${named}`, url)
    }
    const bytes = await readBounded(response, MAX_FILE_BYTES)
    if (bytes === undefined) throw unavailable(`A file of the request is larger than 20 MiB: ${shown(url)}`, url)
    return { mediaType, base64: Buffer.from(bytes).toString('base64'), bytes: bytes.byteLength }
  }
  throw unavailable(`A file of the request could not be fetched: ${shown(url)} leads on too often`, url)
}

/**
 * The type of what came, where it is of the kind that was named (`image/*`, `application/pdf`): an address that answers with a page
 * of another kind is not shown to the model, nor is anything else that an internal server might say.
 */
function typeOf(header: string | null, named: string): string | undefined {
  const said = (header ?? '').split(';')[0]?.trim().toLowerCase() ?? ''
  const vague = named === '' || named === '*/*'
  if (said === '' || NO_TYPE.test(said)) return vague || named.endsWith('/*') ? undefined : named
  const kind = (type: string): string => type.slice(0, type.indexOf('/'))
  if (vague) return /^(image|audio|video)\//.test(said) || said === 'application/pdf' ? said : undefined
  if (said === named) return said
  return kind(said) === kind(named) && kind(said) !== 'application' ? said : undefined
}

/** The address without its query, which may be a signature. */
function shown(url: string): string {
  return url.replace(/[?#].*/s, '').slice(0, 200)
}

/** The address is told to the caller only: its words may be his own (S17). */
function unavailable(message: string, url = '', cause?: unknown): AppError {
  const known = url === '' ? message : message.replaceAll(shown(url), 'the address')
  return new AppError('media_unavailable', { message, cause: cause === undefined ? known : describeError(cause) })
}
