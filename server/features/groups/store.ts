import type { Selectable } from 'kysely'
import type { Money } from '../../../contract/money.ts'
import type { Database } from '../../db/open.ts'
import { contains } from '../../db/search.ts'
import type { GroupTable } from '../../db/schema.ts'
import type { LimitFields } from '../../lib/limit-fields.ts'

type Tx = Database['query']
export type GroupRow = Selectable<GroupTable>

/** All by name; a page of them newest first. */
export async function selectGroups(
  db: Tx,
  page?: { page: number; pageSize: number },
  search = '',
): Promise<{ rows: GroupRow[]; total: number }> {
  let all = db.selectFrom('groups')
  if (search !== '') all = all.where(contains(['name'], search))
  if (!page) {
    const rows = await all.selectAll().orderBy('name').execute()
    return { rows, total: rows.length }
  }
  const { total } = await all.select((count) => count.fn.countAll<number>().as('total')).executeTakeFirstOrThrow()
  return {
    rows: await all
      .selectAll()
      .orderBy('id', 'desc')
      .limit(page.pageSize)
      .offset((page.page - 1) * page.pageSize)
      .execute(),
    total,
  }
}

export function findGroup(db: Tx, id: number): Promise<GroupRow | undefined> {
  return db.selectFrom('groups').selectAll().where('id', '=', id).executeTakeFirst()
}

export function insertGroup(
  tx: Tx,
  group: { name: string; multiplier: Money; is_default: number } & LimitFields,
  now: number,
): Promise<GroupRow> {
  return tx
    .insertInto('groups')
    .values({ ...group, created_at: now, updated_at: now })
    .returningAll()
    .executeTakeFirstOrThrow()
}

export function updateGroupRow(
  tx: Tx,
  id: number,
  change: { name: string; multiplier: Money } & LimitFields,
  now: number,
): Promise<GroupRow> {
  return tx
    .updateTable('groups')
    .set({ ...change, updated_at: now })
    .where('id', '=', id)
    .returningAll()
    .executeTakeFirstOrThrow()
}

/** Makes the default group, or marks the one of that name; nothing happens when there is a default already. */
export async function putDefaultGroup(tx: Tx, name: string, multiplier: Money, now: number): Promise<void> {
  const found = await tx.selectFrom('groups').select('id').where('is_default', '=', 1).executeTakeFirst()
  if (found) return
  await tx
    .insertInto('groups')
    .values({ name, multiplier, is_default: 1, created_at: now, updated_at: now })
    .onConflict((on) => on.column('name').doUpdateSet({ is_default: 1 }))
    .execute()
}

/** True when a user, a membership, a multiplier, a user channel's list or a redeem code names the group. */
export async function isGroupUsed(tx: Tx, id: number): Promise<boolean> {
  for (const name of [
    'users',
    'memberships',
    'channel_group_multipliers',
    'channel_model_group_multipliers',
    'allowed_groups',
    'redeem_codes',
  ] as const) {
    if (await tx.selectFrom(name).select('group_id').where('group_id', '=', id).limit(1).executeTakeFirst()) return true
  }
  return false
}

export async function deleteGroupRow(tx: Tx, id: number): Promise<void> {
  await tx.deleteFrom('groups').where('id', '=', id).execute()
}
