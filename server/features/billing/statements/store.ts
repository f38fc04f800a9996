// long file: every statement of the ledger in one place, compiled together
import { sql, type Insertable, type Kysely, type RawBuilder } from 'kysely'
import { ZERO, type Money } from '../../../../contract/money.ts'
import type { Database } from '../../../db/open.ts'
import type { LogTable, Schema } from '../../../db/schema.ts'
import { prepare, type Statement } from '../../../db/statement.ts'

interface AccountMove {
  id: number
  amount: Money
  now: number
}
/** A day and its month, see calendar.ts. */
interface Dates {
  day: number
  month: number
}
interface Settlement extends Dates {
  id: number
  held: Money
  cost: Money
  now: number
}
interface KeySettlement extends Dates {
  id: number
  held: Money
  cost: Money
  input: number
  output: number
  cached: number
  now: number
}
interface Entry {
  account_id: number
  kind: string
  reference: string
  amount: Money
  gifted: Money
  balance_after: Money
  actor_user_id: number | null
  reason: string
  note: string
  created_at: number
}

interface LastMove extends Dates {
  id: number
  least: Money
  now: number
}
interface ById<T> {
  id: T
}
interface EntryKey {
  kind: string
  reference: string
}

/** The ledger's statements, compiled once: each is conditional, so that a refusal leaves nothing behind. */
export function ledgerStatements({ query }: Database) {
  const holdStrict = prepare<AccountMove & Dates>(query, (p, q) =>
    q
      .updateTable('accounts')
      .set({ held: sql<Money>`held + ${p.amount}`, updated_at: p.now })
      .where('id', '=', p.id)
      .where(sql<boolean>`balance - held >= ${p.amount}`)
      .where(withinBudgets(p, sql<Money>`held + ${p.amount}`))
      .returning('held'),
  )
  const holdLast = prepare<LastMove>(query, (p, q) =>
    q
      .updateTable('accounts')
      .set({ held: sql<Money>`balance`, updated_at: p.now })
      .where('id', '=', p.id)
      .where('held', '=', ZERO)
      .where('balance', '>', ZERO)
      .where('balance', '>=', p.least)
      .where(withinBudgets(p, sql<Money>`balance`))
      .returning('held'),
  )
  const unhold = prepare<AccountMove>(query, (p, q) =>
    q
      .updateTable('accounts')
      .set({ held: sql<Money>`held - ${p.amount}`, updated_at: p.now })
      .where('id', '=', p.id),
  )
  const account = prepare<ById<number>>(query, (p, q) =>
    q.selectFrom('accounts').select(['balance', 'gifted', 'held']).where('id', '=', p.id),
  )
  const keyHold = prepare<AccountMove & Dates>(query, (p, q) =>
    q
      .updateTable('api_keys')
      .set({ quota_held: sql<Money>`quota_held + ${p.amount}`, updated_at: p.now })
      .where('id', '=', p.id)
      .where(sql<boolean>`(quota_limit = 0 or quota_used + quota_held + ${p.amount} <= quota_limit)`)
      .where(withinBudgets(p, sql<Money>`quota_held + ${p.amount}`))
      .returning('quota_held'),
  )
  const keyHoldLast = prepare<LastMove>(query, (p, q) =>
    q
      .updateTable('api_keys')
      .set({ quota_held: sql<Money>`quota_limit - quota_used`, updated_at: p.now })
      .where('id', '=', p.id)
      .where('quota_held', '=', ZERO)
      .where(sql<boolean>`quota_limit > quota_used`)
      .where(sql<boolean>`quota_limit - quota_used >= ${p.least}`)
      .where(withinBudgets(p, sql<Money>`quota_limit - quota_used`))
      .returning('quota_held'),
  )
  const key = prepare<ById<number>>(query, (p, q) =>
    q.selectFrom('api_keys').select(['quota_limit', 'quota_used', 'quota_held']).where('id', '=', p.id),
  )
  const insertHold = insertOf(query, 'holds', [
    'id',
    'account_id',
    'api_key_id',
    'instance',
    'amount',
    'created_at',
    'deadline_at',
    'context',
  ])
  const raiseHold = prepare<{ id: string; amount: Money }>(query, (p, q) =>
    q
      .updateTable('holds')
      .set({ amount: sql<Money>`amount + ${p.amount}` })
      .where('id', '=', p.id)
      .returning('amount'),
  )
  const heldBy = prepare<ById<string>>(query, (p, q) => q.selectFrom('holds').select('amount').where('id', '=', p.id))
  const takeHold = prepare<ById<string>>(query, (p, q) => q.deleteFrom('holds').where('id', '=', p.id).returning(['amount', 'api_key_id']))
  const settleAccount = prepare<Settlement>(query, (p, q) =>
    q
      .updateTable('accounts')
      .set({
        balance_before: sql<Money>`balance`,
        gifted_before: sql<Money>`gifted`,
        held: sql<Money>`held - ${p.held}`,
        // All of the cost, or what the floor allows: settling never fails.
        balance: sql<Money>`case when balance + debt_limit >= ${p.cost} then balance - ${p.cost} else -debt_limit end`,
        gifted: sql<Money>`case when gifted > ${p.cost} then gifted - ${p.cost} else 0 end`,
        spent: sql<Money>`spent + ${chargedOf(p)}`,
        ...spentIn(p, chargedOf(p)),
        request_count: sql<number>`request_count + 1`,
        updated_at: p.now,
      })
      .where('id', '=', p.id)
      .returning(['balance', 'balance_before', 'gifted', 'gifted_before']),
  )
  const settleKey = prepare<KeySettlement>(query, (p, q) =>
    q
      .updateTable('api_keys')
      .set({
        quota_held: sql<Money>`quota_held - ${p.held}`,
        quota_used: sql<Money>`quota_used + ${p.cost}`,
        total_cost: sql<Money>`total_cost + ${p.cost}`,
        request_count: sql<number>`request_count + 1`,
        input_tokens: sql<number>`input_tokens + ${p.input}`,
        output_tokens: sql<number>`output_tokens + ${p.output}`,
        cached_input_tokens: sql<number>`cached_input_tokens + ${p.cached}`,
        last_used_at: p.now,
        ...spentIn(p, sql<Money>`${p.cost}`),
      })
      .where('id', '=', p.id),
  )
  const insertEntry = prepare<Entry>(query, (p, q) => q.insertInto('ledger_entries').values(pick(p, entryColumns)).returning('id'))
  const insertUsage = prepare<Entry>(query, (p, q) => q.insertInto('ledger_entries').values(pick(p, entryColumns)))
  const insertLog = insertOf(query, 'logs', logColumns)
  const credit = prepare<AccountMove & { gifted: Money }>(query, (p, q) => creditUpdate(q, p))
  const creditExpected = prepare<AccountMove & { gifted: Money; expected: Money }>(query, (p, q) =>
    creditUpdate(q, p).where('balance', '=', p.expected),
  )
  const entry = prepare<EntryKey>(query, (p, q) =>
    q.selectFrom('ledger_entries').select(['id', 'balance_after']).where('kind', '=', p.kind).where('reference', '=', p.reference),
  )
  return {
    holdStrict,
    holdLast,
    unhold,
    account,
    keyHold,
    keyHoldLast,
    key,
    insertHold,
    raiseHold,
    heldBy,
    takeHold,
    settleAccount,
    settleKey,
    insertEntry,
    insertUsage,
    insertLog,
    credit,
    creditExpected,
    entry,
  }
}

