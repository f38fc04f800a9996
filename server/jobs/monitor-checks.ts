import { EMPTY_USAGE } from '../../contract/meters.ts'
import { ZERO, type Money } from '../../contract/money.ts'
import { NO_MULTIPLIERS, quote } from '../../contract/quote.ts'
import type { CheckType } from '../../contract/api/status.ts'
import type { Catalog } from '../features/catalog/service.ts'
import { openChannel } from '../features/channels/health.ts'
import type { Found } from '../features/status/record.ts'
import { targetOf } from '../features/status/target.ts'
import type { Deps } from '../http/deps.ts'
import { describeError } from '../lib/log.ts'
import { askModel, type Asked } from '../relay/probe/try-model.ts'
import { judgeCanary, QUESTION } from './canary.ts'

/** What is asked of a monitor to check it. */
export interface Watched {
  check_type: string
  target_url: string
  method: string
}

/** One check takes no longer (contract.md 8.3). */
const TIMEOUT_MS = 10_000
/** A model may think before it speaks. */
const MODEL_TIMEOUT_MS = 30_000
/** Redirects followed, each to an address that is checked anew. */
const MAX_REDIRECTS = 5
const USER_AGENT = 'Tollgate-Status/1.0'

/** Checks a target once; a failure is a result. @param stop breaks the check off, whose result is then worth nothing */
export async function checkOf(monitor: Watched, stop: AbortSignal, deps: Deps, catalog: Catalog): Promise<Found> {
  const type = monitor.check_type as CheckType
  const target = targetOf(type, monitor.target_url)
  const started = deps.clock.monotonic()
  const took = (): number => Math.round(deps.clock.monotonic() - started)
  const down = (message: string): Found => ({ status: 'down', latencyMs: took(), statusCode: 0, message })
  if (!target) return down('the target is none')
  const limitMs = target.type === 'model' ? MODEL_TIMEOUT_MS : TIMEOUT_MS
  const signal = AbortSignal.any([stop, AbortSignal.timeout(limitMs)])
  try {
    switch (target.type) {
      case 'tcp':
        await deps.tryConnect(target.host, target.port, signal)
        return { status: 'up', latencyMs: took(), statusCode: 0, message: 'TCP connected' }
      case 'http': {
        const status = await statusOf(target.url, monitor.method, signal, deps)
        const fine = status >= 200 && status < 400
        return { status: fine ? 'up' : 'down', latencyMs: took(), statusCode: status, message: `HTTP ${status}` }
      }
      case 'model': {
        const access = await openChannel(deps, target.channelId)
        const question = type === 'canary' ? QUESTION : 'Reply with the single word: ok'
        const asked = await askModel(access, { model: target.model, question }, signal, deps)
        return found(asked, type, costOf(asked, target, catalog))
      }
    }
  } catch (error) {
    return down((error as Error).name === 'TimeoutError' ? `no answer within ${limitMs / 1000} s` : describeError(error))
  }
}

/** Follows redirects by hand: every hop goes through the guard. */
async function statusOf(first: string, method: string, signal: AbortSignal, { fetch }: Deps): Promise<number> {
  let url = first
  for (let hop = 0; ; hop += 1) {
    const response = await fetch(url, { method, headers: { 'user-agent': USER_AGENT }, signal })
    await response.body?.cancel()
    const location = response.headers.get('location')
    if (response.status < 300 || response.status >= 400 || location === null || !URL.canParse(location, url)) return response.status
    if (hop === MAX_REDIRECTS) throw new Error(`more than ${MAX_REDIRECTS} redirects`)
    url = new URL(location, url).href
  }
}

function found(asked: Asked, type: CheckType, cost: Money): Found {
  const latencyMs = asked.firstTokenMs ?? asked.totalMs
  if (asked.error !== undefined) return { status: 'down', latencyMs, statusCode: 0, message: asked.error, cost }
  const times = `first token after ${latencyMs} ms, all after ${asked.totalMs} ms`
  const doubts = type === 'canary' ? judgeCanary(asked) : []
  // A model that answers is up; whether it is what it says stands in the message.
  return {
    status: doubts.length === 0 ? 'up' : 'down',
    latencyMs,
    statusCode: 0,
    message: doubts.length === 0 ? times : `may not be the model it claims: ${doubts.join('; ')}`,
    cost,
  }
}

/** What a call cost the owner, where he has told the model's cost on that channel; 0 where nobody knows. */
function costOf({ usage }: Asked, { channelId, model }: { channelId: number; model: string }, catalog: Catalog): Money {
  for (const { all } of catalog.snapshot.models.values())
    for (const { channel, upstreamModel, costCard } of all)
      if (channel.id === channelId && upstreamModel === model && costCard)
        return quote({ ...EMPTY_USAGE, ...usage }, costCard, NO_MULTIPLIERS).total
  return ZERO
}
