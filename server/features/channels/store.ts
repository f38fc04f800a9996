import type { Insertable, Selectable, Updateable } from 'kysely'
import type { Database } from '../../db/open.ts'
import { contains } from '../../db/search.ts'
import type { ChannelGroupMultiplierTable, ChannelTable } from '../../db/schema.ts'
import type { Override } from '../groups/service.ts'

type Tx = Database['query']
export type ChannelRow = Selectable<ChannelTable>
export type OverrideRow = Selectable<ChannelGroupMultiplierTable>
export type NewChannel = Omit<Insertable<ChannelTable>, 'id' | 'created_at' | 'updated_at'>
export type ChannelChange = Omit<Updateable<ChannelTable>, 'id' | 'created_at' | 'updated_at'>

/** All in the order of their making; a page of them newest first. */
export async function selectChannels(
  db: Tx,
  page: { page: number; pageSize: number } | undefined,
  search = '',
): Promise<{ rows: ChannelRow[]; total: number }> {
  let all = db.selectFrom('channels')
  if (search !== '') all = all.where(contains(['name', 'base_url', 'type'], search))
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

/** Upstreams of the given user channels, or all, best first. */
export function selectChannelsOf(db: Tx, userChannelIds: readonly number[] | undefined): Promise<ChannelRow[]> {
  let rows = db.selectFrom('channels').selectAll()
  if (userChannelIds) rows = rows.where('user_channel_id', 'in', userChannelIds)
  return rows.orderBy('priority', 'desc').orderBy('weight', 'desc').orderBy('id').execute()
}

export function selectNames(db: Tx, ids: readonly number[]): Promise<Pick<ChannelRow, 'id' | 'name'>[]> {
  return db.selectFrom('channels').select(['id', 'name']).where('id', 'in', ids).execute()
}

export function findChannel(db: Tx, id: number): Promise<ChannelRow | undefined> {
  return db.selectFrom('channels').selectAll().where('id', '=', id).executeTakeFirst()
}

export function insertChannel(tx: Tx, channel: NewChannel, now: number): Promise<ChannelRow> {
  return tx
    .insertInto('channels')
    .values({ ...channel, created_at: now, updated_at: now })
    .returningAll()
    .executeTakeFirstOrThrow()
}

export function updateChannelRow(tx: Tx, id: number, change: ChannelChange, now: number): Promise<ChannelRow> {
  return tx
    .updateTable('channels')
    .set({ ...change, updated_at: now })
    .where('id', '=', id)
    .returningAll()
    .executeTakeFirstOrThrow()
}

/** Notes what its traffic says of a channel, unless it is gone. Nobody edited it: `updated_at` stays. */
export async function noteHealth(tx: Tx, id: number, change: ChannelChange): Promise<void> {
  await tx.updateTable('channels').set(change).where('id', '=', id).execute()
}

/** The channel and its multipliers; its bindings are the caller's. */
export async function deleteChannelRows(tx: Tx, id: number): Promise<void> {
  await tx.deleteFrom('channel_group_multipliers').where('channel_id', '=', id).execute()
  await tx.deleteFrom('channels').where('id', '=', id).execute()
}

/** @returns ids of the upstreams that were detached */
export async function detachChannelRows(tx: Tx, userChannelId: number, now: number): Promise<number[]> {
  const rows = await tx
    .updateTable('channels')
    .set({ user_channel_id: null, enabled: 0, updated_at: now })
    .where('user_channel_id', '=', userChannelId)
    .returning('id')
    .execute()
  return rows.map(({ id }) => id)
}

export async function hasOrphans(db: Tx): Promise<boolean> {
  return (await db.selectFrom('channels').select('id').where('user_channel_id', 'is', null).limit(1).executeTakeFirst()) !== undefined
}

export async function attachOrphanRows(tx: Tx, userChannelId: number, now: number): Promise<void> {
  await tx.updateTable('channels').set({ user_channel_id: userChannelId, updated_at: now }).where('user_channel_id', 'is', null).execute()
}

/** Overrides of the given channels, or of all. */
export function selectOverrides(db: Tx, channelIds: readonly number[] | undefined): Promise<OverrideRow[]> {
  let rows = db.selectFrom('channel_group_multipliers').selectAll()
  if (channelIds) rows = rows.where('channel_id', 'in', channelIds)
  return rows.orderBy('id').execute()
}

/** Puts the given set in the place of the one that was. */
export async function replaceOverrides(tx: Tx, channelId: number, overrides: readonly Override[], now: number): Promise<void> {
  await tx.deleteFrom('channel_group_multipliers').where('channel_id', '=', channelId).execute()
  if (overrides.length === 0) return
  await tx
    .insertInto('channel_group_multipliers')
    .values(
      overrides.map(({ groupId, multiplier }) => ({
        channel_id: channelId,
        group_id: groupId,
        multiplier,
        created_at: now,
        updated_at: now,
      })),
    )
    .execute()
}

export function selectSyncable(db: Tx): Promise<Pick<ChannelRow, 'id' | 'price_sync_cron' | 'price_sync_last_at' | 'updated_at'>[]> {
  return db
    .selectFrom('channels')
    .select(['id', 'price_sync_cron', 'price_sync_last_at', 'updated_at'])
    .where('price_sync_enabled', '=', 1)
    .where('enabled', '=', 1)
    .orderBy('id')
    .execute()
}

/** Notes a reading unless somebody else did since `lastAt`. Nobody edited the channel: `updated_at` stays. */
export async function claimSync(db: Tx, id: number, lastAt: number | null, now: number): Promise<boolean> {
  const row = await db
    .updateTable('channels')
    .set({ price_sync_last_at: now })
    .where('id', '=', id)
    .where('price_sync_last_at', lastAt === null ? 'is' : '=', lastAt)
    .returning('id')
    .executeTakeFirst()
  return row !== undefined
}

export async function selectEnabledIds(db: Tx): Promise<number[]> {
  const rows = await db.selectFrom('channels').select('id').where('enabled', '=', 1).orderBy('id').execute()
  return rows.map(({ id }) => id)
}
