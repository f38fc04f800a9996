import type { Database } from '../server/db/open.ts'

/** All rows of all tables as one text, to look for what must not be in it. */
export async function everyRow(db: Database['query']): Promise<string> {
  const tables = await db.introspection.getTables()
  const rows = await Promise.all(
    tables.map(({ name }) =>
      db
        .selectFrom(name as 'logs')
        .selectAll()
        .execute(),
    ),
  )
  return JSON.stringify(rows, (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value))
}
