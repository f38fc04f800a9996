import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client } from 'pg'
import { openDatabase, type Database, type DatabaseOptions } from '../server/db/open.ts'
import { randomToken } from '../server/lib/ids.ts'

/** The engine this run tests: `npm test` runs every database test on both. */
export const testEngine: 'sqlite' | 'postgres' = process.env['TEST_DATABASE'] === 'postgres' ? 'postgres' : 'sqlite'

export interface TestDatabase {
  readonly db: Database
  /** How another process would open the same database. */
  readonly options: DatabaseOptions
  /** Closes and removes it. */
  drop(): Promise<void>
}

/** Dropping a database ends what is left of its connections; anything else is worth seeing. */
const onError = (error: Error & { code?: string }): void => {
  if (error.code !== '57P01') console.error('database error in a test:', error.message)
}

/** Where a fresh, empty database can be made; removed again by `remove`. */
export async function makeDatabase(): Promise<{ options: DatabaseOptions; remove(): Promise<void> }> {
  if (testEngine === 'sqlite') {
    const folder = mkdtempSync(join(tmpdir(), 'tollgate-test-'))
    return { options: { path: join(folder, 'test.db'), onError }, remove: async () => rmSync(folder, { recursive: true, force: true }) }
  }
  const server = process.env['TEST_DATABASE_URL']
  if (server === undefined) throw new Error('TEST_DATABASE=postgres needs TEST_DATABASE_URL')
  const name = `test_${randomToken(9)
    .toLowerCase()
    .replace(/[^a-z0-9]/g, 'x')}`
  await asAdmin(server, `create database ${name}`)
  const url = new URL(server)
  url.pathname = `/${name}`
  return { options: { path: '', url: url.href, onError }, remove: () => asAdmin(server, `drop database ${name} with (force)`) }
}

/** A fresh database of the engine under test, migrated. */
export async function openTestDatabase(): Promise<TestDatabase> {
  const { options, remove } = await makeDatabase()
  const db = await openDatabase(options)
  return {
    db,
    options,
    async drop() {
      await db.close()
      await remove()
    },
  }
}

async function asAdmin(url: string, sql: string): Promise<void> {
  const client = new Client({ connectionString: url })
  await client.connect()
  try {
    await client.query(sql)
  } finally {
    await client.end()
  }
}
