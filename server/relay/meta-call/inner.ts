import { isObject, type JsonObject } from '../../../contract/json.ts'
import { AppError } from '../../../contract/errors.ts'
import { money, type Money } from '../../../contract/money.ts'
import type { MetaFacts } from '../../features/billing/draft.ts'
import { requestId } from '../../lib/ids.ts'
import { deliverWhole } from '../deliver.ts'
import type { RelayDeps } from '../deps.ts'
import { dispatch } from '../dispatch.ts'
import type { Ingress } from '../ingress.ts'
import { refuse } from '../refuse.ts'
import { holdOf } from '../reserve.ts'
import { Settlement } from '../settlement.ts'
import { planFor, turnTo, type MetaCall } from './targets.ts'

/** What an inner call asks for. */
export interface InnerRequest {
  role: MetaFacts['role']
  /** The real model's own name. */
  model: string
  ingress: Ingress
  body: JsonObject
  maxOutputTokens: number | undefined
  estimatedInput: number
  /** What of the whole call's hold is set aside for it. */
  hold: Money
}

/**
 * One call of a model inside a customer's call: the ordinary line with its own row, for the same user, key and channels; its money
 * is held already. It is read and settled to its end, whoever has left meanwhile.
 * @returns the whole answer in the ingress's protocol
 * @throws AppError when no channel answered; the row says why
 */
export async function callInside(parent: MetaCall, request: InnerRequest, deps: RelayDeps): Promise<JsonObject> {
  const now = deps.clock.now()
  const id = requestId(now)
  const { role, ingress, body, estimatedInput } = request
  const call: MetaCall = {
    ...parent,
    requestId: id,
    ingress,
    body,
    bytes: undefined,
    adapted: undefined,
    losses: [],
    limits: parent.limits.part(),
    peek: {
      model: request.model,
      stream: false,
      choices: 1,
      wantsUsage: true,
      ...(request.maxOutputTokens !== undefined && { maxOutputTokens: request.maxOutputTokens }),
    },
    estimatedInput,
    startedMs: deps.clock.monotonic(),
    pass: undefined,
    // The customer's leaving ends what is made for him at the end; a part that runs is billed by its upstream and read.
    clientSignal: new AbortController().signal,
    facts: {
      ...parent.facts,
      requestId: id,
      protocol: ingress.protocol.id,
      endpoint: ingress.endpoint,
      stream: false,
      createdAt: now,
      meta: { model: parent.meta.name, role, label: parent.meta.options.auditLabel, parentRequestId: parent.requestId },
    },
  }
  turnTo(call, request.model, deps)
  const order = planFor(call, request.model, deps)
  if (order.length === 0) throw new AppError('no_channel')
  const part = await deps.ledger.part({ ...holdOf(call, request.hold), from: parent.requestId })
  parent.held = money(parent.held - part)
  const settlement = new Settlement(call, deps)
  const answer = await dispatch(call, order, deps).catch((error: unknown) => refuse(call, error, settlement))
  const response = await deliverWhole(call, answer, settlement, deps).catch((error: unknown) => refuse(call, error, settlement))
  const json: unknown = await response.json()
  if (!isObject(json)) throw new AppError('upstream_invalid')
  return json
}

/** Resolves with what the work gives within the time, else with undefined; the work goes on. */
export async function within<T>(work: Promise<T>, timeoutMs: number): Promise<T | undefined> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), timeoutMs)
  })
  try {
    return await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}
