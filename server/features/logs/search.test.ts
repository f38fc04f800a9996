import { afterAll, beforeAll, expect, test } from 'bun:test'
import { ManualClock } from '../../../test/clock.ts'
import { openTestDatabase, type TestDatabase } from '../../../test/database.ts'
import { addRows, logRow } from '../../../test/log-rows.ts'
import { addUpCalls } from '../reports/totals.ts'
import { foldUsage } from '../usage/fold.ts'
import { searchLogs } from './search.ts'
import type { LogFilters } from './search/store.ts'

const NOON = Date.UTC(2026, 10, 23, 12)
const MINUTE = 60_000
const DAY = 86_400_000
/** Odd, so that pages begin within slices. */
const PAGE = 1_333
const clock = new ManualClock(NOON + 10 * MINUTE)

interface Row {
  id: number
  user_id: number
  api_key_id: number | null
  channel_id: number | null
  user_channel_id: number | null
  model_name: string
  end_reason: string
  created_at: number
}

let made: TestDatabase
let rows: Row[]
beforeAll(async () => {
  made = await openTestDatabase()
  // Four days: long quiet times, then more calls in two minutes than one slice has, then a trickle.
  const times = [
    ...Array.from({ length: 200 }, (_, n) => NOON - 4 * DAY + n * 23 * MINUTE),
    ...Array.from({ length: 2_600 }, (_, n) => NOON - DAY / 2 + Math.floor(n / 2) * 100),
    ...Array.from({ length: 200 }, (_, n) => NOON - 300 * MINUTE + Math.floor(n / 3) * 4 * MINUTE + (n % 3 === 0 ? 1_000 : 0)),
  ]
  const all = times.map((at, n) =>
    logRow(at, {
      user_id: 1 + (n % 3),
      account_id: 1 + (n % 3),
      api_key_id: n % 11 === 0 ? null : 10 + (n % 3) * 2 + (n % 2),
      channel_id: n % 13 === 0 ? null : 20 + (n % 4),
      user_channel_id: 1 + (n % 2),
      model_name: ['alpha', 'ALPHA-2', 'b_ta', 'rare'][n % 97 === 0 ? 3 : n % 3] ?? '',
      end_reason: n % 10 === 0 ? 'client_gone' : n % 31 === 0 ? 'timeout_before_content' : 'complete',
    }),
  )
  // What is known of a model on a channel ends earlier than what is known of either.
  await addRows(made.db, all.slice(0, 160))
  await addUpCalls({ db: made.db, clock })
  await addRows(made.db, all.slice(160, 2_900))
  await foldUsage({ db: made.db, clock })
  await addRows(made.db, all.slice(2_900))
  rows = await made.db.query.selectFrom('logs').selectAll().orderBy('id').execute()
})
afterAll(() => made.drop())

function fits(row: Row, filters: LogFilters): boolean {
  return (
    (filters.userId === undefined || row.user_id === filters.userId) &&
    (filters.apiKeyId === undefined || row.api_key_id === filters.apiKeyId) &&
    (filters.channelId === undefined || row.channel_id === filters.channelId) &&
    (filters.userChannelId === undefined || row.user_channel_id === filters.userChannelId) &&
    (filters.modelText === undefined || row.model_name.toLowerCase().includes(filters.modelText.toLowerCase())) &&
    (filters.endReason === undefined || row.end_reason === filters.endReason) &&
    (filters.from === undefined || row.created_at >= filters.from) &&
    (filters.before === undefined || row.created_at < filters.before)
  )
}

const byWhat: LogFilters[] = [
  {},
  { userId: 2 },
  { apiKeyId: 13 },
  { channelId: 22 },
  { userChannelId: 2 },
  { modelText: 'alpha' },
  { modelText: 'A_' },
  { modelText: 'RARE' },
  { modelText: 'nothing' },
  { endReason: 'timeout_before_content' },
  { endReason: 'complete' },
  { userId: 1, modelText: 'rare' },
  { userId: 1, apiKeyId: 11, modelText: 'alpha' },
  { userId: 3, channelId: 21 },
  { channelId: 20, userChannelId: 1 },
  { channelId: 20, modelText: 'alp' },
  { channelId: 21, modelText: 'RARE' },
  { userChannelId: 1, modelText: 'rare', endReason: 'client_gone' },
  { userId: 2, endReason: 'client_gone' },
  { channelId: 23, endReason: 'complete' },
]
const byTime: LogFilters[] = [
  { from: NOON - DAY / 2 + 20_000, before: NOON - DAY / 2 + 125_000 },
  { from: NOON - 3 * DAY - 7 * MINUTE, before: NOON - DAY - 1 },
  { from: NOON - 200 * MINUTE },
  { before: NOON - 4 * DAY + 100 * MINUTE },
]

test('every filter finds exactly its calls on every page, before and after they are added up', async () => {
  const timeOf = new Map(rows.map((row) => [row.id, row.created_at]))
  for (const [index, what] of byWhat.entries())
    // Each alone and with one of the times, of a user with few calls and with many.
    for (const [time, few] of [
      [{}, 20_000],
      [byTime[index % byTime.length], 0],
    ] as const) {
      const filters = { ...what, ...time }
      const expected = rows.filter((row) => fits(row, filters)).map(({ id }) => id)
      const found: number[] = []
      for (let offset = 0; ; offset += PAGE) {
        const page = await searchLogs(made.db.query, filters, PAGE, offset, few)
        expect([filters, page.total]).toEqual([filters, expected.length])
        found.push(...page.ids)
        if (page.ids.length < PAGE && offset + page.ids.length >= page.total) break
        expect(page.ids).toHaveLength(PAGE)
      }
      expect([filters, found.toSorted((a, b) => a - b)]).toEqual([filters, expected])
      // Newest first; by number or by time, which differ by up to a second here.
      const times = found.map((id) => timeOf.get(id) ?? 0)
      expect(times.filter((at, index) => (times[index + 1] ?? 0) - at > 1_000)).toEqual([])
    }
})
