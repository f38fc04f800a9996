import { sql } from 'kysely'
import { ZERO, type Money } from '../../../contract/money.ts'
import type { Database } from '../../db/open.ts'

type Query = Database['query']

/** Users, channels and what all accounts ever spent: counters and small tables, no scan of the calls (W51). */
export async function siteTotals(db: Query): Promise<{ users: number; channels: number; total_cost: Money }> {
  const { users } = await db
    .selectFrom('users')
    .select((count) => count.fn.countAll<number>().as('users'))
    .executeTakeFirstOrThrow()
  const { channels } = await db
    .selectFrom('channels')
    .select((count) => count.fn.countAll<number>().as('channels'))
    .executeTakeFirstOrThrow()
  const { total_cost: spent } = await db
    .selectFrom('accounts')
    .select(sql<Money | null>`sum(spent)`.as('total_cost'))
    .executeTakeFirstOrThrow()
  return { users, channels, total_cost: spent ?? ZERO }
}

/** Calls and tokens since an instant, of one user or of all. */
export async function countCalls(db: Query, since: number, userId?: number): Promise<{ requests: number; tokens: number }> {
  let rows = db.selectFrom('logs').where('created_at', '>=', since)
  if (userId !== undefined) rows = rows.where('user_id', '=', userId)
  const { requests, tokens } = await rows
    .select((count) => [count.fn.countAll<number>().as('requests'), sql<number | null>`sum(input_tokens + output_tokens)`.as('tokens')])
    .executeTakeFirstOrThrow()
  return { requests, tokens: tokens ?? 0 }
}
