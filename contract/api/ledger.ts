import { z } from 'zod'
import { endpoint } from '../endpoint.ts'
import { idParam, listSchema, pageQuery, time } from './common.ts'

const entryFields = {
  id: z.int(),
  kind: z.enum(['usage', 'recharge', 'adjustment', 'check_in', 'commission', 'refund', 'opening', 'redeem']),
  amount: z.string(),
  gifted: z.string(),
  balance_after: z.string(),
  reference: z.string(),
  reason: z.string(),
  created_at: time,
}

export const entryWire = z.strictObject(entryFields)
/** With whose it is, who booked it, and the note that is not for the customer. */
export const adminEntryWire = z.strictObject({
  ...entryFields,
  account_id: z.int(),
  user_id: z.int(),
  actor_user_id: z.int().nullable(),
  note: z.string(),
})

export type EntryWire = z.input<typeof entryWire>
export type AdminEntryWire = z.input<typeof adminEntryWire>

const filters = pageQuery.extend({ kind: entryFields.kind.optional() })

export const listUserLedger = endpoint({
  method: 'GET',
  path: '/api/user/ledger',
  access: 'user',
  summary: 'Own ledger entries, newest first: the latest 100, or a page',
  query: filters,
  response: listSchema(entryWire),
})
export const listLedger = endpoint({
  method: 'GET',
  path: '/api/ledger',
  access: 'support',
  summary: 'Ledger entries, newest first: the latest 100, or a page',
  query: filters.extend({ user_id: idParam('Invalid user_id').optional() }),
  response: listSchema(adminEntryWire),
})
