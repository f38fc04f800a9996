import { z } from 'zod'
import { endpoint } from '../endpoint.ts'
import { signedIn } from './auth.ts'

export const setupStatus = endpoint({
  method: 'GET',
  path: '/api/setup/status',
  access: 'public',
  summary: 'Whether the first start is still to be done',
  response: z.strictObject({ required: z.boolean() }),
})

export const setup = endpoint({
  method: 'POST',
  path: '/api/setup',
  access: 'public',
  summary: 'Makes the owner and names the site, once',
  body: z.object({
    site_name: z.string().default(''),
    username: z.string().default(''),
    email: z.string().default(''),
    password: z.string().max(1000).default(''),
  }),
  response: signedIn,
})
