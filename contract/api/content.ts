import { z } from 'zod'
import { endpoint } from '../endpoint.ts'

export const getContent = endpoint({
  method: 'GET',
  path: '/content/:page',
  access: 'public',
  summary: 'A page of the owner (about, privacy, terms) as HTML for a frame of this site; its scripts do not run',
  params: z.object({ page: z.string() }),
  query: z.object({ theme: z.enum(['light', 'dark']).catch('light') }),
  response: z.string(),
})
