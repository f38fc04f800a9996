import * as api from '../../../contract/api/channel-models.ts'
import { bind, type Route } from '../../http/bind.ts'
import type { Deps } from '../../http/deps.ts'
import { createBinding, deleteBinding, putOverrides, updateBinding } from './edit.ts'
import { bindingWires } from './service.ts'

/** Which models a channel carries, under which upstream name and for whom at which multiplier. */
export function channelModelsRoutes(deps: Deps): Route[] {
  return [
    bind(api.listChannelModels, async ({ params }) => (await bindingWires(deps.db.query, [params.id], true)).get(params.id) ?? []),
    bind(api.createChannelModel, ({ params, body, caller, ip }) => createBinding(deps, params.id, body, { userId: caller.userId, ip })),
    bind(api.updateChannelModel, ({ params, body, caller, ip }) => updateBinding(deps, params.id, body, { userId: caller.userId, ip })),
    bind(api.deleteChannelModel, async ({ params, caller, ip }) => {
      await deleteBinding(deps, params.id, { userId: caller.userId, ip })
      return { message: 'Model config deleted' }
    }),
    bind(api.putChannelModelOverrides, ({ params, body, caller, ip }) =>
      putOverrides(deps, params.id, body, { userId: caller.userId, ip }),
    ),
  ]
}
