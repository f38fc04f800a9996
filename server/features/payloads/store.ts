import type { Insertable, Selectable } from 'kysely'
import type { Database } from '../../db/open.ts'
import type { LogPayloadTable } from '../../db/schema.ts'

type Query = Database['query']

/** The rows of these calls, as far as they are written. */
export function selectCalls(
  db: Query,
  requestIds: readonly string[],
): Promise<{ id: number; request_id: string; user_id: number; end_reason: string; created_at: number }[]> {
  return db
    .selectFrom('logs')
    .select(['id', 'request_id', 'user_id', 'end_reason', 'created_at'])
    .where('request_id', 'in', requestIds)
    .execute()
}

export async function insertPayload(tx: Query, row: Insertable<LogPayloadTable>): Promise<void> {
  await tx
    .insertInto('log_payloads')
    .values(row)
    .onConflict((conflict) => conflict.column('log_id').doNothing())
    .execute()
}

export function findPayload(db: Query, logId: number): Promise<Selectable<LogPayloadTable> | undefined> {
  return db.selectFrom('log_payloads').selectAll().where('log_id', '=', logId).executeTakeFirst()
}

/** Deletes at most `limit` of those before the time, or whose call has left the log. @returns how many */
export async function deletePayloads(tx: Query, before: number, goneUpTo: number, limit: number): Promise<number> {
  const due = await tx
    .selectFrom('log_payloads')
    .select('log_id')
    .where((at) => at.or([at('created_at', '<', before), at('log_id', '<=', goneUpTo)]))
    .limit(limit)
    .execute()
  if (due.length === 0) return 0
  const ids = due.map(({ log_id: id }) => id)
  await tx.deleteFrom('log_payloads').where('log_id', 'in', ids).execute()
  return ids.length
}
