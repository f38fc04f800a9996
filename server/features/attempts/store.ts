import type { Database } from '../../db/open.ts'

type Tx = Database['query']

/** Makes the row if need be and locks it until the transaction ends, so that whoever else counts this key waits. */
export async function lockAttempts(tx: Tx, key: string): Promise<string> {
  const row = await tx
    .insertInto('attempts')
    .values({ key, events: '[]', expires_at: 0 })
    .onConflict((on) => on.column('key').doUpdateSet((row) => ({ key: row.ref('excluded.key') })))
    .returning('events')
    .executeTakeFirstOrThrow()
  return row.events
}

export async function writeAttempts(tx: Tx, key: string, events: string, expiresAt: number): Promise<void> {
  await tx.updateTable('attempts').set({ events, expires_at: expiresAt }).where('key', '=', key).execute()
}

export async function deleteAttempts(tx: Tx, key: string): Promise<void> {
  await tx.deleteFrom('attempts').where('key', '=', key).execute()
}

export async function deleteExpiredAttempts(tx: Tx, now: number): Promise<void> {
  await tx.deleteFrom('attempts').where('expires_at', '<=', now).execute()
}
