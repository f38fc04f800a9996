import { z } from 'zod'
import { nonNegativeDecimal } from '../decimal.ts'
import { endpoint } from '../endpoint.ts'
import { groupWire, idParams, listSchema, messageAnswer, pageQuery, time } from './common.ts'

export const redeemCodeWire = z.strictObject({
  id: z.int(),
  code: z.string(),
  amount: z.string(),
  group_id: z.int().nullable(),
  group: groupWire.nullable(),
  /** 0: for good. */
  group_duration_days: z.int(),
  max_uses: z.int(),
  used_count: z.int(),
  enabled: z.boolean(),
  expires_at: time.nullable(),
  created_at: time,
  updated_at: time,
})

export type RedeemCodeWire = z.input<typeof redeemCodeWire>

/** Ten years: longer is for good. */
const MAX_DAYS = 3_660
const MAX_USES = 1_000_000
/** Codes of one bulk: one transaction, one answer. */
const MAX_BULK = 1_000

const fields = {
  amount: nonNegativeDecimal.nullish(),
  group_id: z.int().min(0).nullish(),
  group_duration_days: z.int().min(0).max(MAX_DAYS).nullish(),
  max_uses: z.int().min(1).max(MAX_USES).nullish(),
  enabled: z.boolean().nullish(),
  /** null or "": never; absent in a change: as it was. */
  expires_at: z.union([z.iso.datetime({ offset: true }), z.literal('')]).nullish(),
}
const code = z.string().max(64).nullish()

export const listRedeemCodes = endpoint({
  method: 'GET',
  path: '/api/redeem-codes',
  access: 'finance',
  summary: 'All redeem codes, newest first',
  query: pageQuery,
  response: listSchema(redeemCodeWire),
})
export const createRedeemCode = endpoint({
  method: 'POST',
  path: '/api/redeem-codes',
  access: 'finance',
  summary: 'Makes a redeem code; without a text of its own it gets 20 random letters',
  body: z.object({ ...fields, code }),
  response: redeemCodeWire,
})
export const createRedeemCodes = endpoint({
  method: 'POST',
  path: '/api/redeem-codes/bulk',
  access: 'finance',
  summary: 'Makes up to 1,000 codes that are worth the same',
  body: z.object({ ...fields, count: z.int().min(1).max(MAX_BULK) }),
  response: z.array(redeemCodeWire),
})
export const updateRedeemCode = endpoint({
  method: 'PUT',
  path: '/api/redeem-codes/:id',
  access: 'finance',
  summary: 'Changes a redeem code; what it has paid out stays',
  params: idParams('Invalid redeem code id'),
  body: z.object({ ...fields, code }),
  response: redeemCodeWire,
})
export const deleteRedeemCode = endpoint({
  method: 'DELETE',
  path: '/api/redeem-codes/:id',
  access: 'finance',
  summary: 'Deletes a redeem code; who used it stays on record',
  params: idParams('Invalid redeem code id'),
  response: messageAnswer,
})
export const redeem = endpoint({
  method: 'POST',
  path: '/api/user/redeem-code',
  access: 'user',
  summary: 'Uses a code, once per user',
  body: z.object({ code: z.string({ error: 'Redeem code not found' }).max(200, { error: 'Redeem code not found' }) }),
  response: z.strictObject({ amount: z.string(), balance: z.string() }),
})
