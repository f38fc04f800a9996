import * as api from '../../../contract/api/channels.ts'
import { pageOf } from '../../../contract/api/common.ts'
import { bind, type Route } from '../../http/bind.ts'
import type { Deps } from '../../http/deps.ts'
import { isMask } from '../../lib/secret-box.ts'
import { requireFresh } from '../sessions/step-up.ts'
import { createChannel, deleteChannel, putOverrides, updateChannel } from './edit.ts'
import { channelWireOf, listChannelWires } from './service.ts'

/** Upstreams. */
export function channelsRoutes(deps: Deps): Route[] {
  return [
    bind(api.listChannels, ({ query }) => listChannelWires(deps, pageOf(query), query.q)),
    bind(api.getChannel, ({ params }) => channelWireOf(deps.db.query, params.id)),
    bind(api.createChannel, ({ body, caller, ip }) => createChannel(deps, body, { userId: caller.userId, ip })),
    bind(api.updateChannel, async ({ params, body, caller, ip }) => {
      if (body.api_key !== undefined && body.api_key !== '' && (body.api_key === null || !isMask(body.api_key)))
        await requireFresh(deps, caller, 'site')
      return updateChannel(deps, params.id, body, { userId: caller.userId, ip })
    }),
    bind(api.deleteChannel, async ({ params, caller, ip }) => {
      await deleteChannel(deps, params.id, { userId: caller.userId, ip })
      return { message: 'Channel deleted' }
    }),
    bind(api.putChannelOverrides, ({ params, body, caller, ip }) => putOverrides(deps, params.id, body, { userId: caller.userId, ip })),
  ]
}
