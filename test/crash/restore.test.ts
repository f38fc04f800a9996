import { Database } from 'bun:sqlite'
import { afterAll, beforeAll, expect, test } from 'bun:test'
import { openDatabase, type DatabaseOptions } from '../../server/db/open.ts'
import { checkBooks } from '../../server/features/books/service.ts'
import { createTestApp, type TestApp, type TestUser } from '../app.ts'
import { charge, give } from '../charge.ts'
import { makeDatabase, testEngine } from '../database.ts'

let app: TestApp
let user: TestUser
beforeAll(async () => {
  app = await createTestApp()
  user = await app.user('caller')
  await give(app, user.id, '100')
})
afterAll(() => app.close())

/** A backup of a database in use, made and restored with the engine's own means. */
async function restored(from: DatabaseOptions): Promise<{ options: DatabaseOptions; remove(): Promise<void> }> {
  const copy = await makeDatabase()
  if (from.url === undefined) {
    // Beside the server, which goes on (sqlite.org/lang_vacuum.html).
    const reader = new Database(from.path, { readonly: true })
    reader.run('vacuum into ?', [copy.options.path])
    reader.close()
    return copy
  }
  const dump = Bun.spawn(['pg_dump', '--format=custom', '--no-owner', `--dbname=${from.url}`], { stdout: 'pipe', stderr: 'pipe' })
  const restore = Bun.spawn(['pg_restore', '--no-owner', '--exit-on-error', `--dbname=${copy.options.url}`], {
    stdin: dump.stdout,
    stdout: 'ignore',
    stderr: 'pipe',
  })
  const said = await Promise.all([new Response(dump.stderr).text(), new Response(restore.stderr).text()])
  if ((await dump.exited) !== 0 || (await restore.exited) !== 0) throw new Error(`backup: ${said.join('; ')}`)
  return copy
}

/** A throw-away server does not always bring the tools of its version along. */
const noTools = testEngine === 'postgres' && (Bun.which('pg_dump') === null || Bun.which('pg_restore') === null)

test.skipIf(noTools)(
  'R11: a backup that is made while calls are charged restores to exact books',
  async () => {
    const state = { going: true, done: 0 }
    const callers = Array.from({ length: 4 }, async () => {
      while (state.going) {
        await charge(app, user.id, { usage: { input: 1_000 } })
        state.done += 1
      }
    })
    while (state.done < 50) await new Promise((resolve) => setImmediate(resolve))
    const copy = await restored(app.database)
    state.going = false
    await Promise.all(callers)
    const db = await openDatabase(copy.options)
    await db.close()
    const books = await checkBooks(copy.options)
    expect(books.differences).toEqual([])
    expect(books.calls).toBeGreaterThanOrEqual(50)
    expect((await checkBooks(app.database)).calls).toBeGreaterThanOrEqual(books.calls)
    await copy.remove()
  },
  30_000,
)
