import { AppError } from '../../contract/errors.ts'
import { isObject, type JsonObject } from '../../contract/json.ts'
import type { PayloadRecord } from '../features/payloads/record.ts'
import { sessionCaller, type KeyCaller } from '../features/api-keys/cache.ts'
import type { Candidate, CatalogMeta, CatalogModel, Snapshot } from '../features/catalog/snapshot.ts'
import { readBody, readJson } from '../http/body.ts'
import { inRanges } from '../lib/client-ip.ts'
import type { AdmittedCall } from './call.ts'
import { limitsOfCall, tokensOf, type CallLimits } from './call-limits.ts'
import { bearerOf } from './credentials.ts'
import type { RelayDeps } from './deps.ts'
import { unreadable } from './faults.ts'
import type { AdaptedAnswer, Ingress } from './ingress.ts'
import type { Loss } from './protocols/canonical.ts'
import { refuseOtherModel } from './one-model.ts'
import { isServed, listsOf } from './reach.ts'
import { WireError, type Peek } from './protocols/protocol.ts'
import { sessionOf } from './routing/affinity.ts'

/** Beta switches of a maker reach an upstream of the same protocol; no other client header does (S16). */
const FORWARDED = ['anthropic-beta', 'anthropic-version', 'openai-beta']

/** What the HTTP layer knows of a request. */
export interface Arrival {
  request: Request
  ingress: Ingress
  requestId: string
  ip: string
  startedMs: number
  /** Takes the call down, where the owner records calls. */
  record?: PayloadRecord | undefined
}

/**
 * Lets a call in: credential -> caller, body -> peek, model -> offer, limits. Nothing is reserved yet.
 * @throws AppError with the status the client is to see
 */
export async function admit(arrival: Arrival, deps: RelayDeps): Promise<AdmittedCall> {
  const { request, ip, ingress } = arrival
  const caller = await callerOf(request, ip, ingress, deps)
  const limits = limitsOfCall(caller, ingress.protocol.id, deps)
  limits.look()
  let call: AdmittedCall
  try {
    call = await read(arrival, caller, limits, deps)
  } catch (error) {
    // Whoever asks for what cannot be had asks as well.
    await limits.take(() => 0)
    limits.end(0)
    throw error
  }
  await limits.take(() => tokensOf(call))
  return call
}

/** What the call is. @throws AppError */
async function read(arrival: Arrival, caller: KeyCaller, limits: CallLimits, deps: RelayDeps): Promise<AdmittedCall> {
  const { request, ingress, requestId, ip, startedMs } = arrival
  const bytes = await readBody(request)
  arrival.record?.asked(bytes)
  const { body, losses, adapted, same, peek } = readOperation(ingress, bytes, request)
  const name = modelName(peek.model)
  const { snapshot } = deps.catalog
  const meta = snapshot.metaModels.get(name)
  if (!caller.mayUseModel(name)) throw new AppError(meta ? 'meta_model_not_allowed' : 'model_not_allowed')
  const model = meta ? firstTarget(meta, caller, ingress, deps) : snapshot.models.get(name)
  if (!model) throw new AppError('model_not_found', { message: `The model \`${name.slice(0, 200)}\` does not exist`, param: 'model' })
  const lists = listsFor(model, caller, ingress, deps, snapshot)
  if (!model.priced && !model.free) throw new AppError('model_unpriced')
  const text = ingress.protocol.requestText(body)
  if (deps.filter.requests && deps.filter.finds(text)) throw new AppError('content_blocked')
  const createdAt = deps.clock.now()
  return {
    requestId,
    ingress,
    caller,
    body,
    bytes: same ? bytes : undefined,
    adapted,
    losses,
    peek,
    model,
    meta,
    snapshot,
    lists,
    limits,
    startedMs,
    estimatedInput: deps.estimator.estimate(name, text),
    forwardHeaders: forwardedHeaders(request),
    clientSignal: request.signal,
    session: lists.length > 1 || (lists[0]?.length ?? 0) > 1 ? sessionOf(request.headers) : '',
    facts: {
      requestId,
      userId: caller.userId,
      accountId: caller.accountId,
      apiKeyId: caller.keyId,
      modelName: name,
      protocol: ingress.protocol.id,
      endpoint: ingress.endpoint,
      stream: peek.stream,
      ip,
      userAgent: request.headers.get('user-agent') ?? '',
      source: caller.keyId === null ? 'playground' : 'api',
      priceSnapshot: model.cardText,
      createdAt,
      ...(meta && { meta: { model: meta.name, role: 'answer' as const, label: meta.options.auditLabel, parentRequestId: null } }),
    },
  }
}

