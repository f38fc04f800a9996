import { AppError } from '../../contract/errors.ts'
import { isObject, type JsonObject } from '../../contract/json.ts'
import type { Candidate } from '../features/catalog/snapshot.ts'
import { describeError } from '../lib/log.ts'
import { callerOf } from './admit.ts'
import { limitRequest } from './call-limits.ts'
import { readBounded } from './bounded.ts'
import type { AdmittedCall } from './call.ts'
import type { RelayDeps } from './deps.ts'
import { parsed } from './attempt.ts'
import { endpointOf } from './endpoint.ts'
import { publicMessage, withoutKey } from './faults.ts'
import type { GatewayRequest } from './gateway.ts'
import { MAX_ANSWER_BYTES } from './limits.ts'
import { withModel } from './model-name.ts'
import { protocols } from './protocols/index.ts'
import type { Frame } from './protocols/protocol.ts'

const PROTOCOL = 'openai-responses'
/** Longest id of an upstream that is remembered; OpenAI's have some 60 characters. */
const MAX_ID_CHARS = 200
/** What of the query an upstream gets; streaming again is for background responses, which there are none of. */
const QUERY = ['include', 'include[]', 'after', 'limit', 'order']

/** What can be done with a stored response. */
export type StoredAction = 'get' | 'delete' | 'input_items' | 'cancel'

/** Notes who may come back to a response, if its upstream keeps it. Asked for before the settlement, it is committed no later. */
export function rememberResponse(call: AdmittedCall, { channel }: Candidate, id: unknown, deps: RelayDeps): void {
  if (channel.protocol !== PROTOCOL || call.ingress.protocol.id !== PROTOCOL || call.body.store === false) return
  if (typeof id !== 'string' || id === '' || id.length > MAX_ID_CHARS) return
  deps.responses
    .remember({ responseId: id, userId: call.facts.userId, channelId: channel.id, modelName: call.model.name, now: call.facts.createdAt })
    .catch((error: unknown) =>
      deps.log.error('a response could not be remembered', { request_id: call.requestId, cause: describeError(error) }),
    )
}

/** The same for a stream: its last event holds the whole response. */
export function rememberStream(call: AdmittedCall, candidate: Candidate | undefined, tail: readonly Frame[], deps: RelayDeps): void {
  if (candidate?.channel.protocol !== PROTOCOL || call.ingress.protocol.id !== PROTOCOL || call.body.store === false) return
  const event = parsed(new TextEncoder().encode(tail.at(-1)?.data ?? ''))
  if (isObject(event) && isObject(event.response)) rememberResponse(call, candidate, event.response.id, deps)
}

/**
 * The order of trial of a call that goes on from a stored response: the channel that has it comes first.
 * @throws AppError not_found when the response is another user's
 */
export async function preferMaker(order: Candidate[], call: AdmittedCall, deps: RelayDeps): Promise<Candidate[]> {
  const id = call.body.previous_response_id
  if (call.ingress.protocol.id !== PROTOCOL || typeof id !== 'string' || id === '') return order
  const { own, foreign } = await deps.responses.find(id, call.facts.userId)
  if (foreign) throw notFound(id)
  let maker: Candidate | undefined
  if (own) for (const list of call.lists) maker ??= deps.routing.listOf(list, call.model).ofChannel(own.channelId)
  if (!maker) return order
  if (call.route) call.route.by = 'stored_response'
  return [maker, ...order.filter((candidate) => candidate !== maker)]
}

/**
 * `GET`, `DELETE`, `.../input_items` and `.../cancel` of a response, asked of the channel that made it. Costs nothing.
 * @throws AppError not_found for everyone but its owner
 */
export async function storedResponse(
  { request, url, ip, requestId }: GatewayRequest,
  id: string,
  action: StoredAction,
  deps: RelayDeps,
): Promise<Response> {
  const caller = await callerOf(request, ip, { path: {} }, deps)
  await limitRequest(caller, 'openai-responses', deps)
  const { own } = await deps.responses.find(id, caller.userId)
  if (!own) throw notFound(id)
  const maker = makerOf(own.channelId, deps)
  if (!maker) throw new AppError('no_channel', { message: 'The channel that made this response is not in use' })
  const { status, json } = await ask(maker, id, action, url, deps)
  if (status !== 200 || !json) throw refusal(status, json, id, own.modelName, maker)
  if (action === 'delete') await deps.responses.forget(id, caller.userId)
  return Response.json(withModel(json, own.modelName, protocols[PROTOCOL].answerModel), { headers: { 'x-tollgate-request-id': requestId } })
}

function notFound(id: string): AppError {
  return new AppError('not_found', { message: `Response with id '${id.slice(0, MAX_ID_CHARS)}' not found.` })
}

/** Any way the channel is still in use: these requests name no model. */
function makerOf(channelId: number, deps: RelayDeps): Candidate | undefined {
  for (const { all } of deps.catalog.snapshot.models.values()) {
    const candidate = all.find(({ channel }) => channel.id === channelId)
    if (candidate) return candidate
  }
  return undefined
}

async function ask(
  { channel }: Candidate,
  id: string,
  action: StoredAction,
  url: URL,
  deps: RelayDeps,
): Promise<{ status: number; json: JsonObject | undefined }> {
  const { url: base, headers } = endpointOf(channel, { model: '', stream: false })
  const suffix = action === 'get' || action === 'delete' ? '' : `/${action}`
  const response = await deps
    .fetch(`${base}/${encodeURIComponent(id)}${suffix}${queryOf(url)}`, {
      method: action === 'delete' ? 'DELETE' : action === 'cancel' ? 'POST' : 'GET',
      headers: { ...headers(channel.key), accept: 'application/json' },
      signal: AbortSignal.timeout(deps.settings.integer('reliability_first_byte_timeout_seconds') * 1000),
    })
    .catch((error: unknown) => {
      throw new AppError('upstream_failed', { cause: error })
    })
  const bytes = await readBounded(response, MAX_ANSWER_BYTES)
  const json = bytes && parsed(bytes)
  return { status: response.status, json: isObject(json) ? json : undefined }
}

function queryOf(url: URL): string {
  const query = new URLSearchParams([...url.searchParams].filter(([name]) => QUERY.includes(name)))
  return query.size === 0 ? '' : `?${query}`
}

/** Our key's trouble is ours; what the owner asked wrongly is his, in the upstream's words (W70, W71). */
function refusal(status: number, json: JsonObject | undefined, id: string, model: string, maker: Candidate): AppError {
  if (status === 404) return notFound(id)
  const fault = protocols[PROTOCOL].decodeError(status, json)
  const cause = `upstream ${status}: ${withoutKey(fault.message, maker)}`
  if (fault.kind === 'invalid_request')
    return new AppError('upstream_refused', { message: publicMessage(fault.message, model, maker), cause })
  return new AppError(status === 429 || status === 401 || status === 403 ? 'upstream_unavailable' : 'upstream_failed', { cause })
}
