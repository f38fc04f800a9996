import { sql } from 'kysely'
import type { Database } from '../../db/open.ts'

type Tx = Database['query']

/** A column whose texts are sealed, and the column that tells its rows apart. */
export interface SealedColumn {
  table: 'channels' | 'settings' | 'totp_secrets' | 'mails' | 'oidc_flows'
  id: 'id' | 'key'
  column: 'api_key_sealed' | 'value' | 'sealed'
}

/** Every row that has a text in the column. */
export async function selectSealed(tx: Tx, { table, id, column }: SealedColumn): Promise<{ id: string | number; sealed: string }[]> {
  const query = sql<{ id: string | number; sealed: string }>`
    select ${sql.ref(id)} as id, ${sql.ref(column)} as sealed from ${sql.table(table)} where ${sql.ref(column)} <> ''`
  return (await query.execute(tx)).rows
}

/** Puts another text in its place. */
export async function putSealed(tx: Tx, { table, id, column }: SealedColumn, row: string | number, sealed: string): Promise<void> {
  await sql`update ${sql.table(table)} set ${sql.ref(column)} = ${sealed} where ${sql.ref(id)} = ${row}`.execute(tx)
}
