import type { Insertable, Selectable, Updateable } from 'kysely'
import type { Database } from '../../db/open.ts'
import type { ChannelModelGroupMultiplierTable, ChannelModelTable } from '../../db/schema.ts'
import type { Override } from '../groups/service.ts'

type Tx = Database['query']
export type BindingRow = Selectable<ChannelModelTable>
export type OverrideRow = Selectable<ChannelModelGroupMultiplierTable>
export type NewBinding = Omit<Insertable<ChannelModelTable>, 'id' | 'created_at' | 'updated_at'>
export type BindingChange = Omit<Updateable<ChannelModelTable>, 'id' | 'created_at' | 'updated_at'>

/** Bindings of the given channels, or of all, in the contract's order (3.5). */
export function selectBindings(db: Tx, channelIds: readonly number[] | undefined): Promise<BindingRow[]> {
  let rows = db.selectFrom('channel_models').selectAll()
  if (channelIds) rows = rows.where('channel_id', 'in', channelIds)
  return rows.orderBy('model_id').orderBy('upstream_model_name').orderBy('id').execute()
}

/** Overrides of the bindings of the given channels, or of all. */
export function selectOverrides(db: Tx, channelIds: readonly number[] | undefined): Promise<OverrideRow[]> {
  let rows = db.selectFrom('channel_model_group_multipliers').selectAll()
  if (channelIds) {
    rows = rows.where('channel_model_id', 'in', db.selectFrom('channel_models').select('id').where('channel_id', 'in', channelIds))
  }
  return rows.orderBy('id').execute()
}

export function selectOverridesOf(db: Tx, bindingId: number): Promise<OverrideRow[]> {
  return db.selectFrom('channel_model_group_multipliers').selectAll().where('channel_model_id', '=', bindingId).orderBy('id').execute()
}

export function findBinding(db: Tx, id: number): Promise<BindingRow | undefined> {
  return db.selectFrom('channel_models').selectAll().where('id', '=', id).executeTakeFirst()
}

export function insertBinding(tx: Tx, binding: NewBinding, now: number): Promise<BindingRow> {
  return tx
    .insertInto('channel_models')
    .values({ ...binding, created_at: now, updated_at: now })
    .returningAll()
    .executeTakeFirstOrThrow()
}

export function updateBindingRow(tx: Tx, id: number, change: BindingChange, now: number): Promise<BindingRow> {
  return tx
    .updateTable('channel_models')
    .set({ ...change, updated_at: now })
    .where('id', '=', id)
    .returningAll()
    .executeTakeFirstOrThrow()
}

/** Bindings by one of their columns, with their overrides. */
export async function deleteBindings(tx: Tx, column: 'id' | 'channel_id' | 'model_id', value: number): Promise<void> {
  await tx
    .deleteFrom('channel_model_group_multipliers')
    .where('channel_model_id', 'in', tx.selectFrom('channel_models').select('id').where(column, '=', value))
    .execute()
  await tx.deleteFrom('channel_models').where(column, '=', value).execute()
}

/** Puts the given set in the place of the one that was. */
export async function replaceOverrides(tx: Tx, bindingId: number, overrides: readonly Override[], now: number): Promise<void> {
  await tx.deleteFrom('channel_model_group_multipliers').where('channel_model_id', '=', bindingId).execute()
  if (overrides.length === 0) return
  await tx
    .insertInto('channel_model_group_multipliers')
    .values(
      overrides.map(({ groupId, multiplier }) => ({
        channel_model_id: bindingId,
        group_id: groupId,
        multiplier,
        created_at: now,
        updated_at: now,
      })),
    )
    .execute()
}
