import { sql } from 'kysely'
import type { Database } from '../../db/open.ts'

type Tx = Database['query']

/** A column whose texts are sealed, and the column that tells its rows apart. */
export interface SealedColumn {
  table: 'channels' | 'settings' | 'totp_secrets' | 'mails' | 'oidc_flows' | 'log_payloads'
  id: 'id' | 'key' | 'log_id'
  column: 'api_key_sealed' | 'value' | 'sealed'
}

/** Rows read at once: some megabytes of the largest texts. */
const PAGE = 50

/** Every row that has a text in the column, some at a time. */
export async function* eachSealed(tx: Tx, { table, id, column }: SealedColumn): AsyncGenerator<{ id: string | number; sealed: string }> {
  let after: string | number = id === 'key' ? '' : 0
  for (;;) {
    const query = sql<{ id: string | number; sealed: string }>`
      select ${sql.ref(id)} as id, ${sql.ref(column)} as sealed from ${sql.table(table)}
      where ${sql.ref(column)} <> '' and ${sql.ref(id)} > ${after} order by ${sql.ref(id)} limit ${PAGE}`
    const { rows } = await query.execute(tx)
    yield* rows
    const last = rows.at(-1)
    if (last === undefined) return
    after = last.id
  }
}

/** Puts another text in its place. */
export async function putSealed(tx: Tx, { table, id, column }: SealedColumn, row: string | number, sealed: string): Promise<void> {
  await sql`update ${sql.table(table)} set ${sql.ref(column)} = ${sealed} where ${sql.ref(id)} = ${row}`.execute(tx)
}
