import { admit, type Arrival } from './admit.ts'
import type { AdmittedCall, UpstreamAnswer } from './call.ts'
import { Cover } from './cover.ts'
import { answerHeaders, deliverWhole } from './deliver.ts'
import { StreamDelivery } from './deliver-stream.ts'
import type { RelayDeps } from './deps.ts'
import { dispatch, tryEach } from './dispatch.ts'
import { KEEP_ALIVE_MS } from './limits.ts'
import { plan } from './plan.ts'
import { armFailpoint, failpoint } from '../lib/failpoint.ts'
import { isMetaCall, startMeta } from './meta-call/start.ts'
import { refuse } from './refuse.ts'
import { reserve } from './reserve.ts'
import { deliverService } from './services/deliver.ts'
import { sendService } from './services/send.ts'
import { preferMaker } from './stored-responses.ts'
import { Settlement } from './settlement.ts'
import { AppError } from '../../contract/errors.ts'
import type { Money } from '../../contract/money.ts'

/**
 * One request, in one straight line: admit -> hold -> dispatch -> deliver -> settle, settled exactly once.
 * @throws AppError for the client, before anything was sent
 */
export async function relay(arrival: Arrival, deps: RelayDeps): Promise<Response> {
  armFailpoint(arrival.request.headers)
  const call = await admit(arrival, deps) // key -> caller; body -> peek; model -> offer; limits
  try {
    return await serve(call, deps)
  } catch (error) {
    call.limits.end(0)
    throw error
  }
}

/** hold -> dispatch -> deliver -> settle. @throws AppError for the client, before anything was sent */
async function serve(call: AdmittedCall, deps: RelayDeps): Promise<Response> {
  if (isMetaCall(call)) {
    const started = await startMeta(call, deps)
    return answered(call, started.answer, started.settlement, () => started.call.held, deps)
  }
  const planned = plan(call, deps)
  const order = call.body.previous_response_id === undefined ? planned : await preferMaker(planned, call, deps)
  const first = order[0]
  if (!first) throw new AppError('no_channel')
  failpoint('before_hold')
  const held = await reserve(call, first, deps) // the estimate is held, or 402
  failpoint('after_hold')
  const settlement = new Settlement(call, deps)
  const { service } = call.ingress
  if (service) {
    const tried = tryEach(call, order, deps, (_, candidate, __, limits) =>
      sendService(service.request(call, candidate), call, candidate, deps, limits.firstByteMs),
    )
    return deliverService(call, service, await tried.catch((error: unknown) => refuse(call, error, settlement)), settlement, deps)
  }
  const answer = dispatch(call, order, deps).catch((error: unknown) => refuse(call, error, settlement)) // the next channel only before the first byte
  return answered(call, answer, settlement, () => held, deps)
}

/** Delivers an upstream's answer, also one that is still to come. */
async function answered(
  call: AdmittedCall,
  answer: Promise<UpstreamAnswer>,
  settlement: Settlement,
  held: () => Money,
  deps: RelayDeps,
): Promise<Response> {
  if (!call.peek.stream)
    return deliverWhole(call, await answer, settlement, deps).catch((error: unknown) => refuse(call, error, settlement))
  const early = await withinKeepAlive(answer)
  // A stream may last for minutes, and prompts are megabytes: the text that was sent need not be kept as well.
  if (early) call.bytes = undefined
  const delivery = new StreamDelivery(call, early ?? answer, settlement, new Cover(call, held(), deps), deps) // forward or translate; settles before the end marker
  return new Response(delivery.body(), {
    status: 200,
    headers: {
      ...answerHeaders(call, early?.losses ?? [], undefined),
      'content-type': delivery.contentType,
      'cache-control': 'no-cache',
      'x-accel-buffering': 'no',
    },
  })
}

/** The answer if it comes soon; undefined when the client should get its first keep-alive while it goes on waiting. */
async function withinKeepAlive(answer: Promise<UpstreamAnswer>): Promise<UpstreamAnswer | undefined> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), KEEP_ALIVE_MS)
  })
  try {
    return await Promise.race([answer, late])
  } finally {
    clearTimeout(timer)
  }
}
