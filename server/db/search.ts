import { sql, type RawBuilder, type SqlBool } from 'kysely'

/** Whether one of the columns contains the text, whatever its case (of ASCII letters on SQLite); `%` and `_` mean themselves. */
export function contains(columns: readonly string[], text: string): RawBuilder<SqlBool> {
  const pattern = `%${text.toLowerCase().replace(/[\\%_]/g, '\\$&')}%`
  const tests = columns.map((column) => sql`lower(${sql.ref(column)}) like ${pattern} escape '\\'`)
  return sql<SqlBool>`(${sql.join(tests, sql` or `)})`
}
