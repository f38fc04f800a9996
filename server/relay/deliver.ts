import { AppError } from '../../contract/errors.ts'
import { totalOutput } from '../../contract/meters.ts'
import { formatMoney, type Money } from '../../contract/money.ts'
import type { AdmittedCall, UpstreamAnswer } from './call.ts'
import { failpoint } from '../lib/failpoint.ts'
import type { RelayDeps } from './deps.ts'
import { showModel, withModel } from './model-name.ts'
import type { Loss } from './protocols/canonical.ts'
import { protocols } from './protocols/index.ts'
import type { StreamCall } from './protocols/protocol.ts'
import { isBelievable, itemsOf, type Settlement } from './settlement.ts'
import { rememberResponse } from './stored-responses.ts'
import { TextMeter } from './text-meter.ts'

/** What an encoder must know of the call it answers. */
export function streamCallOf(call: AdmittedCall): StreamCall {
  return {
    model: call.model.name,
    wantsUsage: call.peek.wantsUsage,
    created: Math.floor(call.facts.createdAt / 1000),
    id: call.requestId,
    estimatedInput: call.estimatedInput,
    request: call.body,
  }
}

/** Longest list of losses in a header; the log row has them all. */
const MAX_DROPPED_CHARS = 2_000

/** Headers of every gateway answer; `cost` only where it is known before the body leaves. */
export function answerHeaders(call: AdmittedCall, losses: readonly Loss[], cost: Money | undefined): Record<string, string> {
  const headers: Record<string, string> = { 'x-tollgate-request-id': call.requestId, ...call.limits.headers() }
  if (cost !== undefined) headers['x-tollgate-cost'] = formatMoney(cost)
  if (losses.length > 0) {
    const paths = [...new Set(losses.map(({ path }) => path.replace(/[^\x20-\x7e]|,/g, '?')))].join(', ')
    headers['x-tollgate-dropped'] = paths.slice(0, MAX_DROPPED_CHARS)
  }
  return headers
}

/** Delivers a whole answer: forwarded or translated, settled before it leaves. */
export async function deliverWhole(call: AdmittedCall, answer: UpstreamAnswer, settlement: Settlement, deps: RelayDeps): Promise<Response> {
  if (!answer.whole) throw new TypeError('deliverWhole needs a whole answer')
  failpoint('answer_begun')
  const { json, bytes } = answer.whole
  const upstream = protocols[answer.candidate.channel.protocol]
  const { protocol } = call.ingress
  let body: Uint8Array | string
  let losses = answer.losses
  if (upstream === protocol && !call.adapted) {
    const mended = protocol.mendMessage?.(json) ?? json
    const text = mended === json ? new TextDecoder().decode(bytes) : JSON.stringify(mended)
    const shown = showModel(text, mended, call.model.name, protocol.answerModel)
    body = mended === json && shown === text ? bytes : shown
  } else {
    const encoded =
      upstream === protocol
        ? { body: withModel(json, call.model.name, protocol.answerModel), losses: [] }
        : protocol.encodeResponse(upstream.decodeResponse(json), streamCallOf(call))
    losses = [...losses, ...encoded.losses]
    body = JSON.stringify(call.adapted ? call.adapted.whole(encoded.body) : encoded.body)
  }
  const blocked = deps.filter.answers && deps.filter.finds(upstream.answerText(json))
  // What is held back cannot be fetched by its id either.
  if (!blocked) rememberResponse(call, answer.candidate, json.id, deps)
  const produced = new TextMeter()
  const usage = upstream.usage(json)
  if (!usage || totalOutput(usage) === 0 || !isBelievable(usage)) produced.add(upstream.answerText(json))
  failpoint('in_answer')
  const cost = await settlement.finish({
    endReason: blocked ? 'content_blocked' : 'complete',
    status: blocked ? 403 : 200,
    candidate: answer.candidate,
    attempts: answer.attempts,
    losses,
    usage,
    produced,
    items: itemsOf(call, upstream.alternatives?.(json) ?? 1),
    error: blocked ? 'the content filter found a word of its list in the answer' : '',
    firstResponseMs: deps.clock.monotonic() - call.startedMs,
  })
  if (blocked) throw new AppError('answer_blocked')
  return new Response(body as BodyInit, {
    status: 200,
    headers: { ...answerHeaders(call, losses, cost), 'content-type': 'application/json' },
  })
}
