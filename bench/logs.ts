/**
 * P11: the lists of calls and the charts over a long log: `node scripts/bun.mjs bench/logs.ts [rows] [repeats] [days]` on a new SQLite file, or on
 * the PostgreSQL server of TEST_DATABASE_URL with TEST_DATABASE=postgres. 90 days of calls of 200 users (one of them makes a fifth of
 * them), 40 models, 20 channels; prints p50 and p95 of each question in ms, and how long it kept
 * everything else from running.
 */
import { sql } from 'kysely'
import { getUsage, type UsageQuery } from '../contract/api/usage.ts'
import { listLogs } from '../contract/api/logs.ts'
import { AppError } from '../contract/errors.ts'
import type { Database } from '../server/db/open.ts'
import { adminLogWireOf } from '../server/features/logs/wire.ts'
import { listLogsOf } from '../server/features/logs/service.ts'
import { addUpCalls } from '../server/features/reports/totals.ts'
import { foldUsage } from '../server/features/usage/fold.ts'
import { allTimeBy, today, usageOf } from '../server/features/usage/service.ts'
import { adminPointOf, adminTotalsOf } from '../server/features/usage/sums.ts'
import { readMark } from '../server/features/settings/service.ts'
import { openTestDatabase, testEngine } from '../test/database.ts'

const ROWS = Number(process.argv[2] ?? 5_000_000)
const REPEATS = Number(process.argv[3] ?? 20)
const NOW = Date.UTC(2026, 10, 23, 12)
const SPAN_MS = Number(process.argv[4] ?? 90) * 86_400_000
const CHUNK = 100_000

const made = await openTestDatabase()
const { db } = made
const deps = { db, clock: { now: () => NOW + 60_000, monotonic: () => performance.now() } }

/** Rows by one statement each, from a series of numbers: faster than any client can send them. */
async function seed({ query, engine }: Database): Promise<void> {
  const columns = sql.raw(
    `request_id, user_id, account_id, api_key_id, user_channel_id, channel_id, channel_model_id, model_name, upstream_model_name, protocol,
     upstream_protocol, endpoint, stream, status, end_reason, usage_source, input_tokens, output_tokens, cached_input_tokens,
     cache_write_input_tokens, cache_write_1h_input_tokens, image_input_tokens, image_output_tokens, audio_input_tokens,
     audio_output_tokens, reasoning_tokens, items, cost, base_cost, uncollected, upstream_cost, group_multiplier, group_source,
     user_channel_multiplier, price_snapshot, hold, charge_note, losses, attempts, error, ip, user_agent, first_response_time_ms,
     response_time_ms, source, created_at`,
  )
  for (let from = 0; from < ROWS; from += CHUNK) {
    const upTo = Math.min(from + CHUNK, ROWS)
    const series =
      engine === 'sqlite'
        ? sql.raw(`(with recursive n(i) as (select ${from} union all select i + 1 from n where i + 1 < ${upTo}) select i from n)`)
        : sql.raw(`(select generate_series(${from}, ${upTo - 1})::bigint as i)`)
    // 7919 and 104729 are primes: they scatter what follows without a generator of chance.
    await sql`insert into logs (${columns}) select 'req_' || i, ${sql.raw(userOf)}, ${sql.raw(userOf)}, ${sql.raw(userOf)} * 3 + i % 3, 1 + i % 2,
      1 + i * 7919 % 20, 1, 'model-' || (i * 104729 % 40), 'upstream', 'openai-chat', 'openai-chat', 'chat.completions', i % 2, 200,
      case when i % 50 = 0 then 'client_gone' when i % 77 = 0 then 'timeout_before_content' else 'complete' end, 'upstream', i % 4000, i % 900,
      i % 1000, 0, 0, 0, 0, 0, 0, 0, 1, 1000000 + i % 1000, 1000000, 0, 700000, 10000000000, 'group', 10000000000,
      '{"prices":{"input":"1"},"tiers":{},"quota_type":0}', 2000000, '', '[]', '[]', '', '203.0.113.7', 'OpenAI/Python 2.1', 80 + i % 900,
      500 + i % 9000, 'api', ${NOW - SPAN_MS} + i * ${SPAN_MS} / ${ROWS} from ${series} as numbers`.execute(query)
  }
  if (engine === 'postgres') await sql`analyze logs`.execute(query)
}
const userOf = '(case when i % 5 = 0 then 1 else 2 + i * 7919 % 199 end)'

