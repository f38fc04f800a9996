import { z } from 'zod'
import { endpoint } from '../endpoint.ts'
import { cardInput, cardOutput } from '../prices.ts'
import { firstByteTimeout, idParams, limitFields, limitInput, messageAnswer, time } from './common.ts'
import { modelOverrideWire, overridesBody } from './groups.ts'
import { iconUrl, MAX_MODEL_NAME, modelWire, providerText } from './models.ts'

/** A model as one channel carries it: `ModelConfig` (contract.md 2.9). */
export const channelModelWire = z.strictObject({
  id: z.int(),
  channel_id: z.int(),
  model_id: z.int(),
  /** Absent in the list of all channels. */
  model: modelWire.optional(),
  upstream_model_name: z.string(),
  /** Of an older time, always "0". */
  input_price: z.literal('0'),
  output_price: z.literal('0'),
  /** What the upstream asks for; null: unknown, never taken as 0. */
  cost: z.strictObject(cardOutput).nullable(),
  enabled: z.boolean(),
  /** Instead of the channel's; null: the channel's. */
  first_byte_timeout_seconds: z.int().nullable(),
  ...limitFields,
  created_at: time,
  updated_at: time,
  group_multipliers: z.array(modelOverrideWire).optional(),
  model_name: z.string(),
  provider: z.string().optional(),
  provider_icon_url: z.string().optional(),
})
export type ChannelModelWire = z.input<typeof channelModelWire>

export const channelModelBody = z.object({
  /** Moves the binding, on update only; create takes the channel of the path. */
  channel_id: z.int().nonnegative().nullish(),
  /** 0 or absent: by name. With both, the name decides and nothing is renamed (W42). */
  model_id: z.int().nonnegative().nullish(),
  model_name: z.string().trim().max(MAX_MODEL_NAME).nullish(),
  /** "": the model's own name. */
  upstream_model_name: z.string().trim().max(MAX_MODEL_NAME).nullish(),
  provider: providerText.nullish(),
  provider_icon_url: iconUrl.nullish(),
  /** Cost prices; null: unknown. Absent keeps what is stored. */
  cost: z.object(cardInput).nullish(),
  enabled: z.boolean().nullish(),
  /** null: the channel's. */
  first_byte_timeout_seconds: firstByteTimeout.nullish(),
  ...limitInput,
})
export type ChannelModelBody = z.output<typeof channelModelBody>

export const listChannelModels = endpoint({
  method: 'GET',
  path: '/api/channels/:id/models',
  access: 'support',
  summary: 'Models a channel carries',
  params: idParams('Invalid channel id'),
  response: z.array(channelModelWire),
})
export const createChannelModel = endpoint({
  method: 'POST',
  path: '/api/channels/:id/models',
  access: 'admin',
  summary: 'Binds a model to a channel; a name nobody knows becomes a model without price, not yet for sale',
  params: idParams('Invalid channel id'),
  body: channelModelBody,
  response: channelModelWire,
})
export const updateChannelModel = endpoint({
  method: 'PUT',
  path: '/api/channel-models/:id',
  access: 'admin',
  summary: 'Changes or re-binds; the model itself is never renamed or enabled',
  params: idParams('Invalid model config id'),
  body: channelModelBody,
  response: channelModelWire,
})
export const deleteChannelModel = endpoint({
  method: 'DELETE',
  path: '/api/channel-models/:id',
  access: 'admin',
  summary: 'Unbinds a model from a channel',
  params: idParams('Invalid model config id'),
  response: messageAnswer,
})
export const putChannelModelOverrides = endpoint({
  method: 'PUT',
  path: '/api/channel-models/:id/group-multipliers',
  access: 'admin',
  summary: 'Replaces the multipliers of a binding by group; 0 removes',
  params: idParams('Invalid model config id'),
  body: overridesBody,
  response: z.array(modelOverrideWire),
})
