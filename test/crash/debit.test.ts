import { expect, test } from 'bun:test'
import { money, MONEY_ONE } from '../../contract/money.ts'
import { openDatabase } from '../../server/db/open.ts'
import { accountOf, createAccount, credit } from '../../server/features/billing/service.ts'
import { checkBooks } from '../../server/features/books/service.ts'
import { makeDatabase, testEngine } from '../database.ts'

const PROCESSES = 3
const CALLS = 10_000
const AFFORDED = 1_000
const clock = { now: () => Date.UTC(2026, 10, 22) }

// SQLite has one process by design; there M2 runs within it, in billing/ledger.test.ts.
if (testEngine === 'sqlite') test('a second process on a SQLite file is refused, and let in when the first is gone', oneProcess)
else
  test(`M2: of ${CALLS} calls through ${PROCESSES} processes on a balance that affords ${AFFORDED}, exactly ${AFFORDED} are admitted and it ends at 0`, async () => {
    const { options, remove } = await makeDatabase()
    const db = await openDatabase(options)
    const accountId = await db.query.transaction().execute((tx) => createAccount(tx, 7, clock.now()))
    await credit({ db, clock }, { accountId, kind: 'recharge', reference: 'r', amount: money(BigInt(AFFORDED) * MONEY_ONE) })
    const script = new URL('./debit-process.ts', import.meta.url).pathname
    const processes = Array.from({ length: PROCESSES }, (_, index) => {
      const share = Math.ceil(CALLS / PROCESSES)
      return Bun.spawn([process.execPath, script, options.url ?? '', String(accountId), String(share), `p${index}`], {
        stdin: 'pipe',
        stdout: 'pipe',
        stderr: 'inherit',
      })
    })
    const outputs = processes.map((child) => child.stdout.getReader())
    const decoder = new TextDecoder()
    for (const output of outputs) expect(decoder.decode((await output.read()).value)).toBe('ready\n')
    for (const { stdin } of processes) {
      void stdin.write('go\n')
      void stdin.end()
    }
    const counts = await Promise.all(outputs.map(async (output) => Number(decoder.decode((await output.read()).value))))
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(AFFORDED)
    // It was a race: more than one of them got something.
    expect(counts.filter((count) => count > 0).length).toBeGreaterThan(1)
    expect(await accountOf({ db }, 7)).toMatchObject({ balance: 0n, held: 0n })
    expect((await checkBooks(options)).differences).toEqual([])
    await db.close()
    await remove()
  }, 120_000)

async function oneProcess(): Promise<void> {
  const { options, remove } = await makeDatabase()
  const first = await openDatabase(options)
  expect(
    await openDatabase(options).then(
      () => 'opened',
      (error: Error) => error.message,
    ),
  ).toContain('another Tollgate process is using')
  await first.close()
  const second = await openDatabase(options)
  await second.close()
  await remove()
}
