import { z } from 'zod'
import { endpoint } from '../endpoint.ts'
import { listSchema, timeQuery } from './common.ts'

const kind = z.enum(['daily', 'daily_streak', 'daily_random', 'daily_streak_random'])

export const checkInWire = z.strictObject({
  /** `YYYY-MM-DD` in the time zone of that day. */
  check_in_date: z.string(),
  reward_amount: z.string(),
  streak_days: z.int(),
  reward_kind: kind,
})

export type CheckInWire = z.input<typeof checkInWire>

export const checkInStatusWire = z.strictObject({
  enabled: z.boolean(),
  checked_in_today: z.boolean(),
  current_streak: z.int(),
  today_reward_preview: z.string(),
  random_enabled: z.boolean(),
  random_min: z.string(),
  random_max: z.string(),
  next_streak_reward: z.strictObject({ day: z.int(), amount: z.string() }).optional(),
  currency_display_name: z.string(),
  recent_records: z.array(checkInWire),
})

export type CheckInStatusWire = z.input<typeof checkInStatusWire>

export const checkInStatus = endpoint({
  method: 'GET',
  path: '/api/user/check-in/status',
  access: 'user',
  summary: 'Whether the caller has checked in today, and what comes next',
  response: checkInStatusWire,
})
export const listCheckIns = endpoint({
  method: 'GET',
  path: '/api/user/check-in/records',
  access: 'user',
  summary: 'Own check-ins, newest first: the latest 100, or a page',
  query: timeQuery,
  response: listSchema(checkInWire),
})
export const checkIn = endpoint({
  method: 'POST',
  path: '/api/user/check-in',
  access: 'user',
  summary: 'Collects the reward of today, once',
  response: z.strictObject({
    reward_amount: z.string(),
    reward_kind: kind,
    streak_days: z.int(),
    /** After the reward. */
    balance: z.string(),
    currency_display_name: z.string(),
  }),
})
