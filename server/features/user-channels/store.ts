import type { Insertable, Selectable, Updateable } from 'kysely'
import type { Database } from '../../db/open.ts'
import { contains } from '../../db/search.ts'
import type { AllowedGroupTable, UserChannelTable } from '../../db/schema.ts'

type Tx = Database['query']
export type UserChannelRow = Selectable<UserChannelTable>
export type AllowedGroupRow = Selectable<AllowedGroupTable>
export type NewUserChannel = Omit<Insertable<UserChannelTable>, 'id' | 'created_at' | 'updated_at'>
export type UserChannelChange = Omit<Updateable<UserChannelTable>, 'id' | 'created_at' | 'updated_at'>

/** All in the order of their making; a page of them newest first. */
export async function selectUserChannels(
  db: Tx,
  page?: { page: number; pageSize: number },
  search = '',
): Promise<{ rows: UserChannelRow[]; total: number }> {
  let all = db.selectFrom('user_channels')
  if (search !== '') all = all.where(contains(['name', 'description'], search))
  if (!page) {
    const rows = await all.selectAll().orderBy('id').execute()
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

export function findUserChannel(db: Tx, id: number): Promise<UserChannelRow | undefined> {
  return db.selectFrom('user_channels').selectAll().where('id', '=', id).executeTakeFirst()
}

export function findUserChannelByName(db: Tx, name: string): Promise<UserChannelRow | undefined> {
  return db.selectFrom('user_channels').selectAll().where('name', '=', name).executeTakeFirst()
}

export function insertUserChannel(tx: Tx, row: NewUserChannel, now: number): Promise<UserChannelRow> {
  return tx
    .insertInto('user_channels')
    .values({ ...row, created_at: now, updated_at: now })
    .returningAll()
    .executeTakeFirstOrThrow()
}

/** Inserts unless another process just did. */
export async function insertUserChannelOnce(tx: Tx, row: NewUserChannel, now: number): Promise<void> {
  await tx
    .insertInto('user_channels')
    .values({ ...row, created_at: now, updated_at: now })
    .onConflict((on) => on.column('name').doNothing())
    .execute()
}

export function updateUserChannelRow(tx: Tx, id: number, change: UserChannelChange, now: number): Promise<UserChannelRow> {
  return tx
    .updateTable('user_channels')
    .set({ ...change, updated_at: now })
    .where('id', '=', id)
    .returningAll()
    .executeTakeFirstOrThrow()
}

/** All rows, or those of one user channel, in the order of their making. */
export function selectAllowedGroups(db: Tx, userChannelId?: number): Promise<AllowedGroupRow[]> {
  const all = db.selectFrom('allowed_groups').selectAll().orderBy('id')
  return (userChannelId === undefined ? all : all.where('user_channel_id', '=', userChannelId)).execute()
}

/** Exactly these groups from now on; what stays keeps its row. */
export async function putAllowedGroups(tx: Tx, userChannelId: number, groupIds: readonly number[], now: number): Promise<void> {
  const stored = (await selectAllowedGroups(tx, userChannelId)).map(({ group_id: id }) => id)
  const gone = stored.filter((id) => !groupIds.includes(id))
  if (gone.length > 0)
    await tx.deleteFrom('allowed_groups').where('user_channel_id', '=', userChannelId).where('group_id', 'in', gone).execute()
  const fresh = groupIds.filter((id) => !stored.includes(id))
  if (fresh.length === 0) return
  const rows = fresh.map((id) => ({ user_channel_id: userChannelId, group_id: id, created_at: now, updated_at: now }))
  await tx.insertInto('allowed_groups').values(rows).execute()
}

/** The user channel and the groups it was limited to; its upstreams are the caller's. */
export async function deleteUserChannelRows(tx: Tx, id: number): Promise<void> {
  await tx.deleteFrom('allowed_groups').where('user_channel_id', '=', id).execute()
  await tx.deleteFrom('user_channels').where('id', '=', id).execute()
}
