import { z } from 'zod'
import { time } from './common.ts'

export const routingAlgorithms = ['priority', 'round_robin', 'weighted_round_robin'] as const
export type RoutingAlgorithm = (typeof routingAlgorithms)[number]

/** A user channel without its upstreams (contract.md 2.5): also nested in a channel. */
export const userChannelFields = {
  id: z.int(),
  name: z.string(),
  description: z.string(),
  multiplier: z.string(),
  routing_algorithm: z.enum(routingAlgorithms),
  enabled: z.boolean(),
  created_at: time,
  updated_at: time,
}
const bare = z.strictObject(userChannelFields)
export type BareUserChannelWire = z.input<typeof bare>
