import { afterEach, beforeEach, expect, test } from 'bun:test'
import { readFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { openDatabase, readDatabase, type DatabaseOptions } from '../../server/db/open.ts'
import { MAIL_PURPOSE } from '../../server/features/mail/service.ts'
import { resealAll } from '../../server/features/sealed/service.ts'
import { SecretBox } from '../../server/lib/secret-box.ts'
import { makeDatabase } from '../database.ts'

const SERVER = new URL('../../server/', import.meta.url).pathname
const OLD = 'old key: 7Yw2pX9qKc4Zr8Vt1Nb6-Hj3'
const NEW = 'new key: mQ5tB0sLd7Fa2Gx9Re4Uy-Wp8'
const MAILS = 300
/** The process dies when it has sealed so many: the first, some, and the last before the commit. */
const KILLED_AT = [1, 100, MAILS + 1]
const JWT = 'a secret of sessions: 9Lk2Vb7Xz4'

let database: DatabaseOptions
let remove: () => Promise<void>
let folder: string
beforeEach(async () => {
  ;({ options: database, remove } = await makeDatabase())
  folder = database.url === undefined ? dirname(database.path) : mkdtempSync(join(tmpdir(), 'tollgate-keys-'))
  const old = new SecretBox(OLD)
  const db = await openDatabase(database)
  await db.query
    .insertInto('settings')
    .values([
      { key: 'smtp_password', value: old.seal('setting:smtp_password', 'mail secret'), updated_at: 1 },
      { key: 'site_name', value: 'no secret', updated_at: 1 },
    ])
    .execute()
  await db.query
    .insertInto('mails')
    .values(
      Array.from({ length: MAILS }, (_, index) => ({
        kind: 'test',
        sealed: old.seal(MAIL_PURPOSE, `mail ${index}`),
        tries: 0,
        next_try_at: null,
        deadline_at: 1,
        outcome: '',
        error: '',
        created_at: 1,
      })),
    )
    .execute()
  await db.close()
}, 30_000)
afterEach(async () => {
  await remove()
  rmSync(folder, { recursive: true, force: true })
})

function rotate(env: Record<string, string>): Bun.Subprocess<'ignore', 'pipe', 'pipe'> {
  const where = database.url === undefined ? {} : { DATABASE_URL: database.url }
  const path = database.url === undefined ? database.path : join(folder, 'none.db')
  return Bun.spawn([process.execPath, join(SERVER, 'rotate-key.ts')], {
    env: { PATH: process.env['PATH'] ?? '', DB_PATH: path, ...where, ...env },
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'pipe',
  })
}

/** How many of all sealed texts a key opens. */
function openedBy(key: string): Promise<number> {
  const box = new SecretBox(key)
  const opens = (purpose: string, sealed: string): boolean => {
    try {
      return box.open(purpose, sealed) !== ''
    } catch {
      return false
    }
  }
  return readDatabase(database, async (db) => {
    const mails = await db.selectFrom('mails').select('sealed').execute()
    const setting = await db.selectFrom('settings').select('value').where('key', '=', 'smtp_password').executeTakeFirstOrThrow()
    return mails.filter(({ sealed }) => opens(MAIL_PURPOSE, sealed)).length + (opens('setting:smtp_password', setting.value) ? 1 : 0)
  })
}

/** Seals anew as the command does, and dies at a seal. */
function dying(at: number): Bun.Subprocess<'ignore', 'ignore', 'pipe'> {
  const options = JSON.stringify({ path: database.path, url: database.url })
  const program = `
    const { openDatabase } = await import('${SERVER}db/open.ts')
    const { resealAll } = await import('${SERVER}features/sealed/service.ts')
    const { SecretBox } = await import('${SERVER}lib/secret-box.ts')
    let sealed = 0
    class Dying extends SecretBox {
      seal(purpose, plain) {
        sealed += 1
        if (sealed === ${at}) process.kill(process.pid, 'SIGKILL')
        return super.seal(purpose, plain)
      }
    }
    await resealAll(await openDatabase({ ...${options}, onError() {} }), new SecretBox('${OLD}'), new Dying('${NEW}'))`
  return Bun.spawn([process.execPath, '-e', program], { stdin: 'ignore', stdout: 'ignore', stderr: 'pipe' })
}

test('killed in the middle, every secret still has the old key; run again, all have the new', async () => {
  const env = { ENCRYPTION_KEY: OLD, NEW_ENCRYPTION_KEY: NEW, JWT_SECRET: JWT }
  const total = MAILS + 1
  for (const at of KILLED_AT) {
    const run = dying(at)
    await run.exited
    expect([at, run.signalCode]).toEqual([at, 'SIGKILL'])
    expect([await openedBy(OLD), await openedBy(NEW)]).toEqual([total, 0])
  }
  const last = rotate(env)
  expect([await last.exited, await new Response(last.stderr).text()]).toEqual([0, ''])
  expect(await openedBy(NEW)).toBe(total)
  expect(await readDatabase(database, (db) => db.selectFrom('settings').select('value').where('key', '=', 'site_name').execute())).toEqual([
    { value: 'no secret' },
  ])
}, 60_000)

test('a key that is kept beside the database is replaced there; the same new one is used when the command is run again', async () => {
  const file = join(folder, 'secrets.json')
  writeFileSync(file, JSON.stringify({ jwt_secret: JWT, encryption_key: OLD, next_encryption_key: NEW }), { mode: 0o600 })
  const run = rotate({})
  expect([await run.exited, await new Response(run.stderr).text()]).toEqual([0, ''])
  expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual({ jwt_secret: JWT, encryption_key: NEW })
  expect(await openedBy(NEW)).toBe(MAILS + 1)
  expect(await rotate({}).exited).toBe(0)
  const { encryption_key: third } = JSON.parse(readFileSync(file, 'utf8')) as { encryption_key: string }
  expect(third).not.toBe(NEW)
  expect(await openedBy(third)).toBe(MAILS + 1)
}, 30_000)

test('without a strong new key, or with a secret that neither key opens, nothing is changed', async () => {
  for (const next of ['', 'short', OLD])
    expect(await rotate({ ENCRYPTION_KEY: OLD, NEW_ENCRYPTION_KEY: next, JWT_SECRET: JWT }).exited).toBe(1)
  const db = await openDatabase(database)
  await expect(resealAll(db, new SecretBox('another old one'), new SecretBox(NEW))).rejects.toThrow('opens with neither')
  await db.close()
  expect(await openedBy(OLD)).toBe(MAILS + 1)
}, 30_000)

test('every sealed column of the schema is sealed anew', () => {
  const schema = readFileSync(new URL('../../server/db/schema.ts', import.meta.url), 'utf8')
  const service = readFileSync(new URL('../../server/features/sealed/service.ts', import.meta.url), 'utf8')
  const columns = [...schema.matchAll(/^ {2}(\w*sealed): /gm)].length
  expect([...service.matchAll(/column: '\w*sealed'/g)].length).toBe(columns)
})
