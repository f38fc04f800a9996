import { setup, setupStatus } from '../../../contract/api/setup.ts'
import { AppError } from '../../../contract/errors.ts'
import { bind, type Route } from '../../http/bind.ts'
import type { Deps } from '../../http/deps.ts'
import { browserOf } from '../auth/service.ts'
import { clearedSetupCookie, maySetUp } from './link.ts'
import { setUp } from './service.ts'
import { setupRequired } from './state.ts'

/** The first start. */
export function setupRoutes(deps: Deps): Route[] {
  // One attempt at a time: hashing passwords for hundreds of losers would only cost memory.
  let turn: Promise<unknown> = Promise.resolve()
  return [
    bind(setupStatus, async () => ({ required: await setupRequired(deps) })),
    bind(setup, async (call) => {
      // Done is said to everybody; who may not do it is asked for the link.
      if (!(await setupRequired(deps))) throw new AppError('setup_complete')
      if (!maySetUp(deps.jwtSecret, call.request, call.ip)) throw new AppError('setup_link_required')
      const attempt = turn.then(() => setUp(deps, call.body, browserOf(call)))
      turn = attempt.catch(() => undefined)
      const answer = await attempt
      call.http.header('set-cookie', clearedSetupCookie)
      return answer
    }),
  ]
}
