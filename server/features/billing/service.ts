import { AppError } from '../../../contract/errors.ts'
import { formatMoney, money, MONEY_ONE, ZERO, type Money } from '../../../contract/money.ts'
import type { Database } from '../../db/open.ts'
import type { SubmitOptions } from '../../db/writer.ts'
import { randomToken } from '../../lib/ids.ts'
import { calendarOf, type Calendar } from './calendar.ts'
import type {
  CreditOperation,
  CreditResult,
  HoldOperation,
  HoldResult,
  LedgerKind,
  LogDraft,
  PartOperation,
  RaiseOperation,
  SettleOperation,
  SettleResult,
} from './operations.ts'
import {
  findAccount,
  findAccounts,
  insertAccount,
  selectHoldCount,
  updateBudgets,
  type AccountRow,
  type Budgets,
} from './accounts/store.ts'
import { spentIn, spentOn } from './sets/decide.ts'
import { postgresRows } from './sets/postgres/store.ts'
import { LedgerSets, type SetInput, type SetResult } from './sets/sets.ts'
import { sqliteRows } from './sets/sqlite/store.ts'
import { LedgerStore } from './store.ts'

/**
 * How far below zero an account may be taken when an answer cost more than was held for it: one unit. The account is
 * then refused until it is paid.
 */
const DEBT_LIMIT: Money = money(MONEY_ONE)

/** Everything that moves money, through one group-committed writer. */
export class Ledger {
  /** Names this process in the holds it takes. */
  readonly instance: string = randomToken(12)
  /** Calls whose hold or settlement the database did not confirm: what they still hold is closed once it answers again. */
  readonly unconfirmed = new Set<string>()
  readonly #db: Database
  readonly #store: LedgerStore
  readonly #sets: LedgerSets
  /** Days of the budgets; the composition root sets the site's time zone. */
  calendar: Calendar = calendarOf(() => 'UTC')

  constructor(db: Database) {
    this.#db = db
    this.#store = new LedgerStore(db)
    this.#sets = new LedgerSets(db.engine === 'postgres' ? postgresRows(db.query) : sqliteRows(db.query))
  }

  /**
   * Reserves the estimate of a call and resolves once that is committed.
   * @returns the amount that is held: less than asked for when it is the last of a balance or quota
   * @throws AppError insufficient_balance | account_in_debt | user_budget_exceeded | key_quota_exceeded | key_budget_exceeded (402)
   */
  async hold(operation: Omit<HoldOperation, 'instance' | 'day'>): Promise<Money> {
    const dated = { ...operation, instance: this.instance, day: this.calendar(operation.now) }
    const held = this.#submit<HoldResult>({ type: 'hold', op: dated }, { durable: false })
    const result = await this.#confirmed(operation.requestId, held)
    if (!result.ok) throw new AppError(result.why)
    return result.amount
  }

  /** Sets a part of a call's hold aside for an inner call, so that all of them together stay within one hold. @returns the part */
  part(operation: Omit<PartOperation, 'instance'>): Promise<Money> {
    return this.#db.writer.submit((tx) => this.#store.part(tx, { ...operation, instance: this.instance }), { durable: false })
  }

  /** Holds more for a running call, all of it or nothing. @returns false when there is no money or quota for it */
  raise(operation: Omit<RaiseOperation, 'day'>): Promise<boolean> {
    const dated = { ...operation, day: this.calendar(operation.now) }
    return this.#submit<boolean>({ type: 'raise', op: dated }, { durable: false })
  }

  /**
   * Charges, books and logs a call once; resolves after the commit.
   * @param patient the caller can wait a few milliseconds for others to share the commit with
   */
  settle(operation: Omit<SettleOperation, 'day'>, patient = false): Promise<SettleResult> {
    const dated = { ...operation, day: this.calendar(operation.now) }
    return this.#confirmed(operation.requestId, this.#submit<SettleResult>({ type: 'settle', op: dated }, { patient }))
  }

  /** The result of an input is of its own kind. */
  #submit<T extends SetResult>(input: SetInput, options: SubmitOptions): Promise<T> {
    return this.#db.writer.submitTo(this.#sets, input, options) as Promise<T>
  }

  /** A commit that failed may be done all the same: only the database knows, later. */
  async #confirmed<T>(requestId: string, commit: Promise<T>): Promise<T> {
    try {
      return await commit
    } catch (error) {
      this.unconfirmed.add(requestId)
      throw error
    }
  }

  /** Writes the row of a call that was refused before anything was reserved. */
  log(draft: LogDraft): Promise<void> {
    return this.#db.writer.submit((tx) => this.#store.logOnly(tx, draft))
  }

  /** Credits or debits an account once per kind and reference. */
  credit(operation: CreditOperation): Promise<CreditResult> {
    return this.#db.writer.submit((tx) => this.#store.credit(tx, operation))
  }
}

const ledgers = new WeakMap<Database, Ledger>()

/** The ledger of a database: one per process, because holds name their process. */
export function ledgerOf(db: Database): Ledger {
  let ledger = ledgers.get(db)
  if (!ledger) {
    ledger = new Ledger(db)
    ledgers.set(db, ledger)
  }
  return ledger
}

