import type { GroupWire } from '../../../contract/api/groups.ts'
import { AppError } from '../../../contract/errors.ts'
import { formatMoney, money, MONEY_ONE, type Money } from '../../../contract/money.ts'
import type { Database } from '../../db/open.ts'
import type { Deps } from '../../http/deps.ts'
import { isoTime } from '../../lib/clock.ts'
import { limitFieldsOf, newLimits, type LimitInput } from '../../lib/limit-fields.ts'
import { recordAudit } from '../audit/service.ts'
import { changeRouting, type Actor } from '../catalog/change.ts'
import {
  deleteGroupRow,
  findGroup,
  insertGroup,
  isGroupUsed,
  putDefaultGroup,
  selectGroups,
  updateGroupRow,
  type GroupRow,
} from './store.ts'

/** The group every user belongs to first (contract.md 1.7). */
const DEFAULT_GROUP = 'user'

/** Makes the default group when there is none; at each start. */
export async function ensureDefaultGroup(tx: Database['query'], now: number): Promise<void> {
  await putDefaultGroup(tx, DEFAULT_GROUP, money(MONEY_ONE), now)
}

export function groupWireOf(row: GroupRow): GroupWire {
  return {
    id: row.id,
    name: row.name,
    multiplier: formatMoney(row.multiplier),
    ...limitFieldsOf(row),
    created_at: isoTime(row.created_at),
    updated_at: isoTime(row.updated_at),
  }
}

/** All groups by name, or a page of them, newest first. */
export async function listGroupWires(
  deps: Pick<Deps, 'db'>,
  page: { page: number; pageSize: number } | undefined,
  search = '',
): Promise<GroupWire[] | { items: GroupWire[]; total: number; page: number; page_size: number }> {
  const { rows, total } = await selectGroups(deps.db.query, page, search)
  const items = rows.map(groupWireOf)
  return page ? { items, total, page: page.page, page_size: page.pageSize } : items
}

/** Every group by id, as the wire has it: few rows, so objects that name groups are filled from memory. */
export async function groupWires(db: Database['query']): Promise<Map<number, GroupWire>> {
  const { rows } = await selectGroups(db)
  return new Map(rows.map((row) => [row.id, groupWireOf(row)]))
}

/** A multiplier as it may be stored; absent is 1. @throws AppError multiplier_zero: 0 would mean free, unsaid (W47) */
export function requireMultiplier(multiplier: Money | null | undefined): Money {
  if (multiplier === 0n) throw new AppError('multiplier_zero', { param: 'multiplier' })
  return multiplier ?? money(MONEY_ONE)
}

/** @throws AppError name_taken | multiplier_zero */
export async function createGroup(
  deps: Deps,
  input: { name: string; multiplier?: Money | null | undefined } & LimitInput,
  actor: Actor,
): Promise<GroupWire> {
  const multiplier = requireMultiplier(input.multiplier)
  const row = await changeRouting(deps, 'name_taken', async (tx, now) => {
    const made = await insertGroup(tx, { name: input.name, multiplier, is_default: 0, ...newLimits(input) }, now)
    await recordAudit(tx, {
      actorUserId: actor.userId,
      action: 'create',
      objectType: 'group',
      objectId: made.id,
      after: made,
      ip: actor.ip,
      now,
    })
    return made
  })
  return groupWireOf(row)
}

/** @throws AppError group_not_found | group_default_name | name_taken | multiplier_zero */
export async function updateGroup(
  deps: Deps,
  id: number,
  input: { name?: string | null | undefined; multiplier?: Money | null | undefined } & LimitInput,
  actor: Actor,
): Promise<GroupWire> {
  const row = await changeRouting(deps, 'name_taken', async (tx, now) => {
    const before = await findGroup(tx, id)
    if (!before) throw new AppError('group_not_found')
    const name = input.name ?? before.name
    if (before.is_default === 1 && name !== before.name) throw new AppError('group_default_name')
    const after = await updateGroupRow(
      tx,
      id,
      { name, multiplier: requireMultiplier(input.multiplier ?? before.multiplier), ...newLimits(input, before) },
      now,
    )
    await recordAudit(tx, {
      actorUserId: actor.userId,
      action: 'update',
      objectType: 'group',
      objectId: id,
      before: { ...before },
      after: { ...after },
      ip: actor.ip,
      now,
    })
    return after
  })
  return groupWireOf(row)
}

/** @throws AppError group_not_found | group_default_kept | group_in_use */
export async function deleteGroup(deps: Deps, id: number, actor: Actor): Promise<void> {
  await changeRouting(deps, 'conflict', async (tx, now) => {
    const before = await findGroup(tx, id)
    if (!before) throw new AppError('group_not_found')
    if (before.is_default === 1) throw new AppError('group_default_kept')
    if (await isGroupUsed(tx, id)) throw new AppError('group_in_use')
    await deleteGroupRow(tx, id)
    await recordAudit(tx, {
      actorUserId: actor.userId,
      action: 'delete',
      objectType: 'group',
      objectId: id,
      before: { ...before },
      ip: actor.ip,
      now,
    })
  })
}

export interface Override {
  groupId: number
  multiplier: Money
}

/**
 * The overrides a body asks for: entries of group 0 or multiplier 0 are none (contract.md 3.5).
 * @throws AppError bad_request for a group that does not exist or stands twice
 */
export async function checkOverrides(tx: Database['query'], body: readonly { group_id: number; multiplier: Money }[]): Promise<Override[]> {
  const overrides = body
    .filter(({ group_id: id, multiplier }) => id !== 0 && multiplier !== 0n)
    .map(({ group_id: groupId, multiplier }) => ({ groupId, multiplier }))
  const groups = await groupWires(tx)
  const seen = new Set<number>()
  for (const { groupId } of overrides) {
    if (!groups.has(groupId)) throw new AppError('group_missing', { message: `Group not found: ${groupId}`, param: 'group_id' })
    if (seen.has(groupId)) throw new AppError('bad_request', { message: `Group ${groupId} stands twice in the list`, param: 'group_id' })
    seen.add(groupId)
  }
  return overrides
}
