import type { Database } from '../../db/open.ts'

type Tx = Database['query']

export interface NewCode {
  email: string
  purpose: string
  code_hash: string
  expires_at: number
  created_at: number
}

export async function insertCode(tx: Tx, code: NewCode): Promise<void> {
  await tx
    .insertInto('email_codes')
    .values({ ...code, tries: 0, used_at: null })
    .execute()
}

/** Counts one try on every code that could still be meant, and returns those: a code that has had its tries is not among them. */
export function tryCodes(
  tx: Tx,
  of: { email: string; purpose: string },
  maxTries: number,
  now: number,
): Promise<{ id: number; code_hash: string }[]> {
  return tx
    .updateTable('email_codes')
    .set((row) => ({ tries: row('tries', '+', 1) }))
    .where('email', '=', of.email)
    .where('purpose', '=', of.purpose)
    .where('used_at', 'is', null)
    .where('expires_at', '>', now)
    .where('tries', '<', maxTries)
    .returning(['id', 'code_hash'])
    .execute()
}

/** Uses a code up, and with it all others of the same address and purpose; false when somebody was faster. */
export async function useCode(tx: Tx, id: number, now: number): Promise<boolean> {
  const used = await tx
    .updateTable('email_codes')
    .set({ used_at: now })
    .where('id', '=', id)
    .where('used_at', 'is', null)
    .returning(['email', 'purpose'])
    .executeTakeFirst()
  if (!used) return false
  await tx
    .updateTable('email_codes')
    .set({ used_at: now })
    .where('email', '=', used.email)
    .where('purpose', '=', used.purpose)
    .where('used_at', 'is', null)
    .execute()
  return true
}

export async function deleteCodesBefore(tx: Tx, expiredBefore: number): Promise<void> {
  await tx.deleteFrom('email_codes').where('expires_at', '<', expiredBefore).execute()
}
