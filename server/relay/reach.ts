import type { KeyCaller } from '../features/api-keys/cache.ts'
import type { Candidate, CatalogModel, Snapshot } from '../features/catalog/snapshot.ts'

/** Who asks, on which routing data, when (epoch ms): what decides where his calls may go. */
export interface Reach {
  readonly caller: KeyCaller
  readonly snapshot: Snapshot
  readonly now: number
}

/** The model's channels this caller may use: those of the key's user channels in the key's order, or of all for a session. */
export function listsOf(model: CatalogModel, reach: Reach): (readonly Candidate[])[] {
  const { caller } = reach
  const lists: (readonly Candidate[])[] = []
  if (caller.keyId === null) {
    // Best first too: a user channel comes where its best candidate does.
    for (const [id, list] of model.byUserChannel) if (isOpen(id, reach)) lists.push(list)
    return lists
  }
  for (const id of caller.allowedUserChannels) {
    const list = model.byUserChannel.get(id)
    if (list && isOpen(id, reach)) lists.push(list)
  }
  return lists
}

/** Whether a call of the model by this caller would be taken: it is for sale, and one of his channels has it. */
export function isServed(model: CatalogModel, reach: Reach): boolean {
  return model.enabled && (model.priced || model.free) && listsOf(model, reach).length > 0
}

/** A user channel that is limited to groups serves their members only, also those whose key was bound to it before. */
function isOpen(userChannelId: number, { caller, snapshot, now }: Reach): boolean {
  const allowed = snapshot.userChannels.get(userChannelId)?.allowedGroups
  return (
    allowed === undefined || caller.groups.some(({ groupId, expiresAt }) => allowed.has(groupId) && (expiresAt === null || expiresAt > now))
  )
}
