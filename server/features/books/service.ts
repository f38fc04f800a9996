import { EMPTY_USAGE, type Usage } from '../../../contract/meters.ts'
import { formatMoney, money, ZERO, type Money } from '../../../contract/money.ts'
import { decodeCard, quote } from '../../../contract/quote.ts'
import { readDatabase, type DatabaseOptions } from '../../db/open.ts'
import { endReasons, ruleOf, usageSources } from '../billing/rules.ts'
import { checkUsage } from '../usage/rebuild.ts'
import { checkCalls } from './calls.ts'
import { checkMoneyIn } from './money-in.ts'
import { accountTotals, keyTotals, ledgerRows, logRows } from './store.ts'

/** A place where the books do not agree. */
export interface Difference {
  what: string
  id: string
  expected: string
  found: string
}

export interface BooksReport {
  calls: number
  entries: number
  accounts: number
  keys: number
  differences: Difference[]
}

/** Differences listed at most: the first ones say what is wrong. */
const MAX_DIFFERENCES = 100

/** What of a log row its charge is made of. */
type PricedRow = Parameters<typeof usageOfRow>[0] & {
  request_id: string
  end_reason: string
  usage_source: string
  items: number
  price_snapshot: string
  group_multiplier: Money
  user_channel_multiplier: Money
  cost: Money
  uncollected: Money
}

/** The disjoint meters of a row, whose `input_tokens` includes cache, images and audio. */
export function usageOfRow(row: {
  input_tokens: number
  output_tokens: number
  cached_input_tokens: number
  cache_write_input_tokens: number
  cache_write_1h_input_tokens: number
  image_input_tokens: number
  image_output_tokens: number
  audio_input_tokens: number
  audio_output_tokens: number
}): Usage {
  const input =
    row.input_tokens -
    row.cached_input_tokens -
    row.cache_write_input_tokens -
    row.cache_write_1h_input_tokens -
    row.image_input_tokens -
    row.audio_input_tokens
  return {
    ...EMPTY_USAGE,
    input,
    output: row.output_tokens - row.image_output_tokens - row.audio_output_tokens,
    cachedInput: row.cached_input_tokens,
    cacheWrite: row.cache_write_input_tokens,
    cacheWrite1h: row.cache_write_1h_input_tokens,
    imageInput: row.image_input_tokens,
    imageOutput: row.image_output_tokens,
    audioInput: row.audio_input_tokens,
    audioOutput: row.audio_output_tokens,
  }
}

/** What a row must have cost, from nothing but its own fields. */
export function recompute(row: Omit<PricedRow, 'cost' | 'uncollected' | 'request_id'>): Money {
  const endReason = endReasons.find((word) => word === row.end_reason)
  const source = usageSources.find((word) => word === row.usage_source)
  if (!endReason || !source || !ruleOf(endReason, source).charge) return ZERO
  const multipliers = { group: row.group_multiplier, userChannel: row.user_channel_multiplier }
  return quote(usageOfRow(row), decodeCard(row.price_snapshot), multipliers, row.items).total
}

/**
 * Recomputes every call, every balance, every hold and every quota from one consistent view.
 * @throws Error when the database cannot be read
 */
export function checkBooks(options: DatabaseOptions): Promise<BooksReport> {
  return readDatabase(options, async (db) => {
    const report: BooksReport = { calls: 0, entries: 0, accounts: 0, keys: 0, differences: [] }
    const differ = (what: string, id: string | number, expected: Money | string, found: Money | string): void => {
      if (report.differences.length >= MAX_DIFFERENCES) return
      const text = (value: Money | string): string => (typeof value === 'bigint' ? formatMoney(value) : value)
      report.differences.push({ what, id: String(id), expected: text(expected), found: text(found) })
    }
    for await (const rows of logRows(db)) {
      report.calls += rows.length
      for (const row of rows) {
        const expected = recompute(row)
        const found = money(row.cost + row.uncollected)
        if (expected !== found) differ('charge of call', row.request_id, expected, found)
      }
    }
    const running = new Map<number, { balance: bigint; gifted: bigint }>()
    for await (const rows of ledgerRows(db)) {
      report.entries += rows.length
      for (const row of rows) {
        const sum = running.get(row.account_id) ?? { balance: 0n, gifted: 0n }
        sum.balance += row.amount
        sum.gifted += row.gifted
        running.set(row.account_id, sum)
        if (sum.balance !== row.balance_after) differ('running balance at ledger entry', row.id, money(sum.balance), row.balance_after)
      }
    }
    for (const account of await accountTotals(db)) {
      report.accounts += 1
      const sum = running.get(account.id) ?? { balance: 0n, gifted: 0n }
      if (sum.balance !== account.balance) differ('balance of account', account.id, money(sum.balance), account.balance)
      if (sum.gifted !== account.gifted) differ('gifted part of account', account.id, money(sum.gifted), account.gifted)
      const held = account.total_amount ?? ZERO
      if (held !== account.held) differ('held on account', account.id, held, account.held)
    }
    for (const key of await keyTotals(db)) {
      report.keys += 1
      if ((key.total_amount ?? ZERO) !== key.quota_held) differ('held on key', key.id, key.total_amount ?? ZERO, key.quota_held)
      if (key.total_cost !== key.quota_used) differ('quota used of key', key.id, key.total_cost, key.quota_used)
    }
    await checkCalls(db, differ)
    await checkMoneyIn(db, differ)
    await checkUsage(db, differ)
    return report
  })
}
