import { AppError } from '../../../contract/errors.ts'
import { ZERO } from '../../../contract/money.ts'
import type { CatalogMeta } from '../../features/catalog/snapshot.ts'
import { drawBelow } from '../../lib/ids.ts'
import type { AdmittedCall, Attempt, UpstreamAnswer } from '../call.ts'
import type { RelayDeps } from '../deps.ts'
import { dispatch } from '../dispatch.ts'
import type { Decision } from '../meta/evaluate.ts'
import { refuse } from '../refuse.ts'
import { preferMaker } from '../stored-responses.ts'
import { hold } from '../reserve.ts'
import { Settlement } from '../settlement.ts'
import { DispatchError } from '../tries.ts'
import { ceilingOf } from './ceiling.ts'
import { readFacts } from './facts.ts'
import { judged } from './judge.ts'
import { draft, withDrafts } from './parallel.ts'
import { planFor, turnTo, type MetaCall } from './targets.ts'

/** What chance is drawn from. */
const CHANCES = 2 ** 32

export function isMetaCall(call: AdmittedCall): call is AdmittedCall & { meta: CatalogMeta } {
  return call.meta !== undefined
}

/**
 * Decides by the program, holds for all that may follow, and sends off what comes first. Judges and candidates are calls of their
 * own; the one whose answer the customer gets is this call, turned to the model that gives it.
 * @throws AppError when it cannot be paid, or nothing of the program can be reached
 */
export async function startMeta(
  admitted: AdmittedCall & { meta: CatalogMeta },
  deps: RelayDeps,
): Promise<{ call: MetaCall; answer: Promise<UpstreamAnswer>; settlement: Settlement }> {
  // The very object: whoever delivers the answer sees the model it was turned to.
  const call: MetaCall = Object.assign(admitted, { held: ZERO })
  const { compiled } = call.meta
  // Nobody goes on from a stranger's response, by no part either.
  await preferMaker([], call, deps)
  const read = await readFacts(call, compiled.variables, deps)
  const decision = compiled.decide(read, () => drawBelow(CHANCES) / CHANCES)
  if (decision.kind === 'call') turnTo(call, decision.model, deps)
  call.held = await hold(call, ceilingOf(decision, call, deps), deps)
  const settlement = new Settlement(call, deps)
  return { call, answer: carryOut(decision, call, deps).catch((error: unknown) => refuse(call, error, settlement)), settlement }
}

async function carryOut(first: Decision, call: MetaCall, deps: RelayDeps): Promise<UpstreamAnswer> {
  let decision = first
  while (decision.kind === 'judge') {
    const output = await judged(call, decision.judge, deps)
    stopIfLeft(call)
    decision = decision.judge.decide(output)
  }
  switch (decision.kind) {
    case 'call':
      return firstAnswer(call, [decision.model], deps)
    case 'fallback':
      return firstAnswer(call, decision.models, deps)
    case 'parallel': {
      const drafts = await draft(call, decision.models, deps)
      stopIfLeft(call)
      const { body, losses } = withDrafts(call, drafts)
      if (body !== call.body) {
        call.body = body
        call.bytes = undefined
        call.losses = losses
      }
      return firstAnswer(call, [decision.synthesize], deps)
    }
  }
}

/** The answer of the first model that gives one, with all tries; the next is asked before the first byte only. */
async function firstAnswer(call: MetaCall, models: readonly string[], deps: RelayDeps): Promise<UpstreamAnswer> {
  const attempts: Attempt[] = []
  let failed: DispatchError | undefined
  for (const name of models) {
    try {
      turnTo(call, name, deps)
      const order = await preferMaker(planFor(call, name, deps), call, deps)
      if (order.length === 0) throw new AppError('no_channel')
      const answer = await dispatch(call, order, deps)
      return { ...answer, attempts: [...attempts, ...answer.attempts] }
    } catch (error) {
      if (error instanceof DispatchError) attempts.push(...error.attempts)
      const failure = error instanceof DispatchError ? error.failure : error
      if (!(failure instanceof AppError)) throw error
      failed = new DispatchError(failure, attempts, error instanceof DispatchError ? error.candidate : failed?.candidate)
      if (call.peek.stream && call.clientSignal.aborted) throw failed
    }
  }
  throw failed ?? new DispatchError(new AppError('meta_model_unresolved'), attempts, undefined)
}

/** Nothing more is begun for a customer who has left. */
function stopIfLeft({ clientSignal }: MetaCall): void {
  if (clientSignal.aborted) throw new AppError('upstream_failed', { cause: 'the client left' })
}
