import { z } from 'zod'
import { endpoint } from '../endpoint.ts'
import { idParam, time } from './common.ts'
import { ledgerKinds } from './ledger.ts'
import { orderWire } from './payments.ts'

/** A month of an account: opening + every kind = closing, to the last digit. */
export const statementWire = z.strictObject({
  user_id: z.int(),
  /** `YYYY-MM` in `zone`, from the first instant (`from`) to the first of the next month (`to`, exclusive). */
  month: z.string(),
  zone: z.string(),
  from: time,
  to: time,
  /** The month is not over. */
  provisional: z.boolean(),
  generated_at: time,
  opening: z.string(),
  kinds: z.array(z.strictObject({ kind: z.enum(ledgerKinds), entries: z.int(), amount: z.string() })),
  closing: z.string(),
  /** Calls of the month by model and by key; key 0: without a key. */
  models: z.array(z.strictObject({ model_name: z.string(), requests: z.int(), cost: z.string() })),
  keys: z.array(z.strictObject({ api_key_id: z.int(), name: z.string(), requests: z.int(), cost: z.string() })),
  /** Orders paid in the month. */
  orders: z.array(orderWire),
})

export type StatementWire = z.input<typeof statementWire>

export const getStatement = endpoint({
  method: 'GET',
  path: '/api/user/statements/:month',
  access: 'user',
  summary: 'A month of the own account; staff of any with `user_id`',
  params: z.object({ month: z.string().regex(/^20\d\d-(0[1-9]|1[0-2])$/, { error: 'Invalid month' }) }),
  query: z.object({ user_id: idParam('Invalid user_id').optional() }),
  response: statementWire,
})
