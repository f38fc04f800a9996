import { pageOf } from '../../../contract/api/common.ts'
import {
  createGroup as createEndpoint,
  deleteGroup as deleteEndpoint,
  listGroups,
  updateGroup as updateEndpoint,
} from '../../../contract/api/groups.ts'
import { bind, type Route } from '../../http/bind.ts'
import type { Deps } from '../../http/deps.ts'
import { createGroup, deleteGroup, listGroupWires, updateGroup } from './service.ts'

/** Groups of users and what they pay. */
export function groupsRoutes(deps: Deps): Route[] {
  return [
    bind(listGroups, ({ query }) => listGroupWires(deps, pageOf(query), query.q)),
    bind(createEndpoint, ({ body, caller, ip }) => createGroup(deps, body, { userId: caller.userId, ip })),
    bind(updateEndpoint, ({ params, body, caller, ip }) => updateGroup(deps, params.id, body, { userId: caller.userId, ip })),
    bind(deleteEndpoint, async ({ params, caller, ip }) => {
      await deleteGroup(deps, params.id, { userId: caller.userId, ip })
      return { message: 'Group deleted' }
    }),
  ]
}
