import { sendTo } from '../clouds/index.ts'
import { isObject, type Json } from '../../../contract/json.ts'
import type { ChannelAccess } from '../../features/channels/health.ts'
import type { Clock } from '../../lib/clock.ts'
import { describeError } from '../../lib/log.ts'
import { OutboundBlocked, type GuardedFetch } from '../../lib/outbound.ts'
import { besides, endpointOf, isOpenAi } from '../endpoint.ts'
import { readBounded } from '../bounded.ts'
import { MAX_ERROR_BYTES } from '../limits.ts'
import { tryModel, type ModelResult } from './try-model.ts'

export type StepId = 'address' | 'tls' | 'key' | 'models' | 'answer'

/** One tick of the test; `hint` says what to do about a failure. */
export interface Step {
  id: StepId
  status: 'ok' | 'failed' | 'skipped'
  message: string
  hint?: string
  duration_ms?: number
}

export type ProbeEvent =
  | { event: 'step'; data: Step }
  | { event: 'models'; data: { models: string[] } }
  | { event: 'model'; data: ModelResult }
  | { event: 'done'; data: { ok: boolean } }

export interface ProbeDeps {
  fetch: GuardedFetch
  clock: Clock
}

/** A list of thousands of models is read, not more. */
const MAX_LIST_BYTES = 8 * 1024 * 1024

/**
 * Tests an upstream as a person would: can it be reached, does it take the key, what does it offer, does a model answer.
 * Ends with `done`; a step that cannot be made says why and what to do.
 */
export async function* probe(
  access: ChannelAccess,
  asked: readonly string[],
  timeoutMs: number,
  deps: ProbeDeps,
): AsyncGenerator<ProbeEvent> {
  const started = deps.clock.monotonic()
  const took = (): number => Math.round(deps.clock.monotonic() - started)
  const step = (id: StepId, status: Step['status'], message: string, hint?: string): ProbeEvent => ({
    event: 'step',
    data: { id, status, message, duration_ms: took(), ...(hint === undefined ? {} : { hint }) },
  })
  let list: { status: number; models: string[] }
  try {
    list = await listModels(access, timeoutMs, deps)
  } catch (error) {
    const { id, message, hint } = unreachable(error, timeoutMs)
    if (id === 'tls') yield step('address', 'ok', 'The address can be reached')
    yield step(id, 'failed', message, hint)
    yield { event: 'done', data: { ok: false } }
    return
  }
  yield step('address', 'ok', 'The address can be reached')
  yield access.baseUrl.startsWith('https:')
    ? step('tls', 'ok', 'The connection is encrypted')
    : step('tls', 'skipped', 'Plain http: nobody else should be on this network')
  if (list.status === 401 || list.status === 403) {
    yield step(
      'key',
      'failed',
      `The upstream refused the key (${list.status})`,
      'Copy the key again; check that it belongs to this provider and is active',
    )
    yield { event: 'done', data: { ok: false } }
    return
  }
  yield step('key', 'ok', 'The key was not refused')
  yield list.models.length > 0
    ? step('models', 'ok', `${list.models.length} models listed`)
    : step('models', 'skipped', 'The upstream lists no models', 'Type the name of a model that you know it has')
  yield { event: 'models', data: { models: list.models } }
  const candidates = asked.length > 0 ? asked : list.models.slice(0, 1)
  const results: ModelResult[] = []
  for (const model of candidates) {
    const result = await tryModel(access, model, timeoutMs, deps)
    results.push(result)
    yield { event: 'model', data: result }
  }
  const answered = results.filter(({ ok }) => ok)
  const first = answered[0]
  if (first) yield step('answer', 'ok', `${first.model} answered in ${first.total_ms} ms`)
  else if (results.length === 0) yield step('answer', 'skipped', 'No model was asked')
  else
    yield step('answer', 'failed', results[0]?.error ?? 'No model answered', 'Try another model; check credit and access at the provider')
  yield { event: 'done', data: { ok: results.length === 0 ? list.models.length > 0 : answered.length === results.length } }
}

/** Asks for the list of models: it shows at once whether address and key are good, and costs nothing. */
async function listModels(access: ChannelAccess, timeoutMs: number, deps: ProbeDeps): Promise<{ status: number; models: string[] }> {
  const { headers } = endpointOf(access, { model: 'any', stream: false })
  const response = await sendTo(
    access,
    modelListUrl(access),
    {
      headers: { ...headers(access.key), accept: 'application/json' },
      signal: AbortSignal.timeout(timeoutMs),
    },
    deps,
  )
  const bytes = await readBounded(response, response.ok ? MAX_LIST_BYTES : MAX_ERROR_BYTES)
  // A cloud that has no list forbids asking for it; only 401 says something of the key.
  const unlisted = response.status === 403 && access.vendor?.quirks.includes('no_model_list') === true
  return { status: unlisted ? 404 : response.status, models: response.ok && bytes ? namesOf(bytes) : [] }
}

/** Where the models are listed: beside the generate path, or where a vendor has them instead. */
function modelListUrl(access: ChannelAccess): string {
  const { baseUrl, protocol, vendor } = access
  const root = baseUrl.replace(/\/+$/, '')
  // Only a channel to the vendor's own address is led elsewhere: its key is the vendor's.
  if (vendor?.modelList.startsWith('https:') && root === vendor.baseUrl) return vendor.modelList
  if (isOpenAi(protocol)) return besides(access, 'any', '/models').url
  return `${/\/v\d+(beta)?$/.test(root) ? root : `${root}${protocol === 'gemini' ? '/v1beta' : '/v1'}`}/models`
}

/** Names of `{data:[{id}]}` (OpenAI, Claude) or `{models:[{name:"models/x"}]}` (Gemini). */
function namesOf(bytes: Uint8Array): string[] {
  let body: Json
  try {
    body = JSON.parse(new TextDecoder().decode(bytes)) as Json
  } catch {
    return []
  }
  if (!isObject(body)) return []
  const rows = Array.isArray(body['data']) ? body['data'] : Array.isArray(body['models']) ? body['models'] : []
  const names = rows.flatMap((row) => {
    const name = isObject(row) ? (row['id'] ?? row['name']) : undefined
    return typeof name === 'string' ? [name.replace(/^models\//, '')] : []
  })
  return [...new Set(names)].sort()
}

/** What a failed connection means, in words a person can act on. */
function unreachable(error: unknown, timeoutMs: number): { id: StepId; message: string; hint: string } {
  if (error instanceof OutboundBlocked) {
    return {
      id: 'address',
      message: error.message,
      hint: 'For an upstream on your own network add its host to ssrf_allowed_hosts in the security settings',
    }
  }
  const { code, name } = error as { code?: unknown; name?: unknown }
  if (name === 'TimeoutError')
    return { id: 'address', message: `No answer within ${timeoutMs} ms`, hint: 'Check the address and whether a firewall is in between' }
  if (typeof code === 'string' && /CERT|TLS|SSL|ALTNAME/.test(code)) {
    return { id: 'tls', message: `The certificate was refused (${code})`, hint: 'The certificate must be valid for this host name' }
  }
  return {
    id: 'address',
    message: `The address cannot be reached (${describeError(error)})`,
    hint: 'Check host name and port of the base URL',
  }
}
