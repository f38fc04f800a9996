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

export const metrics = endpoint({
  method: 'GET',
  path: '/metrics',
  access: 'public',
  summary: 'Counters and gauges of the process as Prometheus reads them; from this machine, or with an administrator’s session',
  response: z.string(),
})

export const ready = endpoint({
  method: 'GET',
  path: '/ready',
  access: 'public',
  summary: 'Requests can be served: the database answers and the process is not stopping; else 503',
  response: status,
})
