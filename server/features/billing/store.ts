import { sql, type Insertable, type Kysely } from 'kysely'
import { money, ZERO, type Money } from '../../../contract/money.ts'
import type { Database } from '../../db/open.ts'
import type { HoldTable, LogTable, Schema } from '../../db/schema.ts'
import { prepare, type Statement } from '../../db/statement.ts'
import type { BatchTransaction } from '../../db/writer.ts'
import type { CreditOperation, CreditResult, HoldOperation, HoldResult, SettleOperation, SettleResult } from './operations.ts'

/**
 * The last call may be held for up to a ninth more than is left: an estimate that is a little high must not make the
 * end of a balance unusable. Only when nothing else is held, so what can be missing is one ninth of one call.
 */
const LAST_CALL_TENTHS = 9n

interface AccountMove { id: number; amount: Money; now: number }
interface KeyMove { id: number; amount: Money; now: number }
interface Settlement { id: number; held: Money; cost: Money; now: number }
interface KeySettlement { id: number; held: Money; cost: Money; input: number; output: number; cached: number; now: number }
interface Entry {
  account_id: number; kind: string; reference: string; amount: Money; gifted: Money; balance_after: Money
  actor_user_id: number | null; reason: string; note: string; created_at: number
}

/** Runs the ledger's operations inside the writer's transaction: conditional statements only, compiled once. */
export class LedgerStore {
  readonly #holdStrict: Statement<AccountMove>
  readonly #holdLast: Statement<{ id: number; least: Money; now: number }>
  readonly #unhold: Statement<AccountMove>
  readonly #account: Statement<{ id: number }>
  readonly #keyHold: Statement<KeyMove>
  readonly #keyHoldLast: Statement<{ id: number; least: Money; now: number }>
  readonly #insertHold: Statement<HoldTable>
  readonly #takeHold: Statement<{ id: string }>
  readonly #settleAccount: Statement<Settlement>
  readonly #settleKey: Statement<KeySettlement>
  readonly #insertEntry: Statement<Entry>
  readonly #insertUsage: Statement<Entry>
  readonly #insertLog: Statement<Insertable<LogTable>>
  readonly #credit: Statement<AccountMove & { gifted: Money }>
  readonly #creditExpected: Statement<AccountMove & { gifted: Money; expected: Money }>
  readonly #entry: Statement<{ kind: string; reference: string }>

