import type { Deps } from '../../http/deps.ts'
import { attachOrphanChannels, hasOrphanChannels } from '../channels/service.ts'
import { ensureDefaultGroup } from '../groups/service.ts'
import { ensureDefaultUserChannel } from '../user-channels/service.ts'

/**
 * The data a site starts with: default group, default user channel, upstreams that belong nowhere attached to it
 * (contract.md 1.7). At each start, before the catalog is loaded; processes that start together do no harm.
 */
export async function ensureDefaults(deps: Pick<Deps, 'db' | 'clock'>): Promise<void> {
  await deps.db.query.transaction().execute(async (tx) => {
    const now = deps.clock.now()
    await ensureDefaultGroup(tx, now)
    const orphans = await hasOrphanChannels(tx)
    const userChannelId = await ensureDefaultUserChannel(tx, orphans, now)
    if (orphans && userChannelId !== undefined) await attachOrphanChannels(tx, userChannelId, now)
  })
}
