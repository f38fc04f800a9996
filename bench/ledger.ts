/**
 * P10: durable settlements a second through the group-committed writer: `node scripts/bun.mjs bench/ledger.ts [seconds]` on a new
 * SQLite file, or on the PostgreSQL server of TEST_DATABASE_URL with TEST_DATABASE=postgres. Each call is held, then settled with its
 * ledger entry and log row; the figure is of settlements that were committed. 512 callers, 64 accounts.
 */
import { EMPTY_USAGE } from '../contract/meters.ts'
import { money, MONEY_ONE } from '../contract/money.ts'
import { draftOf } from '../server/features/billing/draft.ts'
import { createAccount, credit, Ledger } from '../server/features/billing/service.ts'
import { checkBooks } from '../server/features/books/service.ts'
import { openTestDatabase, testEngine } from '../test/database.ts'
import { callFacts } from '../test/call-facts.ts'

const ACCOUNTS = 64
const CALLERS = 512
const SECONDS = Number(process.argv[2] ?? 5)
/** One input token at 1 per million. */
const COST = money(MONEY_ONE / 1_000_000n)
const CARD = '{"prices":{"input":"1"},"tiers":{},"quota_type":0}'

const made = await openTestDatabase()
const { db } = made
const ledger = new Ledger(db)
const now = Date.UTC(2026, 10, 23)
const accounts = await Promise.all(
  Array.from({ length: ACCOUNTS }, async (_, index) => {
    const accountId = await db.query.transaction().execute((tx) => createAccount(tx, index + 1, now))
    const deps = { db, clock: { now: () => now } }
    await credit(deps, { accountId, kind: 'recharge', reference: `r${index}`, amount: money(1_000_000n * MONEY_ONE) })
    return accountId
  }),
)
let serial = 0
let settling = 0
let settled = 0

async function one(accountId: number): Promise<void> {
  const requestId = `req_${serial++}`
  const facts = callFacts({ requestId, userId: 1, accountId, modelName: 'model', userAgent: 'bench', priceSnapshot: CARD, createdAt: now })
  await ledger.hold({ requestId, accountId, quotaKeyId: null, amount: COST, now, deadlineAt: now + 1, context: JSON.stringify(facts) })
  const result = {
    status: 200,
    endReason: 'complete' as const,
    usageSource: 'upstream' as const,
    usage: { ...EMPTY_USAGE, input: 1 },
    items: 1,
    baseCost: COST,
    upstreamCost: null,
    chargeNote: '',
    losses: [],
    attempts: [],
    error: '',
    firstResponseMs: 1,
    responseMs: 2,
  }
  const started = performance.now()
  await ledger.settle({ requestId, accountId, apiKeyId: null, cost: COST, now, log: draftOf(facts, undefined, result, COST) })
  settling += performance.now() - started
  settled += 1
}

const cpu = process.cpuUsage()
const started = performance.now()
const until = started + SECONDS * 1000
await Promise.all(
  Array.from({ length: CALLERS }, async (_, index) => {
    while (performance.now() < until) await one(accounts[index % ACCOUNTS] ?? 0)
  }),
)
const seconds = (performance.now() - started) / 1000
const { user, system } = process.cpuUsage(cpu)
console.log(
  `${testEngine}: ${Math.round(settled / seconds)} calls/s (a hold and a durable settlement each), ` +
    `${((user + system) / settled).toFixed(1)} us CPU of this process a call, ${(settling / settled).toFixed(1)} ms a settlement, ${CALLERS} callers`,
)
const { differences } = await checkBooks(made.options)
console.log(differences.length === 0 ? 'books exact' : `books differ: ${JSON.stringify(differences.slice(0, 3))}`)
await made.drop()
