import type { Kysely } from 'kysely'
import { columnsOf, table, type Engine } from '../columns.ts'

/** When a monitor is due and what it has been said to be; its sums by hour and by day, which outlive the single checks. */
export async function up(db: Kysely<never>, engine: Engine): Promise<void> {
  const { int } = columnsOf(engine)
  const numbers = ['next_check_at', 'claimed_until', 'streak', 'cost_total'] as const
  for (const name of numbers)
    await db.schema
      .alterTable('status_monitors')
      .addColumn(name, int, (column) => column.notNull().defaultTo(0))
      .execute()
  await db.schema
    .alterTable('status_monitors')
    .addColumn('announced_status', 'text', (column) => column.notNull().defaultTo('pending'))
    .execute()
  await db.schema.alterTable('status_monitors').addColumn('mailed_at', int).execute()
  await table(db, engine, 'status_sums')
    .addColumn('monitor_id', int, (column) => column.notNull())
    .addColumn('span', 'text', (column) => column.notNull())
    .addColumn('start', int, (column) => column.notNull())
    .addColumn('up', int, (column) => column.notNull())
    .addColumn('down', int, (column) => column.notNull())
    .addColumn('latency_ms', int, (column) => column.notNull())
    .addColumn('down_seconds', int, (column) => column.notNull())
    .addPrimaryKeyConstraint('status_sums_primary', ['monitor_id', 'span', 'start'])
    .execute()
}