export type LedgerStatements = ReturnType<typeof ledgerStatements>

/** With what the call adds to what is held, neither budget is passed. */
function withinBudgets(p: Dates, held: RawBuilder<Money>) {
  return sql<boolean>`(budget_daily is null or ${spentOn(p)} + ${held} <= budget_daily)
    and (budget_monthly is null or ${spentIn(p, sql<Money>`0`).spent_month} + ${held} <= budget_monthly)`
}

function spentOn(p: Dates) {
  return sql<Money>`case when budget_day = ${p.day} then spent_day else 0 end`
}

/** The counters of the budgets after a charge: a new day and a new month begin at nothing. */
function spentIn(p: Dates, cost: RawBuilder<Money>) {
  return {
    budget_day: p.day,
    spent_day: sql<Money>`${spentOn(p)} + ${cost}`,
    spent_month: sql<Money>`case when budget_day / 100 = ${p.month} then spent_month else 0 end + ${cost}`,
  }
}

/** All of the cost, or what the floor allows. */
function chargedOf(p: Settlement) {
  return sql<Money>`case when balance + debt_limit >= ${p.cost} then ${p.cost} else balance + debt_limit end`
}

/** Adds a signed amount; a debit takes gifted money first, and stops at the floor. */
function creditUpdate(q: Kysely<Schema>, p: AccountMove & { gifted: Money }) {
  return q
    .updateTable('accounts')
    .set({
      balance_before: sql<Money>`balance`,
      gifted_before: sql<Money>`gifted`,
      balance: sql<Money>`balance + ${p.amount}`,
      gifted: sql<Money>`case when gifted + ${p.gifted} < 0 then 0 else gifted + ${p.gifted} end`,
      updated_at: p.now,
    })
    .where('id', '=', p.id)
    .where(sql<boolean>`(cast(${p.amount} as bigint) >= 0 or balance + ${p.amount} >= -debt_limit)`)
    .returning(['balance', 'gifted', 'gifted_before'])
}

