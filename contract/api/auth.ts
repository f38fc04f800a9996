import { z } from 'zod'
import { endpoint } from '../endpoint.ts'
import { messageAnswer, sessionWire } from './common.ts'
import { bareUserWire } from './users.ts'

/** What every sign-in answers (contract.md A.1). */
export const signedIn = z.strictObject({ token: z.string(), user: bareUserWire })

export const passwordLogin = endpoint({
  method: 'POST',
  path: '/auth/password/login',
  access: 'public',
  summary: 'Signs in with user name or e-mail and password',
  body: z.object({
    identifier: z.string().max(200).default(''),
    password: z.string().max(1000).default(''),
    captcha_token: z.string().nullish(),
  }),
  response: signedIn,
})

export const logout = endpoint({
  method: 'POST',
  path: '/auth/logout',
  access: 'user',
  summary: 'Ends this session',
  response: messageAnswer,
})

export const listSessions = endpoint({
  method: 'GET',
  path: '/api/user/sessions',
  access: 'user',
  summary: 'Own sessions that are alive, newest first',
  response: z.array(sessionWire),
})

export const deleteSession = endpoint({
  method: 'DELETE',
  path: '/api/user/sessions/:id',
  access: 'user',
  summary: 'Ends one own session; `others` ends all but this',
  params: z.object({ id: z.string().max(100) }),
  response: messageAnswer,
})
