import type { EndReason } from '../features/billing/rules.ts'
import type { AdmittedCall, UpstreamAnswer } from './call.ts'
import { withoutCustomersWords } from './customer-words.ts'
import { publicMessage } from './faults.ts'
import type { Fault } from './protocols/canonical.ts'

/** How a stream ended, in the customer's terms. */
export type Ending = { endReason: EndReason; fault: Fault | undefined; error: string }

/** The answer outgrew what is held for it, and there is no money for more. */
export const USED_UP: Ending = {
  endReason: 'refused_balance',
  fault: { kind: 'insufficient_balance', status: 402, message: 'The balance was used up during the answer' },
  error: 'the balance was used up during the answer',
}

/** A word of the owner's list: no error, but the end that the protocol has for an answer its maker's filter stops. */
export const BLOCKED: Ending = {
  endReason: 'content_blocked',
  fault: undefined,
  error: 'the content filter found a word of its list in the answer',
}

/** An error event of the upstream inside the stream, in its words for the customer and without the customer's for the log. */
export function faultedBy(fault: Fault, call: AdmittedCall, { candidate }: UpstreamAnswer, endReason: EndReason): Ending {
  const message = publicMessage(fault.message, call.model.name, candidate)
  return { endReason, fault: { ...fault, message }, error: withoutCustomersWords(message, call) }
}
