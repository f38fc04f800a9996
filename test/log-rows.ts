import type { Insertable } from 'kysely'
import { EMPTY_USAGE } from '../contract/meters.ts'
import { money, ZERO } from '../contract/money.ts'
import type { Database } from '../server/db/open.ts'
import type { LogTable } from '../server/db/schema.ts'
import { draftOf } from '../server/features/billing/draft.ts'
import { callFacts } from './call-facts.ts'

const ONE = money(10_000_000_000n)
/** Below SQLite's 32,766 parameters of a statement. */
const ROWS_OF_INSERT = 500
let serial = 0

/** A call that cost nothing, as the settlement writes it, at an instant. */
export function logRow(at: number, change: Partial<Insertable<LogTable>> = {}): Insertable<LogTable> {
  serial += 1
  const facts = callFacts({
    requestId: `req_row${serial}`,
    userId: 1,
    accountId: 1,
    ip: '',
    priceSnapshot: '{"prices":{},"tiers":{},"quota_type":0}',
    createdAt: at,
  })
  const served = {
    userChannelId: 1,
    channelId: 1,
    channelModelId: 1,
    upstreamModel: 'up',
    upstreamProtocol: 'openai-chat',
    groupMultiplier: ONE,
    groupSource: 'group',
    userChannelMultiplier: ONE,
  }
  const result = {
    status: 200,
    endReason: 'complete' as const,
    usageSource: 'upstream' as const,
    usage: { ...EMPTY_USAGE, input: 10, output: 5 },
    items: 1,
    baseCost: ZERO,
    upstreamCost: ZERO,
    chargeNote: '',
    losses: [],
    attempts: [],
    error: '',
    firstResponseMs: 150,
    responseMs: 1_500,
  }
  return { ...draftOf(facts, served, result, ZERO), hold: ZERO, uncollected: ZERO, ...change }
}

/** Writes rows in their order. */
export async function addRows(db: Database, rows: readonly Insertable<LogTable>[]): Promise<void> {
  for (let at = 0; at < rows.length; at += ROWS_OF_INSERT)
    await db.query
      .insertInto('logs')
      .values(rows.slice(at, at + ROWS_OF_INSERT))
      .execute()
}
