import { afterEach, beforeEach, expect, test } from 'bun:test'
import { money, MONEY_ONE, type Money } from '../../../contract/money.ts'
import { ManualClock } from '../../../test/clock.ts'
import { openTestDatabase, testEngine, type TestDatabase } from '../../../test/database.ts'
import { createLog, type LogFields } from '../../lib/log.ts'
import { checkBooks } from '../books/service.ts'
import { OrphanSweeper } from './orphans.ts'
import { accountOf, createAccount, credit, Ledger, ledgerOf } from './service.ts'
import { callFacts } from '../../../test/call-facts.ts'

const ten: Money = money(10n * MONEY_ONE)
const HOUR_MS = 3_600_000
const clock = new ManualClock()
let made: TestDatabase
let accountId: number
let sweeper: OrphanSweeper

beforeEach(async () => {
  made = await openTestDatabase()
  accountId = await made.db.query.transaction().execute((tx) => createAccount(tx, 7, clock.now()))
  await credit({ db: made.db, clock }, { accountId, kind: 'recharge', reference: 'r', amount: ten })
  sweeper = new OrphanSweeper({ db: made.db, clock, log: createLog('silent', () => clock.now()) })
})

afterEach(() => made.drop())

const hold = (ledger: Ledger, requestId: string) => {
  const facts = callFacts({ requestId, userId: 7, accountId, stream: true, userAgent: 'test', createdAt: clock.now() })
  return ledger.hold({
    requestId,
    accountId,
    quotaKeyId: null,
    amount: ten,
    now: clock.now(),
    deadlineAt: clock.now() + HOUR_MS,
    context: JSON.stringify(facts),
  })
}
const held = async (): Promise<bigint> => (await accountOf({ db: made.db }, 7)).held
const rows = () => made.db.query.selectFrom('logs').select(['request_id', 'end_reason', 'cost', 'stream', 'user_agent']).execute()

/** A call of a dead process, written as it would be found: many are quicker made so. */
const leave = async (calls: number): Promise<void> => {
  const context = (requestId: string) => JSON.stringify(callFacts({ requestId, userId: 7, accountId, createdAt: clock.now() }))
  const row = { account_id: accountId, api_key_id: null, instance: 'dead', amount: money(1n), created_at: clock.now() }
  const left = Array.from({ length: calls }, (_, n) => `req_left_${n}`).map((id) => ({ ...row, id, deadline_at: 0, context: context(id) }))
  for (let from = 0; from < calls; from += 100)
    await made.db.query
      .insertInto('holds')
      .values(left.slice(from, from + 100))
      .execute()
  await made.db.query
    .updateTable('accounts')
    .set({ held: money(BigInt(calls)) })
    .execute()
}