const seconds = (since: number): string => `${((performance.now() - since) / 1_000).toFixed(1)} s`
const started = performance.now()
await seed(db)
console.log(`${testEngine}: ${ROWS} rows written in ${seconds(started)}`)
const folding = performance.now()
const cpu = process.cpuUsage()
for (let before = -1, mark = 0; mark !== before;) {
  before = mark
  await foldUsage(deps)
  mark = await readMark(db.query, 'mark.usage')
}
for (let before = -1, mark = 0; mark !== before;) {
  before = mark
  await addUpCalls(deps)
  mark = await readMark(db.query, 'mark.daily_totals')
}
const used = process.cpuUsage(cpu)
if (db.engine === 'postgres') await sql`analyze usage_buckets, daily_totals`.execute(db.query)
console.log(`added up in ${seconds(folding)}, ${((used.user + used.system) / ROWS).toFixed(1)} us of CPU of the process a row`)

const list = (query: Record<string, string>) => () => listLogsOf(deps, listLogs.query?.parse(query) ?? {}, adminLogWireOf)
const chart = (query: Record<string, string>) => () =>
  usageOf(deps, getUsage.query?.parse(query) as UsageQuery, { totals: adminTotalsOf, point: adminPointOf })
const month = { from: '2026-10-24', to: '2026-11-23' }
const questions: Record<string, () => Promise<unknown>> = {
  'list: latest 100': list({}),
  'list: first page': list({ page: '1' }),
  'list: page 50': list({ page: '50' }),
  'list: one user': list({ page: '1', user_id: '77' }),
  'list: the busiest user': list({ page: '1', user_id: '1' }),
  'list: one key': list({ page: '1', user_id: '77', api_key_id: '232' }),
  'list: a key that was deleted': list({ page: '1', api_key_id: '232' }),
  'list: a channel': list({ page: '1', channel_id: '7' }),
  'list: a user channel': list({ page: '1', user_channel_id: '2' }),
  'list: part of a model name': list({ page: '1', model_name: 'EL-3' }),
  'list: a model nobody has': list({ page: '1', model_name: 'nothing' }),
  'list: one user, one model': list({ page: '1', user_id: '1', model_name: 'model-5' }),
  'list: one user, a model he never used': list({ page: '1', user_id: '1', model_name: 'model-7' }),
  'list: a model of a channel': list({ page: '1', channel_id: '18', model_name: 'model-7' }),
  'list: a model never on that channel': list({ page: '1', channel_id: '7', model_name: 'model-8' }),
  'list: an end reason': list({ page: '1', end_reason: 'timeout_before_content' }),
  'list: an hour two months ago': list({ page: '1', start_time: '2026-09-20T10:00', end_time: '2026-09-20T11:00' }),
  'list: a month': list({ page: '1', start_date: month.from, end_date: month.to }),
  'list: a month of a user': list({ page: '1', user_id: '1', start_date: '2026-09-01', end_date: '2026-09-30' }),
  'chart: 30 days, UTC': chart(month),
  'chart: 30 days, Kolkata, before': chart({ ...month, tz: 'Asia/Kolkata', compare: 'previous' }),
  'chart: 30 days by model, Shanghai': chart({ ...month, tz: 'Asia/Shanghai', group_by: 'model' }),
  'chart: 90 days by channel, Berlin': chart({ from: '2026-08-25', to: month.to, tz: 'Europe/Berlin', group_by: 'channel' }),
  'chart: 30 days by user': chart({ ...month, group_by: 'user' }),
  'chart: 30 days of a user by model': chart({ ...month, user_id: '1', group_by: 'model', tz: 'Asia/Shanghai' }),
  'chart: an hour by quarters': chart({ from: '2026-11-23T10:00', to: '2026-11-23T11:00', bucket: '15m' }),
  'channel usage': () => allTimeBy(deps, 'channel_id'),
  today: () => today(deps),
}
/** Watches how long nothing else could run; the least of several is what the question does by itself, the rest is the machine's. */
function gapOf(): () => number {
  let longest = 0
  let last = performance.now()
  let watching = true
  const tick = (): void => {
    const now = performance.now()
    longest = Math.max(longest, now - last)
    last = now
    if (watching) setImmediate(tick)
  }
  setImmediate(tick)
  return () => {
    watching = false
    return Math.max(longest, performance.now() - last)
  }
}

for (const [name, ask] of Object.entries(questions)) {
  const times: number[] = []
  let heldUp = Infinity
  let refused = ''
  for (let index = 0; index < REPEATS; index += 1) {
    const gap = gapOf()
    const since = performance.now()
    await ask().catch((error: unknown) => {
      if (!(error instanceof AppError)) throw error
      refused = ` (refused: ${error.code})`
    })
    times.push(performance.now() - since)
    heldUp = Math.min(heldUp, gap())
  }
  times.sort((a, b) => a - b)
  const at = (share: number): string => (times[Math.min(times.length - 1, Math.ceil(share * times.length) - 1)] ?? 0).toFixed(1).padStart(8)
  console.log(`${name.padEnd(36)} p50 ${at(0.5)} ms  p95 ${at(0.95)} ms  held up ${heldUp.toFixed(1).padStart(6)} ms${refused}`)
}
await made.drop()
