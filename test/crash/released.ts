import { createHash } from 'node:crypto'
import { sql } from 'kysely'
import { openDatabase, readDatabase, type Database, type DatabaseOptions } from '../../server/db/open.ts'

const USERS = 20
const NOON = Date.UTC(2026, 10, 1, 12)
/** One unit per million tokens, in units of 1e-10. */
const TOKEN = 10_000
const OPENING = 1_000_000_000_000_000

/**
 * A database as an earlier release left it: its schema, users with money and keys, and calls that are held, charged, booked and logged.
 * Only columns of the first schema are named: later ones have defaults, or an upgrade of theirs would fail.
 */
export async function released(options: DatabaseOptions, schema: string, calls: number): Promise<void> {
  const db = await openDatabase({ ...options, schema })
  await fill(db, calls)
  await db.close()
}

/**
 * Users with money and keys, and their calls, `stepMs` apart from `start` on (epoch ms). `before` is how many users with an account and a
 * key there are already.
 */
export async function fill({ query, engine }: Database, calls: number, { start = NOON, stepMs = 1, before = 0 } = {}): Promise<void> {
  const series = (from: number, to: number) =>
    engine === 'sqlite'
      ? sql.raw(`(with recursive n(i) as (select ${from} union all select i + 1 from n where i < ${to}) select i from n)`)
      : sql.raw(`(select generate_series(${from}, ${to})::bigint as i)`)
  const tokens = sql.raw('(1 + i % 1000)')
  const user = sql.raw(`(${before + 1} + i % ${USERS})`)
  await query.transaction().execute(async (tx) => {
    await sql`insert into users (username, email, email_verified, avatar_url, group_id, referral_code, role, sessions_valid_from, preferences, created_at,
      updated_at) select 'u' || i, 'u' || i || '@example.test', 1, '', 1, 'r' || i, 'user', 0, '{}', ${start}, ${start}
      from ${series(before + 1, before + USERS)} as numbers`.execute(tx)
    await sql`insert into accounts (user_id, balance, held, gifted, balance_before, gifted_before, debt_limit, request_count, spent, created_at,
      updated_at) select i, ${OPENING}, 0, 0, 0, 0, 0, 0, 0, ${start}, ${start} from ${series(before + 1, before + USERS)} as numbers`.execute(
      tx,
    )
    await sql`insert into api_keys (user_id, name, key_hash, key_prefix, allowed_models, allowed_user_channels, allowed_ips, quota_limit, quota_used,
      quota_held, enabled, request_count, input_tokens, output_tokens, cached_input_tokens, total_cost, created_at, updated_at)
      select i, 'k', 'hash' || i, 'sk-', '[]', '[]', '[]', 0, 0, 0, 1, 0, 0, 0, 0, 0, ${start}, ${start} from ${series(before + 1, before + USERS)} as numbers`.execute(
      tx,
    )
    await sql`insert into ledger_entries (account_id, kind, reference, amount, gifted, balance_after, reason, note, created_at)
      select i, 'adjustment', 'opening' || i, ${OPENING}, 0, ${OPENING}, '', '', ${start} from ${series(before + 1, before + USERS)} as numbers`.execute(
      tx,
    )
    await sql`insert into ledger_entries (account_id, kind, reference, amount, gifted, balance_after, reason, note, created_at)
      select ${user}, 'usage', 'req_' || i, -${tokens} * ${TOKEN}, 0, ${OPENING} - sum(${tokens} * ${TOKEN}) over (partition by ${user} order by i),
      '', '', ${start} + i * ${stepMs} from ${series(1, calls)} as numbers order by i`.execute(tx)
    await sql`insert into logs (request_id, user_id, account_id, api_key_id, user_channel_id, channel_id, channel_model_id, model_name,
      upstream_model_name, protocol, upstream_protocol, endpoint, stream, status, end_reason, usage_source, input_tokens, output_tokens,
      cached_input_tokens, cache_write_input_tokens, cache_write_1h_input_tokens, image_input_tokens, image_output_tokens, audio_input_tokens,
      audio_output_tokens, reasoning_tokens, items, cost, base_cost, uncollected, group_multiplier, group_source, user_channel_multiplier,
      price_snapshot, hold, charge_note, losses, attempts, error, ip, user_agent, response_time_ms, source, created_at)
      select 'req_' || i, ${user}, ${user}, ${user}, 1, 1, 1, 'm' || i % 7, 'up', 'openai-chat', 'openai-chat', 'chat.completions', 0, 200, 'complete',
      'upstream', ${tokens}, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, ${tokens} * ${TOKEN}, ${tokens} * ${TOKEN}, 0, 10000000000, 'group', 10000000000,
      '{"prices":{"input":"1"},"tiers":{},"quota_type":0}', 0, '', '[]', '[]', '', '', '', 5, 'api', ${start} + i * ${stepMs}
      from ${series(1, calls)} as numbers order by i`.execute(tx)
    await sql`update accounts set balance = (select sum(amount) from ledger_entries e where e.account_id = accounts.id) where id > ${before}`.execute(
      tx,
    )
    await sql`update api_keys set quota_used = coalesce((select sum(cost) from logs l where l.api_key_id = api_keys.id), 0) where id > ${before}`.execute(
      tx,
    )
  })
}

/** A checksum over every balance and every entry, whatever the schema around them. */
export function moneyOf(options: DatabaseOptions): Promise<string> {
  return readDatabase(options, async (db) => {
    const hash = createHash('sha256')
    const accounts = await db.selectFrom('accounts').select(['id', 'user_id', 'balance', 'held', 'gifted']).orderBy('id').execute()
    for (const row of accounts) hash.update(`${Object.values(row).join(' ')}\n`)
    for (let after = 0; ;) {
      const rows = await db
        .selectFrom('ledger_entries')
        .select(['id', 'account_id', 'kind', 'reference', 'amount', 'gifted', 'balance_after', 'created_at'])
        .where('id', '>', after)
        .orderBy('id')
        .limit(5_000)
        .execute()
      if (rows.length === 0) return hash.digest('hex')
      for (const row of rows) hash.update(`${Object.values(row).join(' ')}\n`)
      after = rows.at(-1)?.id ?? after
    }
  })
}
