import type { Insertable, Selectable } from 'kysely'
import type { Money } from '../../../contract/money.ts'
import type { Database } from '../../db/open.ts'
import type { RedeemCodeTable, RedemptionTable } from '../../db/schema.ts'

type Tx = Database['query']
export type RedeemCodeRow = Selectable<RedeemCodeTable>
export type RedemptionRow = Selectable<RedemptionTable>
export type RedeemCodeFields = Omit<Insertable<RedeemCodeTable>, 'id' | 'used_count' | 'created_at' | 'updated_at'>

/** Codes of a list without paging at most. */
const BARE_LIST_LIMIT = 10_000

/** Newest first. */
export function selectRedeemCodes(db: Tx, page: { page: number; pageSize: number } | undefined): Promise<RedeemCodeRow[]> {
  const rows = db.selectFrom('redeem_codes').selectAll().orderBy('id', 'desc')
  if (!page) return rows.limit(BARE_LIST_LIMIT).execute()
  return rows
    .limit(page.pageSize)
    .offset((page.page - 1) * page.pageSize)
    .execute()
}

export async function countRedeemCodes(db: Tx): Promise<number> {
  const { total } = await db
    .selectFrom('redeem_codes')
    .select((count) => count.fn.countAll<number>().as('total'))
    .executeTakeFirstOrThrow()
  return total
}

export function findRedeemCode(db: Tx, id: number): Promise<RedeemCodeRow | undefined> {
  return db.selectFrom('redeem_codes').selectAll().where('id', '=', id).executeTakeFirst()
}

/** `code` in its normal form. */
export function findRedeemCodeByText(db: Tx, code: string): Promise<RedeemCodeRow | undefined> {
  return db.selectFrom('redeem_codes').selectAll().where('code', '=', code).executeTakeFirst()
}

export function insertRedeemCode(tx: Tx, fields: RedeemCodeFields, now: number): Promise<RedeemCodeRow> {
  return tx
    .insertInto('redeem_codes')
    .values({ ...fields, used_count: 0, created_at: now, updated_at: now })
    .returningAll()
    .executeTakeFirstOrThrow()
}

export function updateRedeemCodeRow(tx: Tx, id: number, fields: RedeemCodeFields, now: number): Promise<RedeemCodeRow> {
  return tx
    .updateTable('redeem_codes')
    .set({ ...fields, updated_at: now })
    .where('id', '=', id)
    .returningAll()
    .executeTakeFirstOrThrow()
}

export async function deleteRedeemCodeRow(tx: Tx, id: number): Promise<void> {
  await tx.deleteFrom('redeem_codes').where('id', '=', id).execute()
}

/** Counts one use while there is one left. @returns the code as it was used, or undefined when it cannot be */
export function takeUse(tx: Tx, id: number, now: number): Promise<RedeemCodeRow | undefined> {
  return tx
    .updateTable('redeem_codes')
    .set((row) => ({ used_count: row('used_count', '+', 1) }))
    .where('id', '=', id)
    .where('enabled', '=', 1)
    .whereRef('used_count', '<', 'max_uses')
    .where((where) => where.or([where('expires_at', 'is', null), where('expires_at', '>', now)]))
    .returningAll()
    .executeTakeFirst()
}

export async function hasRedeemed(db: Tx, codeId: number, userId: number): Promise<boolean> {
  const row = await db
    .selectFrom('redemptions')
    .select('id')
    .where('redeem_code_id', '=', codeId)
    .where('user_id', '=', userId)
    .executeTakeFirst()
  return row !== undefined
}

/** @returns undefined when the user has used the code already */
export function insertRedemption(tx: Tx, codeId: number, userId: number, amount: Money, now: number): Promise<RedemptionRow | undefined> {
  return tx
    .insertInto('redemptions')
    .values({ redeem_code_id: codeId, user_id: userId, amount, created_at: now, credited_at: null })
    .onConflict((on) => on.columns(['redeem_code_id', 'user_id']).doNothing())
    .returningAll()
    .executeTakeFirst()
}

export async function markRedemptionCredited(tx: Tx, id: number, now: number): Promise<void> {
  await tx.updateTable('redemptions').set({ credited_at: now }).where('id', '=', id).execute()
}

/** Uses whose money is not booked: a crash came between. The oldest first. */
export function selectOwedRedemptions(db: Tx, limit: number): Promise<RedemptionRow[]> {
  return db.selectFrom('redemptions').selectAll().where('credited_at', 'is', null).orderBy('id').limit(limit).execute()
}
