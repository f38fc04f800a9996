import { z } from 'zod'
import { endpoint } from '../endpoint.ts'
import { listSchema, pageQuery, time } from './common.ts'
import { maskedUser } from './users.ts'

export const commissionWire = z.strictObject({
  id: z.int(),
  referrer_id: z.int(),
  referred_user_id: z.int(),
  /** Masked (W10); absent when the user was deleted. */
  referred_user: maskedUser.optional(),
  token_log_id: z.int(),
  /** The part of the call's cost that was paid with paid money. */
  base_cost: z.string(),
  rate: z.string(),
  amount: z.string(),
  /** What was taken back of it, because the payment behind it was charged back. */
  clawed_back: z.string(),
  created_at: time,
  /** When it is credited at the earliest. */
  due_at: time,
  credited_at: time.nullable(),
})

export type CommissionWire = z.input<typeof commissionWire>

export const getReferral = endpoint({
  method: 'GET',
  path: '/api/user/referral',
  access: 'user',
  summary: 'Own invitation link and what it has earned',
  response: z.strictObject({
    enabled: z.boolean(),
    code: z.string(),
    /** A path of this site while its address (`base_url`) is not set. */
    link: z.string(),
    commission_rate: z.string(),
    /** Days until a commission is credited. */
    hold_days: z.int(),
    /** The most one invited user earns his inviter. */
    commission_cap: z.string(),
    invite_count: z.int(),
    /** Credited so far. */
    total_commission: z.string(),
    /** Earned, not yet credited. */
    pending_commission: z.string(),
    /** The 50 newest. */
    recent_logs: z.array(commissionWire),
  }),
})
export const listCommissions = endpoint({
  method: 'GET',
  path: '/api/referral-commissions',
  access: 'support',
  summary: 'All commissions, newest first: the latest 200, or a page',
  query: pageQuery,
  response: listSchema(commissionWire),
})
