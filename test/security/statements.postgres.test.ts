import { sql } from 'kysely'
import { expect, test } from 'bun:test'
import { openTestDatabase } from '../database.ts'

test('S13: PostgreSQL itself ends a statement that takes longer than any of ours may', async () => {
  const made = await openTestDatabase()
  try {
    const { rows } = await sql<{ limit: string }>`select current_setting('statement_timeout') as "limit"`.execute(made.db.query)
    expect(rows).toEqual([{ limit: '30s' }])
  } finally {
    await made.drop()
  }
}, 30_000)
