import type { Database } from '../../db/open.ts'

type Tx = Database['query']

/** Every stored row: settings, and flags of the installation under names that are no setting's. */
export async function readRows(db: Tx): Promise<Map<string, string>> {
  const rows = await db.selectFrom('settings').select(['key', 'value']).execute()
  return new Map(rows.map(({ key, value }) => [key, value]))
}

/** One stored row, or undefined. */
export async function readRow(db: Tx, key: string): Promise<string | undefined> {
  return (await db.selectFrom('settings').select('value').where('key', '=', key).executeTakeFirst())?.value
}

/** Writes a row, whatever was there. */
export async function writeRow(tx: Tx, key: string, value: string, now: number): Promise<void> {
  await tx
    .insertInto('settings')
    .values({ key, value, updated_at: now })
    .onConflict((on) => on.column('key').doUpdateSet({ value, updated_at: now }))
    .execute()
}

export async function deleteRow(tx: Tx, key: string): Promise<void> {
  await tx.deleteFrom('settings').where('key', '=', key).execute()
}

/** Writes a row only if there is none. @returns true for the one caller that wrote it, on both engines */
export async function claimRow(tx: Tx, key: string, value: string, now: number): Promise<boolean> {
  const row = await tx
    .insertInto('settings')
    .values({ key, value, updated_at: now })
    .onConflict((on) => on.column('key').doNothing())
    .returning('key')
    .executeTakeFirst()
  return row !== undefined
}

/** Touches a row, which makes other transactions that touch it wait on either engine. */
export async function touchRow(tx: Tx, key: string, now: number): Promise<void> {
  await tx.updateTable('settings').set({ updated_at: now }).where('key', '=', key).execute()
}