/** Who calls: an `sk-` key, or the session of someone signed in (contract.md 1.4). */
export async function callerOf(request: Request, ip: string, ingress: Pick<Ingress, 'path'>, deps: RelayDeps): Promise<KeyCaller> {
  const credential = bearerOf(request.headers, ingress.path.query)
  if (credential === undefined) throw new AppError('credential_missing')
  if (!credential.startsWith('sk-')) return sessionCaller(deps, credential)
  const caller = await deps.keys.find(credential)
  const now = deps.clock.now()
  if (!caller || !caller.enabled || (caller.expiresAt !== null && caller.expiresAt <= now)) throw new AppError('api_key_invalid')
  if (caller.disabled) throw new AppError('account_disabled')
  if (caller.allowedIps !== null && !inRanges(ip, caller.allowedIps)) throw new AppError('api_key_ip')
  return caller
}

interface Operation {
  body: JsonObject
  losses: readonly Loss[]
  adapted: AdaptedAnswer | undefined
  same: boolean
  peek: Peek
}

/** The body in its protocol's form and what routing must know of it; `same`: it is what the bytes say. */
function readOperation(ingress: Ingress, bytes: Uint8Array, request: Request): Operation {
  try {
    const { value: raw, repeats } = ingress.service?.read
      ? { value: ingress.service.read(bytes, request.headers.get('content-type') ?? ''), repeats: false }
      : readJson(bytes)
    if (!isObject(raw)) throw new AppError('body_not_object')
    refuseOtherModel(raw)
    const form = ingress.adapter?.request(raw)
    const body = form?.body ?? raw
    return {
      body,
      losses: form?.losses ?? [],
      adapted: form?.answer,
      same: form === undefined && !repeats,
      peek: ingress.protocol.peek(body, ingress.path),
    }
  } catch (error) {
    if (error instanceof WireError) throw unreadable(error)
    throw error
  }
}

/** Gemini clients write `models/<name>` (contract.md 6.2). */
function modelName(asked: string): string {
  const name = (asked.startsWith('models/') ? asked.slice(7) : asked).trim()
  if (name === '') throw new AppError('model_missing', { param: 'model' })
  return name
}

/**
 * A model of the program this caller can reach: the program decides later which it is to be.
 * @throws AppError unsupported_endpoint for operations that are no conversation, meta_model_unresolved when there is none
 */
function firstTarget(meta: CatalogMeta, caller: KeyCaller, ingress: Ingress, { catalog, clock }: RelayDeps): CatalogModel {
  if (ingress.service) throw new AppError('unsupported_endpoint')
  if (caller.keyId !== null && caller.allowedUserChannels.length === 0) throw new AppError('key_without_channel')
  const reach = { caller, snapshot: catalog.snapshot, now: clock.now() }
  for (const target of meta.targets.values()) if (isServed(target, reach)) return target
  throw new AppError('meta_model_unresolved')
}

/**
 * The model's channels this caller may use and that speak what is asked, in the order of trial.
 * @throws AppError key_without_channel | no_channel | unsupported_endpoint
 */
export function listsFor(
  model: CatalogModel,
  caller: KeyCaller,
  { service }: Ingress,
  deps: RelayDeps,
  snapshot: Snapshot,
): (readonly Candidate[])[] {
  if (!model.enabled) throw new AppError('no_channel')
  if (caller.keyId !== null && caller.allowedUserChannels.length === 0) throw new AppError('key_without_channel')
  const lists = listsOf(model, { caller, snapshot, now: deps.clock.now() })
  if (lists.length === 0) throw new AppError('no_channel')
  if (!service) return lists
  const able = lists.map((list) => deps.routing.speaking(list, service.protocols)).filter((list) => list.length > 0)
  if (able.length === 0) throw new AppError('unsupported_endpoint')
  return able
}

function forwardedHeaders(request: Request): Record<string, string> {
  const forwarded: Record<string, string> = {}
  for (const name of FORWARDED) {
    const value = request.headers.get(name)
    if (value !== null) forwarded[name] = value
  }
  return forwarded
}
