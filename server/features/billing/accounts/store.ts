import type { Kysely } from 'kysely'
import { ZERO, type Money } from '../../../../contract/money.ts'
import type { HoldTable, Schema } from '../../../db/schema.ts'

/** Opens the account of a new user inside the caller's transaction. */
export async function insertAccount(tx: Kysely<Schema>, userId: number, debtLimit: Money, now: number): Promise<number> {
  const row = await tx
    .insertInto('accounts')
    .values({
      user_id: userId,
      balance: ZERO,
      held: ZERO,
      gifted: ZERO,
      balance_before: ZERO,
      gifted_before: ZERO,
      debt_limit: debtLimit,
      request_count: 0,
      spent: ZERO,
      created_at: now,
      updated_at: now,
    })
    .returning('id')
    .executeTakeFirstOrThrow()
  return row.id
}

/** null: none. */
export interface Budgets {
  budget_daily: Money | null
  budget_monthly: Money | null
}

export interface AccountRow extends Budgets {
  id: number
  budget_day: number
  spent_day: Money
  spent_month: Money
  balance: Money
  held: Money
  gifted: Money
  spent: Money
  request_count: number
}

const accountColumns = [
  'id',
  'balance',
  'held',
  'gifted',
  'spent',
  'request_count',
  'budget_daily',
  'budget_monthly',
  'budget_day',
  'spent_day',
  'spent_month',
] as const

/** The account of a user, or undefined. */
export function findAccount(db: Kysely<Schema>, userId: number): Promise<AccountRow | undefined> {
  return db.selectFrom('accounts').select(accountColumns).where('user_id', '=', userId).executeTakeFirst()
}

/** Accounts of several users at once, by user id: a list page needs one query, not one a row. */
export async function findAccounts(db: Kysely<Schema>, userIds: readonly number[]): Promise<Map<number, AccountRow>> {
  if (userIds.length === 0) return new Map()
  const rows = await db.selectFrom('accounts').select(accountColumns).select('user_id').where('user_id', 'in', userIds).execute()
  return new Map(rows.map(({ user_id, ...account }) => [user_id, account]))
}

/** Sets the budgets that are given. */
export async function updateBudgets(tx: Kysely<Schema>, userId: number, budgets: Partial<Budgets>, now: number): Promise<void> {
  await tx
    .updateTable('accounts')
    .set({ ...budgets, updated_at: now })
    .where('user_id', '=', userId)
    .execute()
}

/** Says that this process lives. */
export async function beat(db: Kysely<Schema>, id: string, now: number): Promise<void> {
  await db
    .insertInto('instances')
    .values({ id, started_at: now, heartbeat_at: now })
    .onConflict((conflict) => conflict.column('id').doUpdateSet({ heartbeat_at: now }))
    .execute()
}

/** What is still held of these calls. */
export function holdsOf(db: Kysely<Schema>, ids: readonly string[]): Promise<HoldTable[]> {
  return db.selectFrom('holds').selectAll().where('id', 'in', ids).execute()
}

/** How many holds there are: one for each call that runs. */
export async function selectHoldCount(db: Kysely<Schema>): Promise<number> {
  const { holds } = await db
    .selectFrom('holds')
    .select((row) => row.fn.countAll<number>().as('holds'))
    .executeTakeFirstOrThrow()
  return holds
}

/** The last beat of every process but one. */
export function selectBeats(db: Kysely<Schema>, except: string): Promise<{ id: string; heartbeat_at: number }[]> {
  return db.selectFrom('instances').select(['id', 'heartbeat_at']).where('id', '!=', except).execute()
}

/**
 * Holds of the processes that are named dead or are not known at all, and holds past their deadline, oldest first. One that
 * has only just started is known: it beats before it holds anything.
 */
export function orphanedHolds(db: Kysely<Schema>, dead: readonly string[] | 'all', now: number, limit: number): Promise<HoldTable[]> {
  const holds = db.selectFrom('holds').selectAll('holds').orderBy('holds.created_at').limit(limit)
  if (dead === 'all') return holds.execute()
  return holds
    .where((where) => {
      const known = where.selectFrom('instances').select('instances.id').whereRef('instances.id', '=', 'holds.instance')
      const orphaned = [where('holds.deadline_at', '<=', now), where.not(where.exists(known))]
      if (dead.length > 0) orphaned.push(where('holds.instance', 'in', dead))
      return where.or(orphaned)
    })
    .execute()
}

/** Forgets those of the processes that are gone and hold nothing. */
export async function forgetInstances(db: Kysely<Schema>, gone: readonly string[]): Promise<void> {
  if (gone.length === 0) return
  await db
    .deleteFrom('instances')
    .where('id', 'in', gone)
    .where((where) => where.not(where.exists(where.selectFrom('holds').select('holds.id').whereRef('holds.instance', '=', 'instances.id'))))
    .execute()
}
