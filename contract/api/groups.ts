import { z } from 'zod'
import { nonNegativeDecimal } from '../decimal.ts'
import { endpoint } from '../endpoint.ts'
import { groupWire, idParams, limitInput, listSchema, messageAnswer, searchQuery, time } from './common.ts'

export type GroupWire = z.input<typeof groupWire>

const name = z.string().trim().max(50)

export const listGroups = endpoint({
  method: 'GET',
  path: '/api/groups',
  access: 'support',
  summary: 'All groups by name',
  query: searchQuery,
  response: listSchema(groupWire),
})
export const createGroup = endpoint({
  method: 'POST',
  path: '/api/groups',
  access: 'admin',
  summary: 'Makes a group; its multiplier scales every price its members pay',
  body: z.object({
    name: z.string({ error: 'Group name is required' }).trim().min(1, { error: 'Group name is required' }).max(50),
    multiplier: nonNegativeDecimal.nullish(),
    ...limitInput,
  }),
  response: groupWire,
})
export const updateGroup = endpoint({
  method: 'PUT',
  path: '/api/groups/:id',
  access: 'admin',
  summary: 'Changes what is given',
  params: idParams('Invalid group id'),
  body: z.object({
    name: name.min(1, { error: 'Group name is required' }).nullish(),
    multiplier: nonNegativeDecimal.nullish(),
    ...limitInput,
  }),
  response: groupWire,
})
export const deleteGroup = endpoint({
  method: 'DELETE',
  path: '/api/groups/:id',
  access: 'admin',
  summary: 'Deletes a group nobody uses',
  params: idParams('Invalid group id'),
  response: messageAnswer,
})

/** Body of both group-multipliers routes: the whole set; group 0 or multiplier 0 is no override (contract.md 3.5). */
export const overridesBody = z.array(z.object({ group_id: z.int().nonnegative(), multiplier: nonNegativeDecimal })).max(1_000)

const overrideFields = { id: z.int(), group_id: z.int(), group: groupWire, multiplier: z.string(), created_at: time, updated_at: time }

/** A channel's multiplier for a group, instead of the group's own (contract.md 2.10). */
export const channelOverrideWire = z.strictObject({ channel_id: z.int(), ...overrideFields })
/** A channel model's multiplier for a group; it wins over the channel's. */
export const modelOverrideWire = z.strictObject({ model_config_id: z.int(), ...overrideFields })

export type ChannelOverrideWire = z.input<typeof channelOverrideWire>
export type ModelOverrideWire = z.input<typeof modelOverrideWire>
