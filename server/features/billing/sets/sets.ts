import { money, ZERO } from '../../../../contract/money.ts'
import type { BatchTransaction, OperationSet } from '../../../db/writer.ts'
import type { HoldOperation, HoldResult, RaiseOperation, SettleOperation, SettleResult } from '../operations.ts'
import { failpoint } from '../../../lib/failpoint.ts'
import { rowOfCharge, rowOfHold, rowOfLog } from '../rows.ts'
import { countOnKey, decideCharge, decideHold, decideRaise, undoRaise, type LockedAccount, type LockedKey } from './decide.ts'
import type { BookRows, Changes, TakenHold } from './rows.ts'

/** What is run as a set: everything a call does to the books. */
export type SetInput = { type: 'hold'; op: HoldOperation } | { type: 'raise'; op: RaiseOperation } | { type: 'settle'; op: SettleOperation }

export type SetResult = HoldResult | SettleResult | boolean

/** The rows one set works on. */
interface Locked {
  accounts: Map<number, LockedAccount>
  keys: Map<number, LockedKey>
}

/**
 * Everything that waits, at once: the rows that are moved are locked in the order of their ids (accounts, then keys; no two
 * processes can wait for each other), decided in memory (decide.ts), and each is written back once, however many calls moved it.
 */
export class LedgerSets implements OperationSet<SetInput, SetResult> {
  readonly #rows: BookRows

  constructor(rows: BookRows) {
    this.#rows = rows
  }

  async runAll(tx: BatchTransaction, inputs: readonly SetInput[]): Promise<SetResult[]> {
    const settled: string[] = []
    const accountIds = new Set<number>()
    const keyIds = new Set<number>()
    let now = 0
    for (const { type, op } of inputs) {
      if (type === 'settle') settled.push(op.requestId)
      accountIds.add(op.accountId)
      const keyId = type === 'settle' ? op.apiKeyId : op.quotaKeyId
      if (keyId !== null) keyIds.add(keyId)
      if (op.now > now) now = op.now
    }
    const taken = new Map<string, TakenHold>()
    if (settled.length > 0) for (const hold of await this.#rows.takeHolds(tx, settled)) taken.set(hold.id, hold)
    const locked: Locked = {
      accounts: byId(await this.#rows.lockAccounts(tx, [...accountIds])),
      keys: byId(keyIds.size === 0 ? [] : await this.#rows.lockKeys(tx, [...keyIds])),
    }
    const changes: Changes = { accounts: new Set(), keys: new Set(), holds: [], entries: [], logs: [], now }
    const results: SetResult[] = Array.from({ length: inputs.length })
    // Settlements first: what they free may be held again. Calls that run come before new ones.
    inputs.forEach((input, index) => {
      if (input.type === 'settle') results[index] = settle(input.op, taken, locked, changes)
    })
    if (inputs.some(({ type }) => type === 'raise')) await this.#raise(tx, inputs, results, locked, changes)
    inputs.forEach((input, index) => {
      if (input.type === 'hold') results[index] = hold(input.op, locked, changes)
    })
    if (changes.accounts.size > 0) await this.#rows.write(tx, changes)
    // Written, not committed.
    if (changes.holds.length > 0) failpoint('in_hold')
    if (changes.logs.length > 0) failpoint('in_settlement')
    return results
  }

  async #raise(tx: BatchTransaction, inputs: readonly SetInput[], results: SetResult[], { accounts, keys }: Locked, changes: Changes) {
    const decided = new Map<string, { index: number; amount: RaiseOperation['amount']; undo: () => void }>()
    inputs.forEach(({ type, op }, index) => {
      if (type !== 'raise') return
      const account = accounts.get(op.accountId)
      const key = op.quotaKeyId === null ? undefined : keys.get(op.quotaKeyId)
      // A call raises one step after the other: a second one beside it is refused.
      results[index] = false
      if (!account || decided.has(op.requestId) || !decideRaise(op, account, key)) return
      results[index] = true
      decided.set(op.requestId, { index, amount: op.amount, undo: () => undoRaise(op, account, key) })
      changes.accounts.add(account)
      if (key) changes.keys.add(key)
    })
    if (decided.size === 0) return
    const grown = await this.#rows.growHolds(
      tx,
      [...decided].map(([id, { amount }]) => ({ id, amount })),
    )
    for (const id of grown) decided.delete(id)
    // What was settled already holds nothing.
    for (const { index, undo } of decided.values()) {
      undo()
      results[index] = false
    }
  }
}

function hold(op: HoldOperation, { accounts, keys }: Locked, changes: Changes): HoldResult {
  const account = accounts.get(op.accountId)
  const key = op.quotaKeyId === null ? undefined : keys.get(op.quotaKeyId)
  const result = decideHold(op, account, key)
  if (!result.ok || !account) return result
  changes.accounts.add(account)
  if (key) changes.keys.add(key)
  changes.holds.push(rowOfHold(op, result.amount))
  return result
}

function settle(op: SettleOperation, taken: Map<string, TakenHold>, { accounts, keys }: Locked, changes: Changes): SettleResult {
  const before = taken.get(op.requestId)
  if (!before) return { settled: false, charged: ZERO, balance: ZERO }
  // A second settlement of the same call in this batch finds nothing, as in the next one.
  taken.delete(op.requestId)
  const account = accounts.get(op.accountId)
  if (!account) throw new Error(`account ${op.accountId} of request ${op.requestId} does not exist`)
  const { charged, gifted } = decideCharge(op, before.amount, account)
  changes.accounts.add(account)
  if (charged !== 0n) changes.entries.push(rowOfCharge(op, charged, money(-gifted), account.balance))
  const key = op.apiKeyId === null ? undefined : keys.get(op.apiKeyId)
  if (key) {
    countOnKey(op, before.api_key_id === key.id ? before.amount : ZERO, charged, key)
    changes.keys.add(key)
  }
  changes.logs.push(rowOfLog(op, before.amount, charged))
  return { settled: true, charged, balance: account.balance }
}

function byId<T extends { id: number }>(rows: readonly T[]): Map<number, T> {
  return new Map(rows.map((row) => [row.id, row]))
}
