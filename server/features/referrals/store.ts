import { sql, type Insertable, type Selectable } from 'kysely'
import { money, type Money } from '../../../contract/money.ts'
import type { Database } from '../../db/open.ts'
import type { CommissionClawbackTable, ReferralCommissionTable } from '../../db/schema.ts'

type Tx = Database['query']
export type CommissionRow = Selectable<ReferralCommissionTable>

/** A settled call of an invited user with its ledger entry. */
export interface PaidCall {
  log_id: number
  user_id: number
  referrer_id: number
  email: string
  referrer_email: string
  created_at: number
  amount: Money
  gifted: Money
  balance_after: Money
}

/** Numbers and times of the next log rows in order. */
export function nextLogs(db: Tx, after: number, limit: number): Promise<{ id: number; created_at: number }[]> {
  return db.selectFrom('logs').select(['id', 'created_at']).where('id', '>', after).orderBy('id').limit(limit).execute()
}

/** Charged calls of invited users among the log rows `after` < id <= `upTo`. */
export function selectPaidCalls(db: Tx, after: number, upTo: number): Promise<PaidCall[]> {
  return db
    .selectFrom('logs')
    .innerJoin('users', 'users.id', 'logs.user_id')
    .innerJoin('users as referrer', 'referrer.id', 'users.referrer_id')
    .innerJoin('ledger_entries', (join) =>
      join.onRef('ledger_entries.reference', '=', 'logs.request_id').on('ledger_entries.kind', '=', 'usage'),
    )
    .select([
      'logs.id as log_id',
      'logs.user_id',
      'referrer.id as referrer_id',
      'users.email',
      'referrer.email as referrer_email',
      'logs.created_at',
      'ledger_entries.amount',
      'ledger_entries.gifted',
      'ledger_entries.balance_after',
    ])
    .where('logs.id', '>', after)
    .where('logs.id', '<=', upTo)
    .where('referrer.disabled_at', 'is', null)
    .orderBy('logs.id')
    .execute()
}

/** What one invited user has earned his inviters so far, credited or not. */
export async function earnedBy(db: Tx, referredUserId: number): Promise<bigint> {
  const row = await db
    .selectFrom('referral_commissions')
    .select(sql<Money | null>`sum(amount)`.as('total_amount'))
    .where('referred_user_id', '=', referredUserId)
    .executeTakeFirst()
  return row?.total_amount ?? 0n
}

/** One per token log; a second one changes nothing. @returns whether it is new */
export async function insertCommission(tx: Tx, row: Omit<Insertable<ReferralCommissionTable>, 'id'>): Promise<boolean> {
  const made = await tx
    .insertInto('referral_commissions')
    .values(row)
    .onConflict((on) => on.column('token_log_id').doNothing())
    .returning('id')
    .executeTakeFirst()
  return made !== undefined
}

/** Commissions whose time has come, the oldest first. */
export function selectDue(db: Tx, now: number, limit: number): Promise<CommissionRow[]> {
  return db
    .selectFrom('referral_commissions')
    .selectAll()
    .where('credited_at', 'is', null)
    .where('due_at', '<=', now)
    .orderBy('due_at')
    .orderBy('id')
    .limit(limit)
    .execute()
}

export async function markCommissionCredited(tx: Tx, id: number, now: number): Promise<void> {
  await tx.updateTable('referral_commissions').set({ credited_at: now }).where('id', '=', id).execute()
}

/** Newest first; of one referrer or of all. */
export function selectCommissions(db: Tx, referrerId: number | undefined, limit: number, offset = 0): Promise<CommissionRow[]> {
  let rows = db.selectFrom('referral_commissions').selectAll()
  if (referrerId !== undefined) rows = rows.where('referrer_id', '=', referrerId)
  return rows.orderBy('id', 'desc').limit(limit).offset(offset).execute()
}

export async function countCommissions(db: Tx): Promise<number> {
  const { total } = await db
    .selectFrom('referral_commissions')
    .select((count) => count.fn.countAll<number>().as('total'))
    .executeTakeFirstOrThrow()
  return total
}

/** Sum of what a referrer was credited, or of what is still held; without what was taken back. */
export async function sumOf(db: Tx, referrerId: number, credited: boolean): Promise<bigint> {
  const row = await db
    .selectFrom('referral_commissions')
    .select(sql<Money | null>`sum(amount - clawed_back)`.as('total_amount'))
    .where('referrer_id', '=', referrerId)
    .where('credited_at', credited ? 'is not' : 'is', null)
    .executeTakeFirst()
  return row?.total_amount ?? 0n
}

export async function countInvited(db: Tx, referrerId: number): Promise<number> {
  const { total } = await db
    .selectFrom('users')
    .select((count) => count.fn.countAll<number>().as('total'))
    .where('referrer_id', '=', referrerId)
    .executeTakeFirstOrThrow()
  return total
}

/** Whether the clawbacks of an order are written down. */
export async function hasClawbacks(db: Tx, orderNo: string): Promise<boolean> {
  return (await db.selectFrom('commission_clawbacks').select('id').where('order_no', '=', orderNo).executeTakeFirst()) !== undefined
}

/** Commissions of an invited user that are not wholly taken back, newest first, before the given one. */
export function selectStandingCommissions(
  db: Tx,
  referredUserId: number,
  before: number | undefined,
  limit: number,
): Promise<CommissionRow[]> {
  let rows = db.selectFrom('referral_commissions').selectAll().where('referred_user_id', '=', referredUserId)
  if (before !== undefined) rows = rows.where('id', '<', before)
  return rows.whereRef('clawed_back', '<', 'amount').orderBy('id', 'desc').limit(limit).execute()
}

export async function addClawedBack(tx: Tx, id: number, amount: Money): Promise<void> {
  await tx
    .updateTable('referral_commissions')
    .set((row) => ({ clawed_back: row('clawed_back', '+', amount) }))
    .where('id', '=', id)
    .execute()
}

export async function insertClawback(tx: Tx, row: Omit<Insertable<CommissionClawbackTable>, 'id'>): Promise<void> {
  await tx.insertInto('commission_clawbacks').values(row).execute()
}

/** Clawbacks of credited commissions whose money was not taken yet. */
export function selectOpenClawbacks(db: Tx, limit: number): Promise<Selectable<CommissionClawbackTable>[]> {
  return db
    .selectFrom('commission_clawbacks')
    .innerJoin('referral_commissions', 'referral_commissions.id', 'commission_clawbacks.commission_id')
    .selectAll('commission_clawbacks')
    .where('commission_clawbacks.booked_at', 'is', null)
    .where('referral_commissions.credited_at', 'is not', null)
    .orderBy('commission_clawbacks.id')
    .limit(limit)
    .execute()
}

export async function markClawbackBooked(tx: Tx, id: number, collected: Money, now: number): Promise<void> {
  await tx.updateTable('commission_clawbacks').set({ collected, booked_at: now }).where('id', '=', id).execute()
}

/** What the ledger says was taken back under a reference; undefined: nothing was booked. */
export async function bookedClawback(db: Tx, reference: string): Promise<Money | undefined> {
  const entries = db.selectFrom('ledger_entries').select('amount').where('kind', '=', 'commission').where('reference', '=', reference)
  const entry = await entries.executeTakeFirst()
  return entry && money(-entry.amount)
}
