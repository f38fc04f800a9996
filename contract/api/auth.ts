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

/** A text of a form; absent and null are empty, and the service says what is missing in the contract's words. */
const text = (max: number) =>
  z
    .string()
    .max(max)
    .nullish()
    .transform((value) => value ?? '')
const secretText = text(1000)
const emailText = text(200)
const codeText = text(100)
const captchaToken = z.string().nullish()

export const register = endpoint({
  method: 'POST',
  path: '/auth/password/register',
  access: 'public',
  summary: 'Makes an account with a password and signs it in; `email_code` where the site asks for one',
  body: z.object({
    username: text(1000),
    email: emailText,
    password: secretText,
    email_code: codeText,
    captcha_token: captchaToken,
    referral_code: codeText,
  }),
  response: signedIn,
})

export const registrationCode = endpoint({
  method: 'POST',
  path: '/auth/password/email-code',
  access: 'public',
  summary: 'Mails a code that proves an address for registration; an address that has an account gets a notice instead',
  body: z.object({ email: emailText, captcha_token: captchaToken }),
  response: messageAnswer,
})

export const resetCode = endpoint({
  method: 'POST',
  path: '/auth/password/reset-code',
  access: 'public',
  summary: 'Mails a code to set a new password, if the address has an account; the answer is the same if not',
  body: z.object({ email: emailText, captcha_token: captchaToken }),
  response: messageAnswer,
})

export const resetPassword = endpoint({
  method: 'POST',
  path: '/auth/password/reset',
  access: 'public',
  summary: 'Sets a new password with the mailed code; every session of the account ends',
  body: z.object({ email: emailText, email_code: codeText, new_password: secretText }),
  response: messageAnswer,
})

export const passwordMethod = endpoint({
  method: 'GET',
  path: '/api/user/password/method',
  access: 'user',
  summary: 'What a change of the own password needs',
  response: z.strictObject({ method: z.enum(['email_code', 'current_password']), email: z.string(), password_set: z.boolean() }),
})

export const passwordCode = endpoint({
  method: 'POST',
  path: '/api/user/password/email-code',
  access: 'user',
  summary: 'Mails a code to change the own password',
  response: messageAnswer,
})

export const changePassword = endpoint({
  method: 'POST',
  path: '/api/user/password/change',
  access: 'user',
  summary: 'Changes the own password with the mailed code, or with the current one where the site has no mail; ends every session',
  body: z.object({ new_password: secretText, email_code: codeText, current_password: secretText }),
  response: messageAnswer,
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
