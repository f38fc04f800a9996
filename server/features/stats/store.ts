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

/** Calls and tokens of a user since an instant that is not long ago: all calls since then are looked at, however many he made before. */
export async function countCalls(db: Query, since: number, userId: number): Promise<{ requests: number; tokens: number }> {
  const { requests, tokens } = await db
    .selectFrom('logs')
    .where('created_at', '>=', since)
    .where(sql<boolean>`user_id + 0 = ${userId}`)
    .select((count) => [count.fn.countAll<number>().as('requests'), sql<number | null>`sum(input_tokens + output_tokens)`.as('tokens')])
    .executeTakeFirstOrThrow()
  return { requests, tokens: tokens ?? 0 }
}
