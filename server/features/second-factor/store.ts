import type { Selectable } from 'kysely'
import type { Database } from '../../db/open.ts'
import type { TotpSecretTable } from '../../db/schema.ts'

type Tx = Database['query']
export type TotpRow = Selectable<TotpSecretTable>

export function findTotp(db: Tx, userId: number): Promise<TotpRow | undefined> {
  return db.selectFrom('totp_secrets').selectAll().where('user_id', '=', userId).executeTakeFirst()
}

/** Keeps a secret that is not confirmed yet, in place of an older such one; one that counts stays. @returns false then */
export async function putPendingTotp(tx: Tx, row: Omit<TotpRow, 'id' | 'confirmed_at' | 'last_step'>): Promise<boolean> {
  const fresh = { sealed: row.sealed, last_step: 0, created_at: row.created_at }
  const written = await tx
    .insertInto('totp_secrets')
    .values({ user_id: row.user_id, confirmed_at: null, ...fresh })
    .onConflict((on) => on.column('user_id').doUpdateSet(fresh).where('totp_secrets.confirmed_at', 'is', null))
    .returning('id')
    .executeTakeFirst()
  return written !== undefined
}

/** Uses a step up. @returns false for a step that is not newer than the last: its code, or a later one, was used already */
export async function useStep(tx: Tx, id: number, step: number): Promise<boolean> {
  const { numUpdatedRows } = await tx
    .updateTable('totp_secrets')
    .set({ last_step: step })
    .where('id', '=', id)
    .where('last_step', '<', step)
    .executeTakeFirst()
  return numUpdatedRows === 1n
}

export async function confirmRow(tx: Tx, id: number, now: number): Promise<void> {
  await tx.updateTable('totp_secrets').set({ confirmed_at: now }).where('id', '=', id).execute()
}

export async function removeTotp(tx: Tx, userId: number): Promise<void> {
  await tx.deleteFrom('totp_secrets').where('user_id', '=', userId).execute()
  await tx.deleteFrom('recovery_codes').where('user_id', '=', userId).execute()
}

export async function replaceRecoveryCodes(tx: Tx, userId: number, hashes: readonly string[], now: number): Promise<void> {
  await tx.deleteFrom('recovery_codes').where('user_id', '=', userId).execute()
  await tx
    .insertInto('recovery_codes')
    .values(hashes.map((hash) => ({ user_id: userId, code_hash: hash, created_at: now })))
    .execute()
}

/** @returns true for the one caller that used it */
export async function takeRecoveryCode(tx: Tx, userId: number, hash: string): Promise<boolean> {
  const { numDeletedRows } = await tx
    .deleteFrom('recovery_codes')
    .where('user_id', '=', userId)
    .where('code_hash', '=', hash)
    .executeTakeFirst()
  return numDeletedRows === 1n
}

export async function countRecoveryCodes(db: Tx, userId: number): Promise<number> {
  const { total } = await db
    .selectFrom('recovery_codes')
    .select((count) => count.fn.countAll<number>().as('total'))
    .where('user_id', '=', userId)
    .executeTakeFirstOrThrow()
  return total
}
