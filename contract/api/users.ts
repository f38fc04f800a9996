import { z } from 'zod'
import { decimalInput } from '../decimal.ts'
import { endpoint } from '../endpoint.ts'
import { apiKeyWire } from './api-keys.ts'
import { budgetFields, budgetInput } from './budgets.ts'
import { groupWire, idParams, limitFields, limitInput, listSchema, messageAnswer, searchQuery, sessionWire, time } from './common.ts'

const membershipWire = z.strictObject({
  id: z.int(),
  user_id: z.int(),
  group_id: z.int(),
  group: groupWire,
  expires_at: time.nullable(),
  created_at: time,
  updated_at: time,
})

/** Of another user nobody sees more than this (W10). */
export const maskedUser = z.strictObject({ id: z.int(), username: z.string() })

const userFields = {
  id: z.int(),
  username: z.string(),
  email: z.string(),
  oidc_sub: z.string().optional(),
  email_verified: z.boolean(),
  avatar_url: z.string(),
  balance: z.string(),
  group_id: z.int(),
  referral_code: z.string(),
  referrer_id: z.int().optional(),
  is_admin: z.boolean(),
  role: z.enum(['user', 'support', 'finance', 'admin', 'owner']),
  disabled_at: time.nullable(),
  created_at: time,
  updated_at: time,
}

/** A user without relations: what sign-in answers carry (contract.md 2.1, A.1). */
export const bareUserWire = z.strictObject(userFields)

/** A user with group, memberships and who invited him. */
export const userWire = z.strictObject({
  ...userFields,
  /** Money set aside for calls that run; what may be spent is `balance` less this. */
  held: z.string(),
  /** Over all his keys; null: his groups'. */
  ...limitFields,
  ...budgetFields,
  group: groupWire.optional(),
  groups: z.array(membershipWire).optional(),
  referrer: maskedUser.optional(),
})

export type BareUserWire = z.input<typeof bareUserWire>
export type UserWire = z.input<typeof userWire>

export const getMe = endpoint({ method: 'GET', path: '/api/user/me', access: 'user', summary: 'The signed-in user', response: userWire })

export const listUsers = endpoint({
  method: 'GET',
  path: '/api/users',
  access: 'support',
  summary: 'All users, newest first; as a page and searched when asked for',
  query: searchQuery,
  response: listSchema(userWire),
})

export const getUser = endpoint({
  method: 'GET',
  path: '/api/users/:id',
  access: 'support',
  summary: 'One user with his keys (without secrets) and sessions',
  params: idParams('Invalid user id'),
  response: userWire.extend({ keys: z.array(apiKeyWire), sessions: z.array(sessionWire) }),
})

export const putUser = endpoint({
  method: 'PUT',
  path: '/api/users/:id',
  access: 'admin',
  stepUp: 'site',
  summary: 'Balance (absolute; booked as the difference), group, role; `expected_balance` makes the balance compare-and-set',
  params: idParams('Invalid user id'),
  body: z.object({
    balance: decimalInput.nullish(),
    expected_balance: decimalInput.nullish(),
    group_id: z.int().nonnegative().nullish(),
    is_admin: z.boolean().nullish(),
    role: z.enum(['user', 'support', 'finance', 'admin', 'owner']).nullish(),
    disabled: z.boolean().nullish(),
    ...budgetInput,
    ...limitInput,
    reason: z.string().max(200).nullish(),
    note: z.string().max(2000).nullish(),
  }),
  response: userWire,
})

export const deleteUser = endpoint({
  method: 'DELETE',
  path: '/api/users/:id',
  access: 'admin',
  stepUp: 'site',
  summary: 'Deletes a user with keys, sessions and memberships; ledger and logs stay',
  params: idParams('Invalid user id'),
  response: messageAnswer,
})

export const endUserSessions = endpoint({
  method: 'DELETE',
  path: '/api/users/:id/sessions',
  access: 'admin',
  summary: 'Signs a user out everywhere',
  params: idParams('Invalid user id'),
  response: messageAnswer,
})

export const adjustUser = endpoint({
  method: 'POST',
  path: '/api/users/:id/adjustments',
  access: 'finance',
  stepUp: 'site',
  summary: 'Books a signed amount on a balance; 409 when `expected_balance` is given and differs. `Idempotency-Key` is honoured',
  params: idParams('Invalid user id'),
  body: z.object({
    amount: decimalInput.refine((amount) => amount !== 0n, { error: 'must not be 0' }),
    reason: z.string().trim().min(1, { error: 'must not be empty' }).max(200),
    note: z.string().max(2000).default(''),
    /** True: given, not paid for (spent first, never paid back). */
    gifted: z.boolean().default(false),
    expected_balance: decimalInput.nullish(),
  }),
  response: z.strictObject({ ledger_entry_id: z.int(), balance: z.string() }),
})
