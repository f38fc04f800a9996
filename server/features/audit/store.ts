import type { Insertable } from 'kysely'
import type { Database } from '../../db/open.ts'
import type { AuditTable } from '../../db/schema.ts'

/** Appends one row; audit rows are never changed. */
export async function insertAudit(tx: Database['query'], row: Insertable<AuditTable>): Promise<void> {
  await tx.insertInto('audit_log').values(row).execute()
}
