import type { GroupWire } from '../../../contract/api/groups.ts'
import type { AllowedGroupWire } from '../../../contract/api/user-channels.ts'
import { AppError } from '../../../contract/errors.ts'
import type { Database } from '../../db/open.ts'
import type { Deps } from '../../http/deps.ts'
import { isoTime } from '../../lib/clock.ts'
import { recordAudit } from '../audit/service.ts'
import { changeRouting, type Actor } from '../catalog/change.ts'
import { groupWires } from '../groups/service.ts'
import { findUserChannel, putAllowedGroups, selectAllowedGroups, type AllowedGroupRow } from './store.ts'

/** The groups of each limited user channel, by its id. */
export async function allowedGroupWires(db: Database['query']): Promise<Map<number, AllowedGroupWire[]>> {
  const wires = wiresOf(await selectAllowedGroups(db), await groupWires(db))
  return Map.groupBy(wires, ({ user_channel_id: id }) => id)
}

/**
 * Limits a user channel to the members of groups; none opens it to all. In force for the next call when it returns.
 * @throws AppError user_channel_not_found | group_missing
 */
export async function limitToGroups(deps: Deps, id: number, groupIds: readonly number[], actor: Actor): Promise<AllowedGroupWire[]> {
  const wanted = [...new Set(groupIds)]
  return changeRouting(deps, 'conflict', async (tx, now) => {
    if (!(await findUserChannel(tx, id))) throw new AppError('user_channel_not_found')
    const groups = await groupWires(tx)
    const unknown = wanted.find((group) => !groups.has(group))
    if (unknown !== undefined) throw new AppError('group_missing', { message: `Group not found: ${unknown}`, param: 'group_ids' })
    const before = (await selectAllowedGroups(tx, id)).map(({ group_id: group }) => group)
    await putAllowedGroups(tx, id, wanted, now)
    await recordAudit(tx, {
      actorUserId: actor.userId,
      action: 'limit_to_groups',
      objectType: 'user_channel',
      objectId: id,
      before: { group_ids: before },
      after: { group_ids: wanted },
      ip: actor.ip,
      now,
    })
    return wiresOf(await selectAllowedGroups(tx, id), groups)
  })
}

function wiresOf(rows: readonly AllowedGroupRow[], groups: ReadonlyMap<number, GroupWire>): AllowedGroupWire[] {
  return rows.flatMap((row) => {
    const group = groups.get(row.group_id)
    return group
      ? [
          {
            id: row.id,
            user_channel_id: row.user_channel_id,
            group_id: row.group_id,
            group,
            created_at: isoTime(row.created_at),
            updated_at: isoTime(row.updated_at),
          },
        ]
      : []
  })
}
