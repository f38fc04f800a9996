import { pageOf } from '../../../contract/api/common.ts'
import * as api from '../../../contract/api/user-channels.ts'
import { bind, type Route } from '../../http/bind.ts'
import type { Deps } from '../../http/deps.ts'
import { limitToGroups } from './allowed-groups.ts'
import { createUserChannel, deleteUserChannel, listUserChannelWires, updateUserChannel } from './edit.ts'

/** What customers' keys are bound to. */
export function userChannelsRoutes(deps: Deps): Route[] {
  return [
    bind(api.listUserChannels, ({ query }) => listUserChannelWires(deps, pageOf(query), query.q)),
    bind(api.createUserChannel, ({ body, caller, ip }) => createUserChannel(deps, body, { userId: caller.userId, ip })),
    bind(api.updateUserChannel, ({ params, body, caller, ip }) => updateUserChannel(deps, params.id, body, { userId: caller.userId, ip })),
    bind(api.putAllowedGroups, ({ params, body, caller, ip }) => limitToGroups(deps, params.id, body, { userId: caller.userId, ip })),
    bind(api.deleteUserChannel, async ({ params, caller, ip }) => {
      await deleteUserChannel(deps, params.id, { userId: caller.userId, ip })
      return { message: 'User channel deleted' }
    }),
  ]
}