/** What is said to those who run the site. */
const heard = () => {
  const lines: { level: string; message: string; fields: LogFields | undefined }[] = []
  const at = (level: string) => (message: string, fields?: LogFields) => void lines.push({ level, message, fields })
  return { lines, log: { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') } }
}

test('the call of a dead process is closed: money free, a row that says so, nothing charged', async () => {
  await hold(new Ledger(made.db), 'req_dead')
  // On PostgreSQL others may live: one is dead when it has been silent for long enough.
  if (testEngine === 'postgres') clock.advance(11_000)
  await sweeper.start()
  expect(await held()).toBe(0n)
  expect(await rows()).toEqual([{ request_id: 'req_dead', end_reason: 'crashed', cost: money(0n), stream: 1, user_agent: 'test' }])
  expect((await checkBooks(made.options)).differences).toEqual([])
})

test('the calls of this process are left alone while it beats, and closed past their deadline', async () => {
  await sweeper.start()
  await hold(ledgerOf(made.db), 'req_mine')
  await sweeper.beat()
  expect(await held()).toBe(ten)
  clock.advance(HOUR_MS)
  await sweeper.beat()
  expect(await held()).toBe(0n)
})

test('a hold that cannot be closed stops neither the start nor the others', async () => {
  const dead = new Ledger(made.db)
  await dead.hold({
    requestId: 'req_broken',
    accountId,
    quotaKeyId: null,
    amount: money(1n),
    now: clock.now(),
    deadlineAt: clock.now(),
    context: 'not json',
  })
  await dead.hold({
    requestId: 'req_second',
    accountId,
    quotaKeyId: null,
    amount: money(2n),
    now: clock.now(),
    deadlineAt: clock.now(),
    context: '{"requestId":"req_second"}',
  })
  await sweeper.start()
  expect(await held()).toBeGreaterThanOrEqual(1n)
})

test('an own call whose settlement was not confirmed is closed with the next beat, and one that holds nothing is forgotten', async () => {
  await sweeper.start()
  const ledger = ledgerOf(made.db)
  await hold(ledger, 'req_unsure')
  ledger.unconfirmed.add('req_unsure').add('req_settled_all_the_same')
  await sweeper.beat()
  expect(await held()).toBe(0n)
  expect([...ledger.unconfirmed]).toEqual([])
  expect(await rows()).toMatchObject([{ request_id: 'req_unsure', end_reason: 'crashed', cost: money(0n) }])
})

test('an own call that cannot be closed is tried again with each beat, and the others are closed', async () => {
  await sweeper.start()
  const ledger = ledgerOf(made.db)
  const broken = {
    requestId: 'req_odd',
    accountId,
    quotaKeyId: null,
    amount: money(1n),
    now: clock.now(),
    deadlineAt: clock.now() + HOUR_MS,
  }
  await ledger.hold({ ...broken, context: 'not json' })
  ledger.unconfirmed.add('req_odd').add('req_nothing')
  await sweeper.beat()
  expect([...ledger.unconfirmed]).toEqual(['req_odd'])
  expect(await held()).toBe(1n)
})

test('the row of a call that was cut off says so to its owner: no time to a first word, nothing used, and why it is not charged', async () => {
  await hold(new Ledger(made.db), 'req_dead')
  clock.advance(11_000)
  await sweeper.start()
  const columns = ['status', 'usage_source', 'charge_note', 'error', 'first_response_time_ms', 'response_time_ms', 'input_tokens'] as const
  expect(await made.db.query.selectFrom('logs').select(columns).execute()).toEqual([
    {
      status: 0,
      usage_source: 'none',
      charge_note: 'not charged: the server stopped in the middle of the call and what was delivered is not known',
      error: 'the server or its database stopped in the middle of the call',
      first_response_time_ms: null,
      response_time_ms: 11_000,
      input_tokens: 0,
    },
  ])
})

test('more calls than one step closes are all closed, and those who run the site are told how many', async () => {
  await leave(1_001)
  const { lines, log } = heard()
  await new OrphanSweeper({ db: made.db, clock, log }).start()
  expect(await held()).toBe(0n)
  expect(await made.db.query.selectFrom('holds').select('id').execute()).toEqual([])
  expect(await rows()).toHaveLength(1_001)
  expect(lines).toEqual(
    [500, 500, 1].map((calls) => ({ level: 'warn', message: 'closed calls that a stopped process left open', fields: { calls } })),
  )
  expect((await checkBooks(made.options)).differences).toEqual([])
})

test('a call that cannot be closed is named, and nothing is said where nothing was left', async () => {
  const { lines, log } = heard()
  const own = new OrphanSweeper({ db: made.db, clock, log })
  await own.start()
  expect(lines).toEqual([])
  await leave(1)
  await made.db.query.updateTable('holds').set({ context: 'not json' }).execute()
  await own.beat()
  expect(lines).toMatchObject([{ level: 'error', message: 'could not close an orphaned call', fields: { request_id: 'req_left_0' } }])
  expect(String(lines[0]?.fields?.['cause'])).toContain('SyntaxError')
  expect(await held()).toBe(1n)
})

test('a process is dead when it was seen silent for ten seconds, a beat in between begins them anew, and then it is forgotten', async () => {
  const beatOf = (id: string, at: number) =>
    made.db.query
      .insertInto('instances')
      .values({ id, started_at: at, heartbeat_at: at })
      .onConflict((conflict) => conflict.column('id').doUpdateSet({ heartbeat_at: at }))
      .execute()
  const others = async () => {
    await sweeper.beat()
    const found = await made.db.query.selectFrom('instances').select('id').where('id', '!=', ledgerOf(made.db).instance).execute()
    return found.map(({ id }) => id).toSorted()
  }
  await beatOf('silent', 1)
  await beatOf('slow', 1)
  expect(await others()).toEqual(['silent', 'slow'])
  clock.advance(9_999)
  await beatOf('slow', 2)
  expect(await others()).toEqual(['silent', 'slow'])
  clock.advance(1)
  expect(await others()).toEqual(['slow'])
  clock.advance(9_998)
  expect(await others()).toEqual(['slow'])
  clock.advance(1)
  expect(await others()).toEqual([])
  const own = await made.db.query.selectFrom('instances').select(['started_at', 'heartbeat_at']).execute()
  expect(own).toEqual([{ started_at: clock.now() - 19_998 - 1, heartbeat_at: clock.now() }])
})

test('a whole step of calls that cannot be closed stops nobody: the start goes on, and they are tried again with a later beat', async () => {
  await leave(500)
  await made.db.query.updateTable('holds').set({ context: 'not json' }).execute()
  const { lines, log } = heard()
  const own = new OrphanSweeper({ db: made.db, clock, log })
  await own.start()
  expect(new Set(lines.map(({ message }) => message))).toEqual(new Set(['could not close an orphaned call']))
  expect(await held()).toBe(500n)
  const facts = callFacts({ requestId: 'req_any', userId: 7, accountId, createdAt: clock.now() })
  await made.db.query
    .updateTable('holds')
    .set({ context: JSON.stringify(facts) })
    .where('id', '=', 'req_left_0')
    .execute()
  await own.beat()
  expect(await held()).toBe(499n)
})
