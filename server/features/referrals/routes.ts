import { pageOf } from '../../../contract/api/common.ts'
import { getReferral, listCommissions } from '../../../contract/api/referrals.ts'
import { bind, type Route } from '../../http/bind.ts'
import type { Deps } from '../../http/deps.ts'
import { listAllCommissions, referralOf } from './service.ts'

/** Who invited whom, and what it earned. */
export function referralsRoutes(deps: Deps): Route[] {
  return [
    bind(getReferral, ({ caller }) => referralOf(deps, caller.userId)),
    bind(listCommissions, ({ query }) => listAllCommissions(deps, pageOf(query))),
  ]
}
