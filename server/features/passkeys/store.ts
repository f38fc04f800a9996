import type { Insertable, Selectable } from 'kysely'
import type { Database } from '../../db/open.ts'
import type { PasskeyTable } from '../../db/schema.ts'

type Tx = Database['query']
export type PasskeyRow = Selectable<PasskeyTable>

/** Newest first. */
export function selectPasskeys(db: Tx, userId: number): Promise<PasskeyRow[]> {
  return db.selectFrom('passkeys').selectAll().where('user_id', '=', userId).orderBy('id', 'desc').execute()
}

export function findPasskey(db: Tx, credentialId: string): Promise<PasskeyRow | undefined> {
  return db.selectFrom('passkeys').selectAll().where('credential_id', '=', credentialId).executeTakeFirst()
}

export function insertPasskey(tx: Tx, row: Insertable<PasskeyTable>): Promise<PasskeyRow> {
  return tx.insertInto('passkeys').values(row).returningAll().executeTakeFirstOrThrow()
}

/** A passkey of this user; another's is as good as none. */
export function updatePasskey(
  tx: Tx,
  userId: number,
  id: number,
  change: Pick<PasskeyRow, 'name' | 'updated_at'>,
): Promise<PasskeyRow | undefined> {
  return tx.updateTable('passkeys').set(change).where('id', '=', id).where('user_id', '=', userId).returningAll().executeTakeFirst()
}

/**
 * Raises the counter; an authenticator that does not count says 0 for ever.
 * @returns false when it did not rise: an older answer, or a copy of the authenticator
 */
export async function raiseCounter(tx: Tx, id: number, count: number, now: number): Promise<boolean> {
  const { numUpdatedRows } = await tx
    .updateTable('passkeys')
    .set({ sign_count: count, last_used_at: now, updated_at: now })
    .where('id', '=', id)
    .where((where) => (count === 0 ? where('sign_count', '=', 0) : where('sign_count', '<', count)))
    .executeTakeFirst()
  return numUpdatedRows === 1n
}

/** Locks all passkeys of a user until the transaction ends; returns their ids. */
export async function lockPasskeys(tx: Tx, userId: number, now: number): Promise<number[]> {
  const rows = await tx.updateTable('passkeys').set({ updated_at: now }).where('user_id', '=', userId).returning('id').execute()
  return rows.map(({ id }) => id)
}

/** Removes one that its user has: the caller holds the lock. */
export function removePasskey(tx: Tx, userId: number, id: number): Promise<PasskeyRow> {
  return tx.deleteFrom('passkeys').where('id', '=', id).where('user_id', '=', userId).returningAll().executeTakeFirstOrThrow()
}
