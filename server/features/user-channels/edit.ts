import type { UserChannelBody, UserChannelWire } from '../../../contract/api/user-channels.ts'
import { AppError } from '../../../contract/errors.ts'
import type { Deps } from '../../http/deps.ts'
import { recordAudit } from '../audit/service.ts'
import { changeRouting, type Actor } from '../catalog/change.ts'
import { channelWiresBy, detachChannels } from '../channels/service.ts'
import { requireMultiplier } from '../groups/service.ts'
import { allowedGroupWires } from './allowed-groups.ts'
import { userChannelWireOf } from './service.ts'
import { deleteUserChannelRows, findUserChannel, insertUserChannel, selectUserChannels, updateUserChannelRow } from './store.ts'

/** User channels with their upstreams, each with its models. */
export async function listUserChannelWires(
  deps: Pick<Deps, 'db'>,
  page: { page: number; pageSize: number } | undefined,
  search = '',
): Promise<UserChannelWire[] | { items: UserChannelWire[]; total: number; page: number; page_size: number }> {
  const { rows, total } = await selectUserChannels(deps.db.query, page, search)
  const channels = await channelWiresBy(
    deps.db.query,
    rows.map(({ id }) => id),
  )
  const allowed = await allowedGroupWires(deps.db.query)
  const items = rows.map((row) => ({
    ...userChannelWireOf(row),
    allowed_groups: allowed.get(row.id) ?? [],
    channels: channels.get(row.id) ?? [],
  }))
  return page ? { items, total, page: page.page, page_size: page.pageSize } : items
}

/** @throws AppError name_taken | multiplier_zero */
export async function createUserChannel(deps: Deps, body: UserChannelBody & { name: string }, actor: Actor): Promise<UserChannelWire> {
  const multiplier = requireMultiplier(body.multiplier)
  const row = await changeRouting(deps, 'name_taken', async (tx, now) => {
    const made = await insertUserChannel(
      tx,
      {
        name: body.name,
        description: body.description ?? '',
        multiplier,
        routing_algorithm: body.routing_algorithm ?? 'priority',
        enabled: body.enabled === false ? 0 : 1,
        hedge_delay_ms: body.hedge_delay_ms || null,
      },
      now,
    )
    await recordAudit(tx, {
      actorUserId: actor.userId,
      action: 'create',
      objectType: 'user_channel',
      objectId: made.id,
      after: { ...made },
      ip: actor.ip,
      now,
    })
    return made
  })
  return { ...userChannelWireOf(row), allowed_groups: [] }
}

/** @throws AppError user_channel_not_found | name_taken | multiplier_zero */
export async function updateUserChannel(deps: Deps, id: number, body: UserChannelBody, actor: Actor): Promise<UserChannelWire> {
  const row = await changeRouting(deps, 'name_taken', async (tx, now) => {
    const before = await findUserChannel(tx, id)
    if (!before) throw new AppError('user_channel_not_found')
    const after = await updateUserChannelRow(
      tx,
      id,
      {
        name: body.name ?? before.name,
        description: body.description ?? before.description,
        multiplier: requireMultiplier(body.multiplier ?? before.multiplier),
        routing_algorithm: body.routing_algorithm ?? before.routing_algorithm,
        enabled: (body.enabled ?? before.enabled === 1) ? 1 : 0,
        hedge_delay_ms: body.hedge_delay_ms === undefined ? before.hedge_delay_ms : body.hedge_delay_ms || null,
      },
      now,
    )
    await recordAudit(tx, {
      actorUserId: actor.userId,
      action: 'update',
      objectType: 'user_channel',
      objectId: id,
      before: { ...before },
      after: { ...after },
      ip: actor.ip,
      now,
    })
    return after
  })
  return { ...userChannelWireOf(row), allowed_groups: (await allowedGroupWires(deps.db.query)).get(id) ?? [] }
}

/** Deletes a user channel; one that is gone already is fine. Its upstreams are detached and switched off. */
export async function deleteUserChannel(deps: Deps, id: number, actor: Actor): Promise<void> {
  await changeRouting(deps, 'conflict', async (tx, now) => {
    const before = await findUserChannel(tx, id)
    if (!before) return
    const detached = await detachChannels(tx, id, now)
    await deleteUserChannelRows(tx, id)
    await recordAudit(tx, {
      actorUserId: actor.userId,
      action: 'delete',
      objectType: 'user_channel',
      objectId: id,
      before: { ...before, channels: detached },
      ip: actor.ip,
      now,
    })
  })
}
