import { sql, type Insertable, type Kysely } from 'kysely'
import { money, ZERO, type Money } from '../../../contract/money.ts'
import type { Database } from '../../db/open.ts'
import type { Schema } from '../../db/schema.ts'
import { pick, prepare } from '../../db/statement.ts'
import type { BatchTransaction } from '../../db/writer.ts'
import { entryColumns, holdColumns, logColumns } from './columns.ts'
import type { CreditOperation, CreditResult, PartOperation, SettleOperation } from './operations.ts'
import { rowOfHold } from './rows.ts'

interface AccountMove {
  id: number
  amount: Money
  now: number
}
interface ById<T> {
  id: T
}
interface EntryKey {
  kind: string
  reference: string
}

/** Statements of single rows, which a call's set on SQLite (sets/sqlite) runs too. */
export function rowStatements(query: Kysely<Schema>) {
  return {
    insertHold: prepare<Insertable<Schema['holds']>>(query, (p, q) => q.insertInto('holds').values(pick(p, holdColumns))),
    /** Adds to a hold, or takes from it. */
    growHold: prepare<{ id: string; amount: Money }>(query, (p, q) =>
      q
        .updateTable('holds')
        .set({ amount: sql<Money>`amount + ${p.amount}` })
        .where('id', '=', p.id),
    ),
    insertLog: prepare<Insertable<Schema['logs']>>(query, (p, q) => q.insertInto('logs').values(pick(p, logColumns))),
  }
}

/** The ledger's statements, compiled once: each is conditional, so that a refusal leaves nothing behind. */
function ledgerStatements({ query }: Database) {
  const account = prepare<ById<number>>(query, (p, q) =>
    q.selectFrom('accounts').select(['balance', 'gifted', 'held']).where('id', '=', p.id),
  )
  const heldBy = prepare<ById<string>>(query, (p, q) => q.selectFrom('holds').select('amount').where('id', '=', p.id))
  const insertEntry = prepare<Insertable<Schema['ledger_entries']>>(query, (p, q) =>
    q.insertInto('ledger_entries').values(pick(p, entryColumns)).returning('id'),
  )
  const credit = prepare<AccountMove & { gifted: Money }>(query, (p, q) => creditUpdate(q, p))
  const creditExpected = prepare<AccountMove & { gifted: Money; expected: Money }>(query, (p, q) =>
    creditUpdate(q, p).where('balance', '=', p.expected),
  )
  const entry = prepare<EntryKey>(query, (p, q) =>
    q.selectFrom('ledger_entries').select(['id', 'balance_after']).where('kind', '=', p.kind).where('reference', '=', p.reference),
  )
  return {
    ...rowStatements(query),
    account,
    heldBy,
    insertEntry,
    credit,
    creditExpected,
    entry,
  }
}

type LedgerStatements = ReturnType<typeof ledgerStatements>

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

/** Runs the ledger's operations inside the writer's transaction: conditional statements only, compiled once. */
export class LedgerStore {
  readonly #statements: LedgerStatements

  constructor(db: Database) {
    this.#statements = ledgerStatements(db)
  }

  /** Splits a hold: what is held for the account and its key stays the same. @returns the part, at most what was left */
  async part(tx: BatchTransaction, op: PartOperation): Promise<Money> {
    const left = ((await tx.first(this.#statements.heldBy, { id: op.from }))?.['amount'] as Money | undefined) ?? ZERO
    const amount = op.amount < left ? op.amount : left
    await tx.run(this.#statements.growHold, { id: op.from, amount: money(-amount) })
    await tx.run(this.#statements.insertHold, rowOfHold(op, amount))
    return amount
  }

  /** Writes the row of a call that never had a hold (refused before it could reserve). */
  async logOnly(tx: BatchTransaction, log: SettleOperation['log']): Promise<void> {
    await tx.run(this.#statements.insertLog, { ...log, hold: ZERO, uncollected: ZERO })
  }

  /** Credits or debits once per kind and reference; a repeat returns the first result. */
  async credit(tx: BatchTransaction, op: CreditOperation): Promise<CreditResult> {
    const before = await tx.first(this.#statements.entry, { kind: op.kind, reference: op.reference })
    if (before) return { ok: true, entryId: before['id'] as number, balance: before['balance_after'] as Money, repeated: true }
    const move = { id: op.accountId, amount: op.amount, gifted: op.gifted, now: op.now }
    const row =
      op.expected === undefined
        ? await tx.first(this.#statements.credit, move)
        : await tx.first(this.#statements.creditExpected, { ...move, expected: op.expected })
    if (!row) {
      const account = await tx.first(this.#statements.account, { id: op.accountId })
      if (!account) return { ok: false, why: 'no_account' }
      const balance = account['balance'] as Money
      return { ok: false, why: op.expected !== undefined && balance !== op.expected ? 'changed' : 'below_floor', balance }
    }
    const balance = row['balance'] as Money
    const entry = await tx.first(this.#statements.insertEntry, {
      account_id: op.accountId,
      kind: op.kind,
      reference: op.reference,
      amount: op.amount,
      gifted: money((row['gifted'] as bigint) - (row['gifted_before'] as bigint)),
      balance_after: balance,
      actor_user_id: op.actorUserId,
      reason: op.reason,
      note: op.note,
      created_at: op.now,
    })
    return { ok: true, entryId: entry?.['id'] as number, balance, repeated: false }
  }
}
