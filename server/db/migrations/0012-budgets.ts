import { sql, type Kysely } from 'kysely'
import { columnsOf, type Engine } from '../columns.ts'

/**
 * Budgets by day and month of keys and accounts: null is none. `budget_day` is the day (YYYYMMDD in the site's time zone) that
 * `spent_day` counts; `spent_month` counts that day's month.
 */
export async function up(db: Kysely<never>, engine: Engine): Promise<void> {
  const { int } = columnsOf(engine)
  for (const table of ['accounts', 'api_keys']) {
    for (const name of ['budget_daily', 'budget_monthly']) await db.schema.alterTable(table).addColumn(name, int).execute()
    for (const name of ['budget_day', 'spent_day', 'spent_month'])
      await db.schema
        .alterTable(table)
        .addColumn(name, int, (column) => column.notNull().defaultTo(sql`0`))
        .execute()
  }
}
