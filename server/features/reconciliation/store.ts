import type { Insertable, Selectable } from 'kysely'
import type { Database } from '../../db/open.ts'
import type { ReconciliationDifferenceTable, ReconciliationTable } from '../../db/schema.ts'
import type { UsageRow } from './formats.ts'

type Tx = Database['query']
export type ReconciliationRow = Selectable<ReconciliationTable> & { channel_name: string | null }
export type DifferenceRow = Omit<Insertable<ReconciliationDifferenceTable>, 'id' | 'reconciliation_id'>

/** Rows of one insert: a database takes some tens of thousands of values in one. */
const BATCH = 500

function withChannel(db: Tx) {
  return db
    .selectFrom('reconciliations')
    .leftJoin('channels', 'channels.id', 'reconciliations.channel_id')
    .selectAll('reconciliations')
    .select('channels.name as channel_name')
}

export async function insertReconciliation(
  tx: Tx,
  row: Omit<Insertable<ReconciliationTable>, 'id'>,
  rows: readonly UsageRow[],
): Promise<number> {
  const { id } = await tx.insertInto('reconciliations').values(row).returning('id').executeTakeFirstOrThrow()
  for (let from = 0; from < rows.length; from += BATCH)
    await tx
      .insertInto('reconciliation_rows')
      .values(rows.slice(from, from + BATCH).map((each) => ({ ...each, reconciliation_id: id })))
      .execute()
  return id
}

/** Replaces what was found before. `count`: those that no rule explains. */
export async function writeDifferences(tx: Tx, id: number, found: readonly DifferenceRow[], count: number, now: number): Promise<void> {
  await tx.deleteFrom('reconciliation_differences').where('reconciliation_id', '=', id).execute()
  for (let from = 0; from < found.length; from += BATCH)
    await tx
      .insertInto('reconciliation_differences')
      .values(found.slice(from, from + BATCH).map((each) => ({ ...each, reconciliation_id: id })))
      .execute()
  await tx
    .updateTable('reconciliations')
    .set({ difference_count: count, status: count === 0 ? 'equal' : 'different', checked_at: now })
    .where('id', '=', id)
    .execute()
}

export function findReconciliation(db: Tx, id: number): Promise<ReconciliationRow | undefined> {
  return withChannel(db).where('reconciliations.id', '=', id).executeTakeFirst()
}

/** Newest first. */
export async function selectReconciliations(db: Tx, limit: number, offset: number): Promise<{ rows: ReconciliationRow[]; total: number }> {
  const rows = await withChannel(db).orderBy('reconciliations.id', 'desc').limit(limit).offset(offset).execute()
  const { total } = await db
    .selectFrom('reconciliations')
    .select((count) => count.fn.countAll<number>().as('total'))
    .executeTakeFirstOrThrow()
  return { rows, total }
}

export function selectDifferences(db: Tx, id: number, limit: number): Promise<Selectable<ReconciliationDifferenceTable>[]> {
  return db.selectFrom('reconciliation_differences').selectAll().where('reconciliation_id', '=', id).orderBy('id').limit(limit).execute()
}

export function selectUsage(db: Tx, id: number): Promise<UsageRow[]> {
  return db.selectFrom('reconciliation_rows').selectAll().where('reconciliation_id', '=', id).orderBy('id').execute()
}

/** Imports since an instant, the oldest first: what a day's job compares again. */
export async function importsSince(db: Tx, since: number): Promise<number[]> {
  const rows = db.selectFrom('reconciliations').select('id').where('kind', '=', 'upstream').where('created_at', '>=', since)
  return (await rows.orderBy('id').execute()).map(({ id }) => id)
}

/** When the books were audited last, 0 when they never were. */
export async function lastAudit(db: Tx): Promise<number> {
  const rows = db.selectFrom('reconciliations').select('checked_at').where('kind', '=', 'books')
  return (await rows.orderBy('id', 'desc').limit(1).executeTakeFirst())?.checked_at ?? 0
}

export async function channelExists(db: Tx, id: number): Promise<boolean> {
  return (await db.selectFrom('channels').select('id').where('id', '=', id).executeTakeFirst()) !== undefined
}
