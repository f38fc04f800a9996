import { z } from 'zod'
import { endpoint } from '../endpoint.ts'
import { messageAnswer } from './common.ts'

const text = (max: number) => z.string().max(max).default('')
/** Codes and states are a few hundred characters; a provider's own limits are below this. */
const MAX_PARAMETER = 8_000

/** Answers 302 only; its errors are `{"error"}`, or for a browser the sign-in page with `?error=`. */
const redirect = z.never()

export const oidcLogin = endpoint({
  method: 'GET',
  path: '/auth/login',
  access: 'public',
  summary: 'Sends the browser to the identity provider; `ref` is a referral code',
  query: z.object({ ref: text(100) }),
  response: redirect,
})

export const oidcCallback = endpoint({
  method: 'GET',
  path: '/auth/callback',
  access: 'public',
  summary: 'Where the identity provider sends the browser back to; ends on the dashboard with the session in the fragment',
  query: z.object({ code: text(MAX_PARAMETER), state: text(MAX_PARAMETER), error: text(MAX_PARAMETER) }),
  response: redirect,
})

export const oidcBindUrl = endpoint({
  method: 'POST',
  path: '/api/user/oidc/bind-url',
  access: 'user',
  summary: 'Where to send this browser to connect the account to the identity provider',
  response: z.strictObject({ auth_url: z.string() }),
})

export const oidcUnbind = endpoint({
  method: 'DELETE',
  path: '/api/user/oidc',
  access: 'user',
  summary: 'Disconnects the account from the identity provider; refused while it is the only way to sign in',
  response: messageAnswer,
})