/** The named slots as an object: the proxy of `prepare` makes one for any name. */
function pick<P extends object>(slots: P, names: readonly (keyof P & string)[]): P {
  return Object.fromEntries(names.map((name) => [name, slots[name]])) as P
}

function insertOf<T extends 'holds' | 'logs'>(
  query: Kysely<Schema>,
  table: T,
  names: readonly (keyof Insertable<Schema[T]> & string)[],
): Statement<Insertable<Schema[T]>> {
  return prepare<Insertable<Schema[T]>>(query, (p, q) => q.insertInto(table).values(pick(p, names)))
}

/** Columns of a ledger entry. */
export const entryColumns = [
  'account_id',
  'kind',
  'reference',
  'amount',
  'gifted',
  'balance_after',
  'actor_user_id',
  'reason',
  'note',
  'created_at',
] as const

/** Columns of a log row. */
export const logColumns = [
  'request_id',
  'user_id',
  'account_id',
  'api_key_id',
  'user_channel_id',
  'channel_id',
  'channel_model_id',
  'model_name',
  'upstream_model_name',
  'protocol',
  'upstream_protocol',
  'endpoint',
  'stream',
  'status',
  'end_reason',
  'usage_source',
  'input_tokens',
  'output_tokens',
  'cached_input_tokens',
  'cache_write_input_tokens',
  'cache_write_1h_input_tokens',
  'image_input_tokens',
  'image_output_tokens',
  'audio_input_tokens',
  'audio_output_tokens',
  'reasoning_tokens',
  'items',
  'cost',
  'base_cost',
  'uncollected',
  'upstream_cost',
  'group_multiplier',
  'group_source',
  'user_channel_multiplier',
  'price_snapshot',
  'hold',
  'charge_note',
  'losses',
  'attempts',
  'plan',
  'error',
  'ip',
  'user_agent',
  'first_response_time_ms',
  'response_time_ms',
  'source',
  'meta_model',
  'meta_role',
  'audit_label',
  'parent_request_id',
  'created_at',
] as const satisfies readonly (keyof Insertable<LogTable>)[]
