import { EMPTY_USAGE, totalInput, totalOutput, type Usage, type UsageDetails } from '../../contract/meters.ts'
import { ZERO, type Money } from '../../contract/money.ts'
import { NO_MULTIPLIERS, quote } from '../../contract/quote.ts'
import { draftOf, type CallResult, type ServedBy } from '../features/billing/draft.ts'
import { ruleOf, type EndReason, type UsageSource } from '../features/billing/rules.ts'
import type { Candidate } from '../features/catalog/snapshot.ts'
import type { AdmittedCall, Attempt } from './call.ts'
import type { Metrics } from '../lib/metrics.ts'
import type { RelayDeps } from './deps.ts'
import type { Loss } from './protocols/canonical.ts'
import { failpoint } from '../lib/failpoint.ts'
import { pricingOf } from './reserve.ts'
import { encodeRoute } from './routing/trace.ts'
import type { TextMeter } from './text-meter.ts'

/** How a call went, as the part that saw its end tells it. */
export interface Outcome {
  endReason: EndReason
  /** HTTP status the client got. */
  status: number
  candidate: Candidate | undefined
  attempts: readonly Attempt[]
  losses: readonly Loss[]
  /** What the upstream stated, if it did. */
  usage: (Usage & UsageDetails) | undefined
  /** The answer's text, for counting when nothing usable was stated. */
  produced: TextMeter | undefined
  /** What the call used by a documented estimate, for operations whose answers are no text; charged when nothing usable was stated. */
  estimate?: Usage
  /** Items answered, for models sold per call or per item. */
  items: number
  error: string
  firstResponseMs: number | null
}

/** Ends one call exactly once: whoever comes second gets the first one's answer. */
export class Settlement {
  readonly #call: AdmittedCall
  readonly #deps: RelayDeps
  #done: Promise<Money> | undefined

  constructor(call: AdmittedCall, deps: RelayDeps) {
    this.#call = call
    this.#deps = deps
  }

  /** Resolves with what was charged, after the commit. */
  finish(outcome: Outcome): Promise<Money> {
    this.#done ??= this.#settle(outcome).finally(() => this.#call.limits.end(undefined))
    return this.#done
  }

  async #settle(outcome: Outcome): Promise<Money> {
    const { usage, source } = await this.#usageOf(outcome)
    const call = this.#call
    const { candidate } = outcome
    const broke = outcome.endReason.startsWith('upstream_error') || outcome.endReason.startsWith('timeout')
    this.#deps.routing.ended(call, { broke, reason: outcome.error, usage: outcome.usage && usage })
    call.limits.end(source === 'none' ? 0 : totalInput(usage) + totalOutput(usage))
    const pricing = candidate && pricingOf(call, candidate, this.#deps)
    const ruling = ruleOf(outcome.endReason, source)
    const priced = quote(usage, call.model.card, pricing ?? NO_MULTIPLIERS, outcome.items)
    const cost = ruling.charge && pricing ? priced.total : ZERO
    const served: ServedBy | undefined = candidate &&
      pricing && {
        userChannelId: candidate.userChannelId,
        channelId: candidate.channel.id,
        channelModelId: candidate.channelModelId,
        upstreamModel: candidate.upstreamModel,
        upstreamProtocol: candidate.channel.protocol,
        groupMultiplier: pricing.group,
        groupSource: pricing.groupSource,
        userChannelMultiplier: pricing.userChannel,
      }
    const result: CallResult = {
      status: outcome.status,
      endReason: outcome.endReason,
      usageSource: source,
      usage,
      items: outcome.items,
      baseCost: ruling.charge ? priced.base : ZERO,
      upstreamCost: candidate?.costCard && source !== 'none' ? quote(usage, candidate.costCard, NO_MULTIPLIERS, outcome.items).total : null,
      chargeNote: ruling.note,
      losses: outcome.losses,
      attempts: outcome.attempts,
      plan: encodeRoute(call.route, call.model, this.#deps.routing.health),
      error: outcome.error,
      firstResponseMs: outcome.firstResponseMs,
      responseMs: this.#deps.clock.monotonic() - call.startedMs,
    }
    const operation = {
      requestId: call.requestId,
      accountId: call.facts.accountId,
      apiKeyId: call.facts.apiKeyId,
      cost,
      now: this.#deps.clock.now(),
      log: draftOf(call.facts, served, result, cost),
    }
    failpoint('before_settlement')
    // The end marker of a stream may come a little later; a whole answer is waited for.
    const settled = await this.#deps.ledger.settle(operation, call.peek.stream)
    count(this.#deps.metrics, result)
    failpoint('after_settlement')
    return settled.charged
  }

  /** The stated usage if it can be believed, else a count of what was produced, else nothing. */
  async #usageOf(outcome: Outcome): Promise<{ usage: Usage & UsageDetails; source: UsageSource }> {
    const { usage, produced } = outcome
    const call = this.#call
    if (usage && isBelievable(usage)) {
      if (outcome.endReason === 'complete') this.#deps.estimator.learn(call.model.name, call.estimatedInput, totalInput(usage))
      // A side left out or stated as zero beside a real one, as of a stream that broke off before it was: what was seen is counted.
      const input = totalInput(usage) === 0 ? await this.#inputOf(call) : undefined
      const output = totalOutput(usage) === 0 && produced && !produced.empty ? await produced.count(this.#deps.counter) : undefined
      if (input === undefined && output === undefined) return { usage, source: 'upstream' }
      return { usage: { ...usage, ...(input !== undefined && { input }), ...(output !== undefined && { output }) }, source: 'estimated' }
    }
    if (outcome.estimate) return { usage: outcome.estimate, source: 'estimated' }
    if (!produced || produced.empty) return { usage: EMPTY_USAGE, source: 'none' }
    const [input, output] = await Promise.all([this.#inputOf(call), produced.count(this.#deps.counter)])
    return { usage: { ...EMPTY_USAGE, input, output }, source: 'estimated' }
  }

  /** Tokens of the request's text. */
  #inputOf(call: AdmittedCall): Promise<number> {
    return this.#deps.counter.count(call.ingress.protocol.requestText(call.body))
  }
}

function count(metrics: Metrics, { endReason, usage, responseMs, firstResponseMs }: CallResult): void {
  metrics.calls.add(endReason)
  metrics.callSeconds.observe(responseMs)
  if (firstResponseMs !== null) metrics.firstTokenSeconds.observe(firstResponseMs)
  metrics.tokens.add('input', totalInput(usage))
  metrics.tokens.add('output', totalOutput(usage))
  metrics.tokens.add('cached_input', usage.cachedInput)
  metrics.tokens.add('cache_write', usage.cacheWrite + usage.cacheWrite1h)
}

/** Answers sold by the call: those that came, never more than were asked for. Not every upstream can give several, or does. */
export function itemsOf({ peek }: AdmittedCall, came: number): number {
  return Math.min(peek.choices, Math.max(1, came))
}

/** Twice the largest context and answer any model has; above it the upstream's count is a fault and is not billed. */
const BELIEVABLE_TOKENS = 20_000_000

/** Zero on both sides, or more than any model can do, says nothing of what was used. */
export function isBelievable(usage: Usage): boolean {
  const sum = totalInput(usage) + totalOutput(usage)
  return sum > 0 && sum <= BELIEVABLE_TOKENS
}
