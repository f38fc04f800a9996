import { sql, type Kysely } from 'kysely'
import type { Money } from '../../../../contract/money.ts'
import type { Schema } from '../../../db/schema.ts'

type Query = Kysely<Schema>

/** Places told of each check: the first ones say what is wrong. */
const LIMIT = 200

/** A record and the entry it must have, side by side; null where one is missing. */
export interface Pair {
  /** Names the record, or the entry without one. */
  reference: string
  expected: Money | null
  found: Money | null
}

/** Builds a check: records that say money was moved, against the entries of a kind with the same reference, account and amount. */
async function unpaired(
  db: Query,
  kind: string,
  /** Selects `reference`, `account_id` and `amount` (not zero) of each record that was booked. */
  records: ReturnType<typeof sql>,
  /** Entries of this kind that this check is about. */
  entries: ReturnType<typeof sql>,
): Promise<Pair[]> {
  const { rows } = await sql<{ reference: string; amount: Money | null; balance: Money | null }>`
    select r.reference as reference, r.amount as amount, e.amount as balance
    from (${records}) r
    left join ledger_entries e on e.kind = ${kind} and e.reference = r.reference and e.account_id = r.account_id
    where e.id is null or e.amount <> r.amount
    union all
    select e.reference as reference, null as amount, e.amount as balance
    from ledger_entries e
    where e.kind = ${kind} and ${entries}
      and not exists (select 1 from (${records}) r where r.reference = e.reference)
    limit ${sql.lit(LIMIT)}`.execute(db)
  return rows.map(({ reference, amount, balance }) => ({ reference, expected: amount, found: balance }))
}

/** Paid orders against their credit. Entries of other recharges have no order number. */
export function orderCredits(db: Query): Promise<Pair[]> {
  const records = sql`select order_no as reference, account_id, amount from payment_orders where status in ('paid', 'refunded')`
  // An entry whose order does not say so yet was cut off by a crash and is healed within the minute; one without any order is not.
  const orphan = sql`e.reference like 'PAY%' and not exists (select 1 from payment_orders o where o.order_no = e.reference)`
  return unpaired(db, 'recharge', records, orphan)
}

/** Refunded orders against their debit. */
export function orderRefunds(db: Query): Promise<Pair[]> {
  const records = sql`select order_no as reference, account_id, -refunded_amount as amount from payment_orders
    where status = 'refunded' and refunded_amount <> 0`
  return unpaired(db, 'refund', records, sql`1 = 1`)
}

/** Check-ins that were credited against their credit. */
export function checkInCredits(db: Query): Promise<Pair[]> {
  const reference = sql`cast(c.user_id as text) || ':' || c.check_in_date`
  const records = (booked: ReturnType<typeof sql>) => sql`select ${reference} as reference, a.id as account_id, c.reward_amount as amount
    from check_ins c join accounts a on a.user_id = c.user_id where c.reward_amount <> 0 and ${booked}`
  const orphan = sql`not exists (select 1 from check_ins c where ${reference} = e.reference)`
  return unpaired(db, 'check_in', records(sql`c.credited_at is not null`), orphan)
}

/** Redemptions that were credited against their credit. */
export function redemptionCredits(db: Query): Promise<Pair[]> {
  const reference = sql`cast(d.redeem_code_id as text) || ':' || cast(d.user_id as text)`
  const records = sql`select ${reference} as reference, a.id as account_id, d.amount as amount
    from redemptions d join accounts a on a.user_id = d.user_id where d.amount <> 0 and d.credited_at is not null`
  const orphan = sql`not exists (select 1 from redemptions d where ${reference} = e.reference)`
  return unpaired(db, 'redeem', records, orphan)
}

/** Commissions that were credited, and taken back, against their entries. */
export function commissionEntries(db: Query): Promise<Pair[]> {
  const given = sql`select cast(r.token_log_id as text) as reference, a.id as account_id, r.amount as amount
    from referral_commissions r join accounts a on a.user_id = r.referrer_id where r.credited_at is not null`
  const taken = sql`select b.order_no || ':' || cast(b.commission_id as text) as reference, a.id as account_id, -b.collected as amount
    from commission_clawbacks b join accounts a on a.user_id = b.referrer_id where b.booked_at is not null and b.collected <> 0`
  // Booked just now, the mark of it still to be written: healed by the job.
  const orphan = sql`not exists (select 1 from referral_commissions r where cast(r.token_log_id as text) = e.reference)
    and not exists (select 1 from commission_clawbacks b where b.order_no || ':' || cast(b.commission_id as text) = e.reference)`
  return unpaired(db, 'commission', sql`${given} union all ${taken}`, orphan)
}

/** Codes whose count of uses is not the number of their redemptions. */
export async function codeCounts(db: Query): Promise<{ id: number; counted: number; found: number }[]> {
  const { rows } = await sql<{ id: number; counted: number; found: number }>`
    select * from (
      select c.id as id, c.used_count as found,
        (select count(*) from redemptions d where d.redeem_code_id = c.id) as counted
      from redeem_codes c) x
    where x.counted <> x.found limit ${sql.lit(LIMIT)}`.execute(db)
  return rows
}

/** Commissions above their rate of what was paid, or whose clawbacks do not add up. */
export async function oddCommissions(db: Query): Promise<{ id: number; amount: Money; clawed_back: Money; total_amount: Money }[]> {
  const { rows } = await sql<{ id: number; amount: Money; clawed_back: Money; total_amount: Money }>`
    select * from (
      select r.id as id, r.amount as amount, r.clawed_back as clawed_back,
        coalesce((select sum(b.amount) from commission_clawbacks b where b.commission_id = r.id), 0) as total_amount,
        r.base_cost as balance
      from referral_commissions r) x
    where x.clawed_back <> x.total_amount or x.clawed_back > x.amount or x.amount > x.balance limit ${sql.lit(LIMIT)}`.execute(db)
  return rows
}
