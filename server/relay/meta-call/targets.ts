import { AppError } from '../../../contract/errors.ts'
import { EMPTY_USAGE } from '../../../contract/meters.ts'
import { ZERO, type Money } from '../../../contract/money.ts'
import { quote } from '../../../contract/quote.ts'
import type { CatalogMeta, CatalogModel } from '../../features/catalog/snapshot.ts'
import { listsFor } from '../admit.ts'
import type { AdmittedCall } from '../call.ts'
import type { RelayDeps } from '../deps.ts'
import { DEFAULT_MAX_OUTPUT } from '../limits.ts'
import { plan } from '../plan.ts'
import { listsOf } from '../reach.ts'
import { pricingOf } from '../reserve.ts'
import type { Candidate } from '../../features/catalog/snapshot.ts'

/** A call of a meta model. */
export interface MetaCall extends AdmittedCall {
  readonly meta: CatalogMeta
  /** What is held under this request's own id, without what was set aside for its parts. */
  held: Money
}

/**
 * The call as one of a real model: its channels, its price, its name in the log row. Who asked still sees the meta model's name.
 * @throws AppError meta_model_unresolved | no_channel | model_unpriced
 */
export function turnTo(call: MetaCall, name: string, deps: RelayDeps): void {
  const { meta, caller, ingress } = call
  const model = meta.targets.get(name)
  if (!model) throw new AppError('meta_model_unresolved')
  const lists = listsFor(model, caller, ingress, deps, call.snapshot)
  if (!model.priced && !model.free) throw new AppError('model_unpriced')
  call.model = model
  call.lists = lists
  call.facts = { ...call.facts, modelName: meta.billingMode === 'meta' ? meta.name : name, priceSnapshot: model.cardText }
}

/** The channels to try for the model a call was turned to; its conversations and turns are those of the real model. */
export function planFor(call: MetaCall, name: string, deps: RelayDeps): Candidate[] {
  const shown = call.model
  call.model = call.snapshot.models.get(name) ?? shown
  try {
    return plan(call, deps)
  } finally {
    call.model = shown
  }
}

/** Output tokens of one answer that a call of the model is held for. */
export function outputOf({ peek }: AdmittedCall, model: CatalogModel): number {
  const asked = peek.maxOutputTokens ?? model.maxOutputTokens ?? DEFAULT_MAX_OUTPUT
  return Math.min(asked, model.maxOutputTokens ?? asked)
}

/** What so many tokens cost at most on a model of the program; one the caller cannot reach costs nothing, as it is not called. */
export function priceOf(call: MetaCall, name: string, tokens: { input: number; output: number }, deps: RelayDeps): Money {
  const model = call.meta.targets.get(name)
  const first = model && listsOf(model, { caller: call.caller, snapshot: call.snapshot, now: deps.clock.now() })[0]?.[0]
  if (!model || !first) return ZERO
  return quote({ ...EMPTY_USAGE, ...tokens }, model.card, pricingOf(call, first, deps), call.peek.choices).total
}
