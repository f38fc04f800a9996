import { AppError } from '../../contract/errors.ts'
import type { AdmittedCall } from './call.ts'
import { privateReason } from './customer-words.ts'
import type { Settlement } from './settlement.ts'
import { DispatchError } from './tries.ts'

/** Nothing reached the client: the call is settled as that, then the client is told why. */
export async function refuse(call: AdmittedCall, error: unknown, settlement: Settlement): Promise<never> {
  const known = error instanceof DispatchError ? error : undefined
  const failure = known?.failure ?? (error instanceof AppError ? error : new AppError('internal', { cause: error }))
  await settlement.finish({
    endReason: call.clientSignal.aborted
      ? 'client_gone'
      : failure.code === 'upstream_timeout'
        ? 'timeout_before_content'
        : 'upstream_error_before_content',
    status: failure.status,
    candidate: known?.candidate,
    attempts: known?.attempts ?? [],
    losses: [],
    usage: undefined,
    produced: undefined,
    items: 0,
    error: privateReason(failure),
    firstResponseMs: null,
  })
  throw failure
}
