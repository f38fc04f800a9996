import { z } from 'zod'
import { endpoint } from '../endpoint.ts'
import { idParam, listSchema, pageQuery, time } from './common.ts'

/** Why money moved. */
export const ledgerKinds = ['usage', 'recharge', 'adjustment', 'check_in', 'commission', 'refund', 'opening', 'redeem'] as const

const entryFields = {
  id: z.int(),
  kind: z.enum(ledgerKinds),
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

/** One kind, or several with commas between. */
const kinds = z
  .string()
  .max(200)
  .transform((text) => text.split(','))
  .pipe(z.array(z.enum(ledgerKinds)))
const narrow = {
  kind: kinds.optional(),
  start_time: z.string().optional(),
  start_date: z.string().optional(),
  end_time: z.string().optional(),
  end_date: z.string().optional(),
}
const filters = pageQuery.extend(narrow)
const adminNarrow = { user_id: idParam('Invalid user_id').optional() }

export const listUserLedger = endpoint({
  method: 'GET',
  path: '/api/user/ledger',
  access: 'user',
  summary: 'Own ledger entries, newest first: the latest 100, or a page',
  query: filters,
  response: listSchema(entryWire),
})
export const exportUserLedger = endpoint({
  method: 'GET',
  path: '/api/user/ledger/export',
  access: 'user',
  summary: 'Own ledger entries as CSV, oldest first, with the running balance',
  query: z.object(narrow),
  response: z.string(),
})
export const listLedger = endpoint({
  method: 'GET',
  path: '/api/ledger',
  access: 'support',
  summary: 'Ledger entries, newest first: the latest 100, or a page',
  query: filters.extend(adminNarrow),
  response: listSchema(adminEntryWire),
})
export const exportLedger = endpoint({
  method: 'GET',
  path: '/api/ledger/export',
  access: 'finance',
  summary: 'Ledger entries as CSV, oldest first, with the running balance of each account',
  query: z.object({ ...narrow, ...adminNarrow }),
  response: z.string(),
})
