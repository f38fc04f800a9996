import { z } from 'zod'
import { endpoint } from '../endpoint.ts'

const status = z.strictObject({ status: z.literal('ok') })

export const health = endpoint({
  method: 'GET',
  path: '/health',
  access: 'public',
  summary: 'The process runs; nothing else is looked at',
  response: status,
})

export const ready = endpoint({
  method: 'GET',
  path: '/ready',
  access: 'public',
  summary: 'Requests can be served: the database answers and the process is not stopping; else 503',
  response: status,
})
