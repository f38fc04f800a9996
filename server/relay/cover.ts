import { EMPTY_USAGE, totalInput, totalOutput, type Usage, type UsageDetails } from '../../contract/meters.ts'
import { money, type Money } from '../../contract/money.ts'
import { quote } from '../../contract/quote.ts'
import type { Candidate } from '../features/catalog/snapshot.ts'
import type { AdmittedCall } from './call.ts'
import type { RelayDeps } from './deps.ts'
import { heldOutput, pricingOf, quotaKeyOf } from './reserve.ts'
import type { TextMeter } from './text-meter.ts'

/** A hold grows by the price of at least so many output tokens: some ten seconds of a fast model between two writes. */
const STEP_TOKENS = 1_024
/** Long answers grow by this part of what they are already: few writes, however long or fast. */
const STEP_PART = 4
/** So many tokens are left under the hold when it is raised: looking more often would cost more than they do. */
const LEAST_TOKENS = 64
/** Of a small hold, this part: an answer that keeps to its `max_tokens` needs no more. */
const LEAST_PART = 16

/**
 * Keeps what is held for a stream above what it costs (promises.md M7). A token has at least one character, so nothing is looked at
 * until there are as many characters as tokens are held for: the usual stream pays one comparison a chunk.
 */
export class Cover {
  /** Length of the answer's text up to which the hold surely covers it. */
  chars: number
  readonly #call: AdmittedCall
  readonly #deps: RelayDeps
  readonly #least: number
  #held: Money

  /** @param held what was reserved before the upstream was asked */
  constructor(call: AdmittedCall, held: Money, deps: RelayDeps) {
    this.#call = call
    this.#deps = deps
    this.#held = held
    this.chars = heldOutput(call)
    // At least one, also of a call that asks for none at all: otherwise nothing would be raised and no frame ever taken.
    this.#least = Math.max(1, Math.min(LEAST_TOKENS, Math.ceil(this.chars / LEAST_PART)))
  }

  /**
   * Looks at what was produced, and holds more when little is left.
   * @returns false when more would have to be held and there is no money, quota or budget for it
   */
  async extend(text: TextMeter, usage: Partial<Usage & UsageDetails>, candidate: Candidate): Promise<boolean> {
    const stated = { ...EMPTY_USAGE, ...usage }
    const produced = Math.max(text.guess(), totalOutput(stated))
    const cost = this.#price(stated, produced, candidate)
    const stepTokens = Math.max(STEP_TOKENS, Math.ceil(produced / STEP_PART))
    const step = money(this.#price(stated, produced + stepTokens, candidate) - cost)
    if (step <= 0n) {
      this.chars = Infinity
      return true
    }
    let left = Number(((this.#held - cost) * BigInt(stepTokens)) / step)
    if (left < this.#least) {
      // What a large chunk took beyond the hold is held with the next step.
      const amount = money(this.#held < cost ? cost - this.#held + step : step)
      if (!(await this.#raise(amount))) return false
      this.#held = money(this.#held + amount)
      left = Math.max(left, 0) + stepTokens
    }
    this.chars = text.chars + left
    return true
  }

  #price(stated: Usage, output: number, candidate: Candidate): Money {
    const call = this.#call
    const input = totalInput(stated) > 0 ? stated : { ...stated, input: call.estimatedInput }
    const text = Math.max(0, output - stated.imageOutput - stated.audioOutput)
    return quote({ ...input, output: text }, call.model.card, pricingOf(call, candidate, this.#deps), call.peek.choices).total
  }

  #raise(amount: Money): Promise<boolean> {
    const { requestId, facts } = this.#call
    const now = this.#deps.clock.now()
    return this.#deps.ledger.raise({ requestId, accountId: facts.accountId, quotaKeyId: quotaKeyOf(this.#call), amount, now })
  }
}
