import type { AdmittedCall, Attempt } from '../call.ts'
import { answerHeaders } from '../deliver.ts'
import type { RelayDeps } from '../deps.ts'
import { showModel } from '../model-name.ts'
import type { Settlement } from '../settlement.ts'
import { PassedStream, type Finish } from './passed-stream.ts'
import type { ServiceAnswer } from './send.ts'
import type { Service } from './service.ts'

/** Delivers a service's answer: whole, settled before it leaves, or a stream that is settled before it ends. */
export async function deliverService(
  call: AdmittedCall,
  service: Service,
  answer: ServiceAnswer & { attempts: readonly Attempt[] },
  settlement: Settlement,
  deps: RelayDeps,
): Promise<Response> {
  const firstResponseMs = deps.clock.monotonic() - call.startedMs
  const finish: Finish = async (answered, endReason, error) => {
    const measured = await service.measure(answered, call, deps.counter)
    return settlement.finish({
      endReason,
      status: 200,
      candidate: answer.candidate,
      attempts: answer.attempts,
      losses: call.losses,
      usage: measured.usage,
      produced: undefined,
      estimate: measured.estimate,
      items: measured.items,
      error,
      firstResponseMs,
    })
  }
  const contentType = answer.response.headers.get('content-type') ?? 'application/json'
  if (!answer.whole) {
    const stream = new PassedStream(call, answer, finish, deps)
    return new Response(stream.body(), {
      headers: {
        ...answerHeaders(call, call.losses, undefined),
        'content-type': contentType,
        'cache-control': 'no-cache',
        'x-accel-buffering': 'no',
      },
    })
  }
  const { bytes, json } = answer.whole
  const text = new TextDecoder().decode(bytes)
  const cost = await finish({ json, text: json ? '' : text, items: undefined }, 'complete', '')
  return new Response(shown(call, service, answer, json ? text : undefined) ?? (bytes as BodyInit), {
    headers: { ...answerHeaders(call, call.losses, cost), 'content-type': contentType },
  })
}

/** JSON with the platform's model name and in the client's form; undefined when the bytes can stay. */
function shown(call: AdmittedCall, service: Service, { whole, candidate }: ServiceAnswer, text: string | undefined): string | undefined {
  if (!whole?.json || text === undefined) return undefined
  const formed = service.answer?.(whole.json, call, candidate) ?? whole.json
  if (formed !== whole.json) return JSON.stringify(formed)
  const named = showModel(text, whole.json, call.model.name, call.ingress.protocol.answerModel)
  return named === text ? undefined : named
}
