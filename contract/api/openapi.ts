import { z } from 'zod'
import { endpoint } from '../endpoint.ts'

export const getOpenapi = endpoint({
  method: 'GET',
  path: '/openapi.json',
  access: 'public',
  summary: 'This document: every operation, made from the schemas that the server itself checks with',
  response: z.looseObject({
    openapi: z.literal('3.1.1'),
    info: z.record(z.string(), z.unknown()),
    paths: z.record(z.string(), z.record(z.string(), z.unknown())),
    components: z.record(z.string(), z.unknown()),
  }),
})
