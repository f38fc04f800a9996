import type { Kysely } from 'kysely'
import { columnsOf, type Engine } from '../columns.ts'

/**
 * Rewards that are credited after their record: until `credited_at` stands the credit is still owed, so that a crash
 * between the two loses nothing. Check-ins keep the time zone of their day, commissions the instant they fall due.
 */
export async function up(db: Kysely<never>, engine: Engine): Promise<void> {
  const { int } = columnsOf(engine)
  await db.schema
    .alterTable('check_ins')
    .addColumn('time_zone', 'text', (column) => column.notNull().defaultTo(''))
    .execute()
  await db.schema.alterTable('check_ins').addColumn('credited_at', int).execute()
  await db.schema.createIndex('check_ins_credited_at').on('check_ins').columns(['credited_at']).execute()
  await db.schema.alterTable('redemptions').addColumn('credited_at', int).execute()
  await db.schema.createIndex('redemptions_credited_at').on('redemptions').columns(['credited_at']).execute()
  await db.schema
    .alterTable('referral_commissions')
    .addColumn('due_at', int, (column) => column.notNull().defaultTo(0))
    .execute()
  await db.schema.alterTable('referral_commissions').addColumn('credited_at', int).execute()
  await db.schema
    .createIndex('referral_commissions_credited_at_due_at')
    .on('referral_commissions')
    .columns(['credited_at', 'due_at'])
    .execute()
  await db.schema.createIndex('referral_commissions_referred_user_id').on('referral_commissions').columns(['referred_user_id']).execute()
}
