import type { Insertable, Selectable } from 'kysely'
import type { Database } from '../../db/open.ts'
import type { CheckInTable } from '../../db/schema.ts'
import type { Span } from '../../lib/query-time.ts'

type Tx = Database['query']
export type CheckInRow = Selectable<CheckInTable>

const ALWAYS: Span = { from: undefined, before: undefined }

function ofUser(db: Tx, userId: number, { from, before }: Span) {
  let rows = db.selectFrom('check_ins').where('user_id', '=', userId)
  if (from !== undefined) rows = rows.where('created_at', '>=', from)
  if (before !== undefined) rows = rows.where('created_at', '<', before)
  return rows
}

/** Newest first. */
export function selectCheckIns(db: Tx, userId: number, limit: number, offset = 0, span = ALWAYS): Promise<CheckInRow[]> {
  return ofUser(db, userId, span).selectAll().orderBy('id', 'desc').limit(limit).offset(offset).execute()
}

export async function countCheckIns(db: Tx, userId: number, span: Span): Promise<number> {
  const rows = ofUser(db, userId, span).select((count) => count.fn.countAll<number>().as('total'))
  return (await rows.executeTakeFirstOrThrow()).total
}

/** Check-ins of a date that came from one network. */
export async function countOfNetwork(db: Tx, date: string, network: string): Promise<number> {
  const rows = db.selectFrom('check_ins').where('check_in_date', '=', date).where('ip', '=', network)
  return (await rows.select((count) => count.fn.countAll<number>().as('total')).executeTakeFirstOrThrow()).total
}

/** @returns undefined when the user has that date already: of many tries one wins, on both engines */
export function insertCheckIn(tx: Tx, row: Omit<Insertable<CheckInTable>, 'id'>): Promise<CheckInRow | undefined> {
  return tx
    .insertInto('check_ins')
    .values(row)
    .onConflict((on) => on.columns(['user_id', 'check_in_date']).doNothing())
    .returningAll()
    .executeTakeFirst()
}

export async function markCheckInCredited(tx: Tx, id: number, now: number): Promise<void> {
  await tx.updateTable('check_ins').set({ credited_at: now }).where('id', '=', id).execute()
}

/** Rewards recorded but not booked: a crash came between. The oldest first. */
export function selectOwedCheckIns(db: Tx, limit: number): Promise<CheckInRow[]> {
  return db.selectFrom('check_ins').selectAll().where('credited_at', 'is', null).orderBy('id').limit(limit).execute()
}
