/**
 * A process of its own that debits one account as fast as it can: `debit-process.ts <database url> <account> <calls> <prefix>`.
 * Says `ready`, and begins when something comes in: all processes start together, however long each took to load.
 * Each call costs one unit; it is held and, when admitted, settled. Prints how many were admitted.
 */
import { EMPTY_USAGE } from '../../contract/meters.ts'
import { money, MONEY_ONE } from '../../contract/money.ts'
import { openDatabase } from '../../server/db/open.ts'
import { draftOf } from '../../server/features/billing/draft.ts'
import { Ledger } from '../../server/features/billing/service.ts'
import { callFacts } from '../call-facts.ts'

const [url, account, calls, prefix] = process.argv.slice(2) as [string, string, string, string]
const db = await openDatabase({ path: '', url, onError: (error) => console.error(error.message) })
const ledger = new Ledger(db)
const accountId = Number(account)
const now = Date.UTC(2026, 10, 22)
const cost = money(MONEY_ONE)
console.log('ready')
await Bun.stdin.stream().getReader().read()

/** Calls under way at a time: all at once would be one batch that takes everything, and no race. */
const CALLERS = 64
let next = 0
let admitted = 0

/** @returns whether the call was let in */
async function call(index: number): Promise<boolean> {
  const requestId = `req_${prefix}_${index}`
  const held = await ledger.hold({ requestId, accountId, quotaKeyId: null, amount: cost, now, deadlineAt: now + 1, context: '{}' }).then(
    () => true,
    () => false,
  )
  if (!held) return false
  const facts = callFacts({ requestId, userId: 7, accountId, createdAt: now })
  const log = draftOf(
    facts,
    undefined,
    {
      status: 200,
      endReason: 'complete',
      usageSource: 'upstream',
      usage: { ...EMPTY_USAGE, input: 1_000_000 },
      items: 1,
      baseCost: cost,
      upstreamCost: null,
      chargeNote: '',
      losses: [],
      attempts: [],
      error: '',
      firstResponseMs: 1,
      responseMs: 2,
    },
    cost,
  )
  await ledger.settle({ requestId, accountId, apiKeyId: null, cost, now, log })
  return true
}

await Promise.all(
  Array.from({ length: CALLERS }, async () => {
    while (next < Number(calls)) if (await call(next++)) admitted += 1
  }),
)
console.log(admitted)
await db.close()
