import { EMPTY_USAGE } from '../../contract/meters.ts'
import { money, type Money } from '../../contract/money.ts'
import { quote, type Multipliers } from '../../contract/quote.ts'
import type { HoldOperation } from '../features/billing/operations.ts'
import { multiplierFor } from '../features/catalog/service.ts'
import type { Candidate } from '../features/catalog/snapshot.ts'
import type { AdmittedCall } from './call.ts'
import type { RelayDeps } from './deps.ts'
import { DEFAULT_MAX_OUTPUT, HOLD_LIFETIME_MS } from './limits.ts'

export interface Pricing extends Multipliers {
  groupSource: string
}

/** The factors of the last channel asked for: reserving and settling mostly ask for the same. */
const known = new WeakMap<AdmittedCall, { candidate: Candidate; pricing: Pricing }>()

/** The factors of a call on a channel, from the snapshot the call was admitted with (contract.md 7.5). */
export function pricingOf(call: AdmittedCall, candidate: Candidate, deps: RelayDeps): Pricing {
  const last = known.get(call)
  if (last?.candidate === candidate) return last.pricing
  const pricing = computePricing(call, candidate, deps)
  known.set(call, { candidate, pricing })
  return pricing
}

function computePricing(call: AdmittedCall, candidate: Candidate, deps: RelayDeps): Pricing {
  const now = call.facts.createdAt
  const groupIds = call.caller.groups.filter(({ expiresAt }) => expiresAt === null || expiresAt > now).map(({ groupId }) => groupId)
  const mode = deps.settings.text('group_multiplier_mode') === 'min' ? 'min' : 'max'
  const { multiplier, source } = multiplierFor(call.snapshot, candidate, groupIds, mode)
  const userChannel = call.snapshot.userChannels.get(candidate.userChannelId)?.multiplier ?? money(0n)
  return { group: multiplier, groupSource: source, userChannel }
}

/**
 * Reserves what the call will cost at most: the estimated input and the output ceiling, at the first channel's price.
 * @returns the amount held
 * @throws AppError insufficient_balance | account_in_debt | user_budget_exceeded | key_quota_exceeded | key_budget_exceeded
 */
export async function reserve(call: AdmittedCall, first: Candidate, deps: RelayDeps): Promise<Money> {
  const { peek, model } = call
  const { service } = call.ingress
  const output = heldOutput(call)
  const usage = service ? service.ceiling(call) : { ...EMPTY_USAGE, input: call.estimatedInput, output: output * peek.choices }
  return hold(call, quote(usage, model.card, pricingOf(call, first, deps), peek.choices).total, deps)
}

/** Holds an amount for a call. @returns what is held @throws AppError insufficient_balance | account_in_debt | key_quota_exceeded */
export function hold(call: AdmittedCall, amount: Money, deps: RelayDeps): Promise<Money> {
  return deps.ledger.hold(holdOf(call, amount))
}

/** The ledger's operation that holds an amount for a call. */
export function holdOf(call: AdmittedCall, amount: Money): Omit<HoldOperation, 'instance' | 'day'> {
  const { requestId, facts } = call
  return {
    requestId,
    accountId: facts.accountId,
    quotaKeyId: quotaKeyOf(call),
    amount,
    now: facts.createdAt,
    deadlineAt: facts.createdAt + HOLD_LIFETIME_MS,
    context: JSON.stringify(facts),
  }
}

/** Output tokens of one answer that a call is held for: what the client or the model allows at most. */
export function heldOutput({ peek, model }: AdmittedCall): number {
  const asked = peek.maxOutputTokens ?? model.maxOutputTokens ?? DEFAULT_MAX_OUTPUT
  return Math.min(asked, model.maxOutputTokens ?? asked)
}

/** The key whose limits are held on too; null when it has none. */
export function quotaKeyOf({ caller, facts }: AdmittedCall): number | null {
  return caller.quotaLimit === 0n && !caller.budgeted ? null : facts.apiKeyId
}
