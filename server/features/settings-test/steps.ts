import type { Deps } from '../../http/deps.ts'
import { countAttempt, type AttemptLimit } from '../attempts/service.ts'
import { recordAudit } from '../audit/service.ts'

/** Enough to find the right settings, too few to bother anybody with. */
export const TESTS: AttemptLimit = { count: 20, windowMs: 10 * 60_000 }
/** The other side's own words, as far as they help. */
export const MAX_MESSAGE = 300

/** Runs one step. @returns whether it went well: after one that did not, none is taken */
export type Step<Name extends string> = (name: Name, work: () => Promise<string> | string) => Promise<boolean>

interface Tried<Name extends string> {
  ok: boolean
  steps: { name: Name; ok: boolean; message: string }[]
}

/**
 * Tries settings out, step by step: counted, and in the audit with its result. What goes wrong is the answer, in the words of the
 * other side or the network: the caller may see the settings anyhow.
 * @throws AppError too_many_requests
 */
export async function trySteps<Name extends string>(
  deps: Deps,
  actor: { userId: number; ip: string },
  target: string,
  work: (step: Step<Name>) => Promise<boolean>,
): Promise<Tried<Name>> {
  await countAttempt(deps, `${target} test:${actor.userId}`, TESTS)
  const steps: Tried<Name>['steps'] = []
  const ok = await work(async (name, take) => {
    try {
      steps.push({ name, ok: true, message: (await take()).slice(0, MAX_MESSAGE) })
      return true
    } catch (error) {
      steps.push({ name, ok: false, message: wordsOf(error).slice(0, MAX_MESSAGE) })
      return false
    }
  })
  await recordAudit(deps.db.query, {
    actorUserId: actor.userId,
    action: 'test',
    objectType: 'settings',
    objectId: target,
    after: { ok, step: steps.at(-1)?.name },
    ip: actor.ip,
    now: deps.clock.now(),
  })
  return { ok, steps }
}

/** The innermost reason. */
export function wordsOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return error.cause instanceof Error ? wordsOf(error.cause) : error.message
}
