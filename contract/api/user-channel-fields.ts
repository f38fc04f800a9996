import { z } from 'zod'
import { time } from './common.ts'

/** The contract's three, and three that look at the channels themselves: speed, cost and load. */
export const routingAlgorithms = ['priority', 'round_robin', 'weighted_round_robin', 'least_latency', 'lowest_cost', 'least_busy'] as const
export type RoutingAlgorithm = (typeof routingAlgorithms)[number]

/** A user channel without its upstreams (contract.md 2.5): also nested in a channel. */
export const userChannelFields = {
  id: z.int(),
  name: z.string(),
  description: z.string(),
  multiplier: z.string(),
  routing_algorithm: z.enum(routingAlgorithms),
  /** After this long without the first content of a stream a second channel is asked as well, and the faster one answers; null: never. */
  hedge_delay_ms: z.int().nullable(),
  enabled: z.boolean(),
  created_at: time,
  updated_at: time,
}
const bare = z.strictObject(userChannelFields)
export type BareUserChannelWire = z.input<typeof bare>
