import { z } from 'zod'
import { endpoint } from '../endpoint.ts'
import { groupWire } from './common.ts'

export const getStats = endpoint({
  method: 'GET',
  path: '/api/stats',
  access: 'support',
  summary: 'Counts of the site; today begins at 00:00 UTC',
  response: z.strictObject({ users: z.int(), channels: z.int(), total_cost: z.string(), today_requests: z.int() }),
})

export const getUserStats = endpoint({
  method: 'GET',
  path: '/api/user/stats',
  access: 'user',
  summary: 'Own counts; rpm and tpm are those of the last 60 s',
  response: z.strictObject({
    balance: z.string(),
    group: groupWire.optional(),
    total_requests: z.int(),
    today_requests: z.int(),
    total_cost: z.string(),
    rpm: z.int(),
    tpm: z.int(),
  }),
})
