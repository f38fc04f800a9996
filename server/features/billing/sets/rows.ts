import type { Money } from '../../../../contract/money.ts'
import type { BatchTransaction } from '../../../db/writer.ts'
import type { LockedAccount, LockedKey } from './decide.ts'
import type { rowOfCharge, rowOfHold, rowOfLog } from '../rows.ts'

/** A hold that was taken away. */
export interface TakenHold {
  id: string
  amount: Money
  api_key_id: number | null
}

/** What a set of operations has changed. */
export interface Changes {
  /** Accounts and keys as they are now; only their columns below are written. */
  accounts: Set<LockedAccount>
  keys: Set<LockedKey>
  holds: ReturnType<typeof rowOfHold>[]
  entries: ReturnType<typeof rowOfCharge>[]
  logs: ReturnType<typeof rowOfLog>[]
  /** The time of the latest operation. */
  now: number
}

/** How an engine reads and writes the rows of the books, inside the writer's transaction. */
export interface BookRows {
  /** Deletes holds; those that were there. */
  takeHolds(tx: BatchTransaction, ids: readonly string[]): TakenHold[] | Promise<TakenHold[]>
  /** Adds to holds, each named once; the ids of those that are there. */
  growHolds(tx: BatchTransaction, grown: readonly { id: string; amount: Money }[]): string[] | Promise<string[]>
  /** Rows that nobody else changes before the commit, in the order of their ids. */
  lockAccounts(tx: BatchTransaction, ids: readonly number[]): LockedAccount[] | Promise<LockedAccount[]>
  lockKeys(tx: BatchTransaction, ids: readonly number[]): LockedKey[] | Promise<LockedKey[]>
  write(tx: BatchTransaction, changes: Changes): void | Promise<void>
}
