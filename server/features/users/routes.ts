import {
  adjustUser,
  deleteUser as deleteUserEndpoint,
  endUserSessions,
  getMe,
  getUser,
  listUsers,
  putUser,
} from '../../../contract/api/users.ts'
import { pageOf } from '../../../contract/api/common.ts'
import { formatMoney } from '../../../contract/money.ts'
import { bind, type Route } from '../../http/bind.ts'
import type { Deps } from '../../http/deps.ts'
import { keysOf } from '../api-keys/service.ts'
import { sessionsOf } from '../auth/service.ts'
import { adjustUserBalance, deleteUser, endSessionsOf, updateUser } from './admin.ts'
import { listUsersWire, userWireOf } from './service.ts'

/** Users, seen by themselves and by those who run the site. */
export function usersRoutes(deps: Deps): Route[] {
  return [
    bind(getMe, ({ caller }) => userWireOf(deps, caller.userId)),
    bind(listUsers, ({ query }) => listUsersWire(deps, query.q ?? '', pageOf(query))),
    bind(getUser, async ({ params }) => {
      const user = await userWireOf(deps, params.id)
      return { ...user, keys: await keysOf(deps, params.id), sessions: await sessionsOf(deps, params.id) }
    }),
    bind(putUser, ({ params, body, caller, ip }) => updateUser(deps, params.id, body, { caller, ip })),
    bind(deleteUserEndpoint, async ({ params, caller, ip }) => {
      await deleteUser(deps, params.id, { caller, ip })
      return { message: 'User deleted' }
    }),
    bind(endUserSessions, async ({ params, caller, ip }) => {
      await endSessionsOf(deps, params.id, { caller, ip })
      return { message: 'Sessions ended' }
    }),
    bind(adjustUser, async ({ params, body, caller, ip, request }) => {
      const { entryId, balance } = await adjustUserBalance(deps, params.id, body, { caller, ip }, request.headers.get('idempotency-key'))
      return { ledger_entry_id: entryId, balance: formatMoney(balance) }
    }),
  ]
}
