import { afterAll, beforeAll, beforeEach, expect, test } from 'bun:test'
import { money, ZERO } from '../../../contract/money.ts'
import { ManualClock } from '../../../test/clock.ts'
import { openTestDatabase, type TestDatabase } from '../../../test/database.ts'
import { openDatabase, type Database } from '../../db/open.ts'
import { createLog } from '../../lib/log.ts'
import { BEAT_MS, OrphanSweeper } from './orphans.ts'
import { accountOf, createAccount, credit, Ledger, ledgerOf } from './service.ts'
import { callFacts } from '../../../test/call-facts.ts'

const HOUR_MS = 3_600_000
const AMOUNT = money(10n)

interface Process {
  db: Database
  clock: ManualClock
  sweeper: OrphanSweeper
}

let made: TestDatabase
let first: Process
let second: Process
let accountId: number
let serial = 0

const processOn = (db: Database): Process => {
  const clock = new ManualClock()
  return { db, clock, sweeper: new OrphanSweeper({ db, clock, log: createLog('silent', () => clock.now()) }) }
}

// Two processes with a clock each: SQLite has one.
beforeAll(async () => {
  made = await openTestDatabase()
  const other = await openDatabase(made.options)
  ;[first, second] = [processOn(made.db), processOn(other)]
  accountId = await made.db.query.transaction().execute((tx) => createAccount(tx, 7, first.clock.now()))
  await credit({ db: made.db, clock: first.clock }, { accountId, kind: 'recharge', reference: 'r', amount: AMOUNT })
})
afterAll(async () => {
  await second.db.close()
  await made.drop()
})
// The same instant again for both, and nothing held.
beforeEach(async () => {
  ;[first, second] = [processOn(first.db), processOn(second.db)]
  await made.db.query.deleteFrom('holds').execute()
  await made.db.query.updateTable('accounts').set({ held: ZERO }).execute()
  await first.sweeper.start()
  await second.sweeper.start()
})

const hold = (ledger: Ledger, now: number) => {
  const requestId = `req_${(serial += 1)}`
  const facts = callFacts({ requestId, userId: 7, accountId, userAgent: 'test', createdAt: now })
  const context = JSON.stringify(facts)
  return ledger.hold({ requestId, accountId, quotaKeyId: null, amount: AMOUNT, now, deadlineAt: now + 6 * HOUR_MS, context })
}
const held = async (): Promise<bigint> => (await accountOf({ db: made.db }, 7)).held
/** Both live on for so many beats. */
const live = async (beats: number): Promise<void> => {
  for (let beat = 0; beat < beats; beat += 1) {
    for (const each of [first, second]) {
      each.clock.advance(BEAT_MS)
      await each.sweeper.beat()
    }
  }
}

test.each([-HOUR_MS, HOUR_MS])(
  'R13: a process whose clock is %p ms off is not dead for another one, nor another one for it',
  async (off) => {
    await hold(ledgerOf(first.db), first.clock.now())
    second.clock.set(second.clock.now() + off)
    await live(6)
    expect(await held()).toBe(AMOUNT)
  },
)

test.each([-HOUR_MS, HOUR_MS])(
  'R13: a clock that is set by %p ms in the middle of a call, before the other one has beaten, ends no call',
  async (off) => {
    await hold(ledgerOf(first.db), first.clock.now())
    await live(1)
    for (const each of [first, second]) each.clock.set(each.clock.now() + off)
    await second.sweeper.beat()
    expect(await held()).toBe(AMOUNT)
  },
)

test.each([-HOUR_MS, 0, HOUR_MS])('R13: the call of a dead process is closed within 15 s, though its clock was %p ms off', async (off) => {
  const dead = new Ledger(first.db)
  const at = first.clock.now() + off
  await made.db.query.insertInto('instances').values({ id: dead.instance, started_at: at, heartbeat_at: at }).execute()
  await hold(dead, at)
  let beats = 0
  for (; (await held()) > ZERO && beats < 10; beats += 1) await live(1)
  expect(beats * BEAT_MS).toBeLessThanOrEqual(15_000)
  expect(await held()).toBe(ZERO)
  const left = await made.db.query.selectFrom('instances').select('id').execute()
  expect(left.map(({ id }) => id).toSorted()).toEqual([ledgerOf(first.db).instance, ledgerOf(second.db).instance].toSorted())
})
