import { z } from 'zod'
import { endpoint } from '../endpoint.ts'

export const getUserCatalog = endpoint({
  method: 'GET',
  path: '/api/user/catalog',
  access: 'user',
  summary: 'User channels the caller may bind a key to, with the models each reaches',
  response: z.array(
    z.strictObject({
      id: z.int(),
      name: z.string(),
      description: z.string(),
      enabled: z.literal(true),
      models: z.array(z.string()),
      model_icons: z.record(z.string(), z.string()),
    }),
  ),
})