/** Opens the account of a new user inside the caller's transaction; returns its id. */
export function createAccount(tx: Database['query'], userId: number, now: number): Promise<number> {
  return insertAccount(tx, userId, DEBT_LIMIT, now)
}

/** @throws AppError not_found when the user has no account */
export async function accountOf(deps: { db: Database }, userId: number): Promise<AccountRow> {
  const account = await findAccount(deps.db.query, userId)
  if (!account) throw new AppError('not_found', { message: 'User not found' })
  return account
}

/** Accounts of several users in one query, by user id. */
export function accountsOf(deps: { db: Database }, userIds: readonly number[]): Promise<Map<number, AccountRow>> {
  return findAccounts(deps.db.query, userIds)
}

/** What an account that is not there may spend and has spent. */
export const NO_BUDGETS = { budget_daily: null, budget_monthly: null, budget_day: 0, spent_day: ZERO, spent_month: ZERO }

/** Changes the budgets of a user's account in the caller's transaction. */
export function setBudgets(tx: Database['query'], userId: number, budgets: Partial<Budgets>, now: number): Promise<void> {
  return updateBudgets(tx, userId, budgets, now)
}

/** Budgets of an account or key with what was spent of them today and in this month, as the API shows them. */
export function budgetsWire(
  deps: { db: Database; clock: { now(): number } },
  row: Budgets & { budget_day: number; spent_day: Money; spent_month: Money },
): Record<'budget_daily' | 'budget_monthly', string | null> & Record<'budget_daily_used' | 'budget_monthly_used', string> {
  const today = ledgerOf(deps.db).calendar(deps.clock.now())
  return {
    budget_daily: row.budget_daily === null ? null : formatMoney(row.budget_daily),
    budget_monthly: row.budget_monthly === null ? null : formatMoney(row.budget_monthly),
    budget_daily_used: formatMoney(spentOn(row, today)),
    budget_monthly_used: formatMoney(spentIn(row, today)),
  }
}

export type { Budgets } from './accounts/store.ts'

/** How many calls hold money now. */
export function countHolds(deps: { db: Database }): Promise<number> {
  return selectHoldCount(deps.db.query)
}

export interface CreditInput {
  accountId: number
  kind: LedgerKind
  reference: string
  amount: Money
  gifted?: Money
  expected?: Money | undefined
  actorUserId?: number | null
  reason?: string
  note?: string
}

/**
 * Books money once per kind and reference.
 * @throws AppError conflict when the balance is not the expected one, bad_request when a debit would pass the account's floor
 */
export async function credit(
  deps: { db: Database; clock: { now(): number } },
  input: CreditInput,
): Promise<{ entryId: number; balance: Money; repeated: boolean }> {
  const result = await ledgerOf(deps.db).credit({
    accountId: input.accountId,
    kind: input.kind,
    reference: input.reference,
    amount: input.amount,
    gifted: input.gifted ?? ZERO,
    expected: input.expected,
    actorUserId: input.actorUserId ?? null,
    reason: input.reason ?? '',
    note: input.note ?? '',
    now: deps.clock.now(),
  })
  if (result.ok) return result
  switch (result.why) {
    case 'changed':
      throw new AppError('conflict', { message: 'The balance has changed meanwhile; load it again' })
    case 'below_floor':
      throw new AppError('bad_request', { message: 'The balance cannot be taken that far below zero' })
    case 'no_account':
      throw new AppError('not_found', { message: 'User not found' })
  }
}

/** Tries of an absolute write against charges that run meanwhile; each loses only to a change that happened. */
const COMPARE_AND_SET_TRIES = 20

/**
 * Changes a balance by hand: by a signed `delta`, or `to` an absolute amount (the contract's user form), which is stored
 * as the difference to the balance at that moment, so that charges that run meanwhile are not overwritten (W49).
 * A debit takes gifted money first; a credit counts as paid unless `gifted` says otherwise.
 */
export async function adjustBalance(
  deps: { db: Database; clock: { now(): number } },
  input: {
    userId: number
    accountId: number
    expected?: Money
    actorUserId: number
    reason: string
    note: string
  } & ({ to: Money } | { delta: Money; gifted?: boolean }),
): Promise<{ entryId: number | undefined; balance: Money }> {
  const common = {
    accountId: input.accountId,
    kind: 'adjustment' as const,
    actorUserId: input.actorUserId,
    reason: input.reason,
    note: input.note,
  }
  if ('delta' in input) {
    const gifted = input.gifted === true || input.delta < 0n ? input.delta : ZERO
    return credit(deps, { ...common, reference: randomToken(16), amount: input.delta, gifted, expected: input.expected })
  }
  for (let attempt = 1; ; attempt += 1) {
    const { balance } = await accountOf(deps, input.userId)
    if (input.expected !== undefined && balance !== input.expected)
      throw new AppError('conflict', { message: 'The balance has changed meanwhile; load it again' })
    const amount = money(input.to - balance)
    if (amount === 0n) return { entryId: undefined, balance }
    try {
      return await credit(deps, { ...common, reference: randomToken(16), amount, gifted: amount < 0n ? amount : ZERO, expected: balance })
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== 'conflict' || attempt === COMPARE_AND_SET_TRIES) throw error
    }
  }
}
