import type { Insertable, Selectable } from 'kysely'
import type { Database } from '../../db/open.ts'
import type { MailTable } from '../../db/schema.ts'

type Tx = Database['query']
export type MailRow = Selectable<MailTable>

export async function insertMail(tx: Tx, mail: Insertable<MailTable>): Promise<void> {
  await tx.insertInto('mails').values(mail).execute()
}

/** Takes mails that are due, for as long as the lease: another process, or this one after a crash, tries again then. */
export async function claimMails(db: Tx, now: number, leaseMs: number, limit: number): Promise<MailRow[]> {
  const due = await db
    .selectFrom('mails')
    .select(['id', 'next_try_at'])
    .where('next_try_at', '<=', now)
    .orderBy('next_try_at')
    .limit(limit)
    .execute()
  const claimed: MailRow[] = []
  for (const { id, next_try_at: seen } of due) {
    const row = await db
      .updateTable('mails')
      .set((row) => ({ next_try_at: now + leaseMs, tries: row('tries', '+', 1) }))
      .where('id', '=', id)
      .where('next_try_at', '=', seen)
      .returningAll()
      .executeTakeFirst()
    if (row) claimed.push(row)
  }
  return claimed
}

/** The end of a mail: its text goes, its trace stays. */
export async function endMail(tx: Tx, id: number, outcome: string, error: string): Promise<void> {
  await tx.updateTable('mails').set({ outcome, error, sealed: '', next_try_at: null }).where('id', '=', id).execute()
}

export async function postponeMail(tx: Tx, id: number, nextTryAt: number, error: string): Promise<void> {
  await tx.updateTable('mails').set({ next_try_at: nextTryAt, error }).where('id', '=', id).execute()
}

export async function deleteMailsBefore(tx: Tx, createdBefore: number): Promise<void> {
  await tx.deleteFrom('mails').where('created_at', '<', createdBefore).execute()
}
