/**
 * The settlement rule: how a call ended x where its usage comes from -> whether usage x price is charged. One table, one
 * function; docs/billing.md says the same to customers.
 */

/** How a call ended. `complete` and the two `client_gone` cases are the customer's; the rest is the upstream's or ours. */
export const endReasons = [
  'complete',
  'client_gone',
  'upstream_error_before_content',
  'upstream_error_after_content',
  'timeout_before_content',
  'timeout_after_content',
  'content_blocked',
  'refused_balance',
  'shutdown',
  'crashed',
] as const
export type EndReason = (typeof endReasons)[number]

/**
 * `upstream`: the upstream stated it. `estimated`: counted from the decoded text because it did not, or stated nothing
 * usable. `none`: nothing was produced or nothing is known.
 */
export const usageSources = ['upstream', 'estimated', 'none'] as const
export type UsageSource = (typeof usageSources)[number]

export interface Ruling {
  charge: boolean
  /** Why the charge is not simply usage x price; empty when it is. Stands in the log row. */
  note: string
}

const CHARGE: Ruling = { charge: true, note: '' }
const PRODUCED: Ruling = { charge: true, note: 'charged for what was produced before the answer broke off' }
const NOTHING_PRODUCED: Ruling = { charge: false, note: 'not charged: nothing was produced' }

/** The ruling for a call that used something. A call that produced nothing is never charged, whatever its end. */
const rulings: Record<EndReason, Ruling> = {
  complete: CHARGE,
  client_gone: { charge: true, note: 'charged for what was produced before the client left' },
  upstream_error_before_content: NOTHING_PRODUCED,
  upstream_error_after_content: PRODUCED,
  timeout_before_content: NOTHING_PRODUCED,
  timeout_after_content: PRODUCED,
  content_blocked: { charge: true, note: 'charged: the upstream produced an answer that the content policy holds back' },
  refused_balance: { charge: true, note: 'charged for what was produced until the balance was used up' },
  shutdown: PRODUCED,
  crashed: { charge: false, note: 'not charged: the server stopped in the middle of the call and what was delivered is not known' },
}

/** Decides one cell of the table. */
export function ruleOf(endReason: EndReason, usageSource: UsageSource): Ruling {
  if (usageSource === 'none') return endReason === 'crashed' ? rulings.crashed : NOTHING_PRODUCED
  return rulings[endReason]
}