  constructor(db: Database) {
    const query = db.query
    this.#holdStrict = prepare<AccountMove>(query, (p, q) => q.updateTable('accounts')
      .set({ held: sql<Money>`held + ${p.amount}`, updated_at: p.now })
      .where('id', '=', p.id).where(sql<boolean>`balance - held >= ${p.amount}`).returning('held'))
    this.#holdLast = prepare(query, (p, q) => q.updateTable('accounts')
      .set({ held: sql<Money>`balance`, updated_at: p.now })
      .where('id', '=', p.id).where('held', '=', ZERO).where('balance', '>', ZERO).where('balance', '>=', p.least).returning('held'))
    this.#unhold = prepare<AccountMove>(query, (p, q) => q.updateTable('accounts')
      .set({ held: sql<Money>`held - ${p.amount}`, updated_at: p.now }).where('id', '=', p.id))
    this.#account = prepare(query, (p, q) => q.selectFrom('accounts').select(['balance', 'gifted', 'held']).where('id', '=', p.id))
    this.#keyHold = prepare<KeyMove>(query, (p, q) => q.updateTable('api_keys')
      .set({ quota_held: sql<Money>`quota_held + ${p.amount}`, updated_at: p.now })
      .where('id', '=', p.id).where(sql<boolean>`(quota_limit = 0 or quota_used + quota_held + ${p.amount} <= quota_limit)`).returning('quota_held'))
    this.#keyHoldLast = prepare(query, (p, q) => q.updateTable('api_keys')
      .set({ quota_held: sql<Money>`quota_limit - quota_used`, updated_at: p.now })
      .where('id', '=', p.id).where('quota_held', '=', ZERO).where(sql<boolean>`quota_limit > quota_used`)
      .where(sql<boolean>`quota_limit - quota_used >= ${p.least}`).returning('quota_held'))
    this.#insertHold = insertOf(query, 'holds', ['id', 'account_id', 'api_key_id', 'instance', 'amount', 'created_at', 'deadline_at', 'context'])
    this.#takeHold = prepare(query, (p, q) => q.deleteFrom('holds').where('id', '=', p.id).returning(['amount', 'api_key_id']))
    this.#settleAccount = prepare<Settlement>(query, (p, q) => q.updateTable('accounts').set({
      balance_before: sql<Money>`balance`,
      gifted_before: sql<Money>`gifted`,
      held: sql<Money>`held - ${p.held}`,
      // All of the cost, or what the floor allows: settling never fails.
      balance: sql<Money>`case when balance + debt_limit >= ${p.cost} then balance - ${p.cost} else -debt_limit end`,
      gifted: sql<Money>`case when gifted > ${p.cost} then gifted - ${p.cost} else 0 end`,
      spent: sql<Money>`spent + case when balance + debt_limit >= ${p.cost} then ${p.cost} else balance + debt_limit end`,
      request_count: sql<number>`request_count + 1`,
      updated_at: p.now,
    }).where('id', '=', p.id).returning(['balance', 'balance_before', 'gifted', 'gifted_before']))
    this.#settleKey = prepare<KeySettlement>(query, (p, q) => q.updateTable('api_keys').set({
      quota_held: sql<Money>`quota_held - ${p.held}`,
      quota_used: sql<Money>`quota_used + ${p.cost}`,
      total_cost: sql<Money>`total_cost + ${p.cost}`,
      request_count: sql<number>`request_count + 1`,
      input_tokens: sql<number>`input_tokens + ${p.input}`,
      output_tokens: sql<number>`output_tokens + ${p.output}`,
      cached_input_tokens: sql<number>`cached_input_tokens + ${p.cached}`,
      last_used_at: p.now,
    }).where('id', '=', p.id))
    this.#insertEntry = prepare<Entry>(query, (p, q) => q.insertInto('ledger_entries')
      .values(pick(p, entryColumns))
      .returning('id'))
    this.#insertUsage = prepare<Entry>(query, (p, q) => q.insertInto('ledger_entries').values(pick(p, entryColumns)))
    this.#insertLog = insertOf(query, 'logs', logColumns)
    this.#credit = prepare<AccountMove & { gifted: Money }>(query, (p, q) => creditUpdate(q, p))
    this.#creditExpected = prepare<AccountMove & { gifted: Money; expected: Money }>(query, (p, q) => creditUpdate(q, p).where('balance', '=', p.expected))
    this.#entry = prepare(query, (p, q) => q.selectFrom('ledger_entries').select(['id', 'balance_after']).where('kind', '=', p.kind).where('reference', '=', p.reference))
  }

  /** Reserves on the key's quota and on the account, or on neither. */
  async hold(tx: BatchTransaction, op: HoldOperation): Promise<HoldResult> {
    const account = await this.#holdOnAccount(tx, op)
    if (typeof account === 'string') return { ok: false, why: account }
    let amount = account
    if (op.quotaKeyId !== null) {
      const key = await this.#holdOnKey(tx, op.quotaKeyId, amount, op.now)
      if (key === undefined) {
        await tx.run(this.#unhold, { id: op.accountId, amount, now: op.now })
        return { ok: false, why: 'key_quota_exceeded' }
      }
      if (key < amount) {
        await tx.run(this.#unhold, { id: op.accountId, amount: money(amount - key), now: op.now })
        amount = key
      }
    }
    await tx.run(this.#insertHold, {
      id: op.requestId, account_id: op.accountId, api_key_id: op.quotaKeyId, instance: op.instance, amount,
      created_at: op.now, deadline_at: op.deadlineAt, context: op.context,
    })
    return { ok: true, amount }
  }

  async #holdOnAccount(tx: BatchTransaction, { accountId: id, amount, now }: HoldOperation): Promise<Money | 'insufficient_balance' | 'account_in_debt'> {
    if (await tx.first(this.#holdStrict, { id, amount, now })) return amount
    const last = await tx.first(this.#holdLast, { id, least: leastOf(amount), now })
    if (last) return last['held'] as Money
    const account = await tx.first(this.#account, { id })
    return ((account?.['balance'] as bigint | undefined) ?? 0n) < 0n ? 'account_in_debt' : 'insufficient_balance'
  }

  async #holdOnKey(tx: BatchTransaction, id: number, amount: Money, now: number): Promise<Money | undefined> {
    if (await tx.first(this.#keyHold, { id, amount, now })) return amount
    const last = await tx.first(this.#keyHoldLast, { id, least: leastOf(amount), now })
    return last?.['quota_held'] as Money | undefined
  }

  /** Takes the hold away, charges, books and logs. Whoever comes second finds no hold and changes nothing. */
  async settle(tx: BatchTransaction, op: SettleOperation): Promise<SettleResult> {
    const taken = await tx.first(this.#takeHold, { id: op.requestId })
    const hold = taken?.['amount'] as Money | undefined
    const quotaKeyId = taken?.['api_key_id'] as number | null | undefined
    if (hold === undefined) return { settled: false, charged: ZERO, balance: ZERO }
    const account = await tx.first(this.#settleAccount, { id: op.accountId, held: hold, cost: op.cost, now: op.now })
    if (!account) throw new Error(`account ${op.accountId} of request ${op.requestId} does not exist`)
    const balance = account['balance'] as Money
    const charged = money((account['balance_before'] as bigint) - balance)
    if (charged !== 0n) {
      await tx.run(this.#insertUsage, {
        account_id: op.accountId, kind: 'usage', reference: op.requestId, amount: money(-charged),
        gifted: money((account['gifted'] as bigint) - (account['gifted_before'] as bigint)), balance_after: balance,
        actor_user_id: null, reason: '', note: '', created_at: op.now,
      })
    }
    if (op.apiKeyId !== null) {
      const { input_tokens: input, output_tokens: output, cached_input_tokens: cached } = op.log
      await tx.run(this.#settleKey, { id: op.apiKeyId, held: quotaKeyId === op.apiKeyId ? hold : ZERO, cost: charged, input, output, cached, now: op.now })
    }
    const uncollected = money(op.cost - charged)
    const note = uncollected === 0n ? op.log.charge_note : `${op.log.charge_note}${op.log.charge_note === '' ? '' : '; '}the account could not pay all of it`
    // The row's cost is what was taken, so that a balance falls by exactly the sum of its rows.
    // Its time is that of settling, so that rows are in the order of their ids and a quota's reset cuts cleanly between them.
    await tx.run(this.#insertLog, { ...op.log, created_at: op.now, cost: charged, hold, uncollected, charge_note: note })
    return { settled: true, charged, balance }
  }

  /** Writes the row of a call that never had a hold (refused before it could reserve). */
  async logOnly(tx: BatchTransaction, log: SettleOperation['log']): Promise<void> {
    await tx.run(this.#insertLog, { ...log, hold: ZERO, uncollected: ZERO })
  }

  /** Credits or debits once per kind and reference; a repeat returns the first result. */
  async credit(tx: BatchTransaction, op: CreditOperation): Promise<CreditResult> {
    const before = await tx.first(this.#entry, { kind: op.kind, reference: op.reference })
    if (before) return { ok: true, entryId: before['id'] as number, balance: before['balance_after'] as Money, repeated: true }
    const move = { id: op.accountId, amount: op.amount, gifted: op.gifted, now: op.now }
    const row = op.expected === undefined
      ? await tx.first(this.#credit, move)
      : await tx.first(this.#creditExpected, { ...move, expected: op.expected })
    if (!row) {
      const account = await tx.first(this.#account, { id: op.accountId })
      if (!account) return { ok: false, why: 'no_account' }
      const balance = account['balance'] as Money
      return { ok: false, why: op.expected !== undefined && balance !== op.expected ? 'changed' : 'below_floor', balance }
    }
    const balance = row['balance'] as Money
    const entry = await tx.first(this.#insertEntry, {
      account_id: op.accountId, kind: op.kind, reference: op.reference, amount: op.amount,
      gifted: money((row['gifted'] as bigint) - (row['gifted_before'] as bigint)), balance_after: balance,
      actor_user_id: op.actorUserId, reason: op.reason, note: op.note, created_at: op.now,
    })
    return { ok: true, entryId: entry?.['id'] as number, balance, repeated: false }
  }
}

/** What must be left for a hold of this size to take all that is left. */
function leastOf(amount: Money): Money {
  return money((amount * LAST_CALL_TENTHS) / 10n)
}

/** Adds a signed amount; a debit takes gifted money first, and stops at the floor. */
function creditUpdate(q: Kysely<Schema>, p: AccountMove & { gifted: Money }) {
  return q.updateTable('accounts').set({
    balance_before: sql<Money>`balance`,
    gifted_before: sql<Money>`gifted`,
    balance: sql<Money>`balance + ${p.amount}`,
    gifted: sql<Money>`case when gifted + ${p.gifted} < 0 then 0 else gifted + ${p.gifted} end`,
    updated_at: p.now,
  }).where('id', '=', p.id).where(sql<boolean>`(cast(${p.amount} as bigint) >= 0 or balance + ${p.amount} >= -debt_limit)`)
    .returning(['balance', 'gifted', 'gifted_before'])
}

/** The named slots as an object: the proxy of `prepare` makes one for any name. */
function pick<P extends object>(slots: P, names: readonly (keyof P & string)[]): P {
  return Object.fromEntries(names.map((name) => [name, slots[name]])) as P
}

function insertOf<T extends 'holds' | 'logs'>(query: Kysely<Schema>, table: T, names: readonly (keyof Insertable<Schema[T]> & string)[]): Statement<Insertable<Schema[T]>> {
  return prepare<Insertable<Schema[T]>>(query, (p, q) => q.insertInto(table).values(pick(p, names) as never))
}

const entryColumns = ['account_id', 'kind', 'reference', 'amount', 'gifted', 'balance_after', 'actor_user_id', 'reason', 'note', 'created_at'] as const

const logColumns = [
  'request_id', 'user_id', 'account_id', 'api_key_id', 'user_channel_id', 'channel_id', 'channel_model_id', 'model_name', 'upstream_model_name',
  'protocol', 'upstream_protocol', 'endpoint', 'stream', 'status', 'end_reason', 'usage_source', 'input_tokens', 'output_tokens',
  'cached_input_tokens', 'cache_write_input_tokens', 'cache_write_1h_input_tokens', 'image_input_tokens', 'image_output_tokens',
  'audio_input_tokens', 'audio_output_tokens', 'reasoning_tokens', 'items', 'cost', 'base_cost', 'uncollected', 'upstream_cost', 'group_multiplier',
  'group_source', 'user_channel_multiplier', 'price_snapshot', 'hold', 'charge_note', 'losses', 'attempts', 'error', 'ip', 'user_agent',
  'first_response_time_ms', 'response_time_ms', 'source', 'created_at',
] as const satisfies readonly (keyof Insertable<LogTable>)[]

/** Opens the account of a new user inside the caller's transaction. */
export async function insertAccount(tx: Kysely<Schema>, userId: number, debtLimit: Money, now: number): Promise<number> {
  const row = await tx.insertInto('accounts').values({
    user_id: userId, balance: ZERO, held: ZERO, gifted: ZERO, balance_before: ZERO, gifted_before: ZERO, debt_limit: debtLimit,
    request_count: 0, spent: ZERO, created_at: now, updated_at: now,
  }).returning('id').executeTakeFirstOrThrow()
  return row.id
}

export interface AccountRow { id: number; balance: Money; held: Money; gifted: Money; spent: Money; request_count: number }

/** The account of a user, or undefined. */
export function findAccount(db: Kysely<Schema>, userId: number): Promise<AccountRow | undefined> {
  return db.selectFrom('accounts').select(['id', 'balance', 'held', 'gifted', 'spent', 'request_count']).where('user_id', '=', userId).executeTakeFirst()
}

/** Accounts of several users at once, by user id: a list page needs one query, not one a row. */
export async function findAccounts(db: Kysely<Schema>, userIds: readonly number[]): Promise<Map<number, AccountRow>> {
  if (userIds.length === 0) return new Map()
  const rows = await db.selectFrom('accounts').select(['id', 'user_id', 'balance', 'held', 'gifted', 'spent', 'request_count'])
    .where('user_id', 'in', userIds).execute()
  return new Map(rows.map(({ user_id, ...account }) => [user_id, account]))
}

/** Says that this process lives. */
export async function beat(db: Kysely<Schema>, id: string, now: number): Promise<void> {
  await db.insertInto('instances').values({ id, started_at: now, heartbeat_at: now })
    .onConflict((conflict) => conflict.column('id').doUpdateSet({ heartbeat_at: now })).execute()
}

/** Holds of processes that no longer beat, and holds past their deadline, oldest first. */
export function orphanedHolds(db: Kysely<Schema>, deadBefore: number, now: number, limit: number): Promise<HoldTable[]> {
  return db.selectFrom('holds').selectAll('holds')
    .where((where) => where.or([
      where('holds.deadline_at', '<=', now),
      where.not(where.exists(
        where.selectFrom('instances').select('instances.id').whereRef('instances.id', '=', 'holds.instance').where('instances.heartbeat_at', '>', deadBefore),
      )),
    ])).orderBy('holds.created_at').limit(limit).execute()
}

/** Forgets processes that are gone and hold nothing. */
export async function forgetInstances(db: Kysely<Schema>, deadBefore: number): Promise<void> {
  await db.deleteFrom('instances').where('heartbeat_at', '<=', deadBefore)
    .where((where) => where.not(where.exists(where.selectFrom('holds').select('holds.id').whereRef('holds.instance', '=', 'instances.id')))).execute()
}
