import { z } from 'zod'
import { endpoint } from '../endpoint.ts'
import { signedIn } from './auth.ts'
import { messageAnswer, time } from './common.ts'
import { assertion, requestOptions } from './passkeys.ts'

/** A code of an authenticator app, or a recovery code; blanks and dashes are for the eye. */
const code = z.string().max(100)
const recoveryCodes = z.strictObject({ recovery_codes: z.array(z.string()) })

export const secondFactorLogin = endpoint({
  method: 'POST',
  path: '/auth/second-factor',
  access: 'public',
  summary: 'Ends a password sign-in that answered `second_factor_required`, with a code of the app or a recovery code',
  body: z.object({ challenge: z.string().max(100), code }),
  response: signedIn,
})

export const secondFactorState = endpoint({
  method: 'GET',
  path: '/api/user/second-factor',
  access: 'user',
  summary: 'Whether an authenticator app is asked for, and how many recovery codes are left',
  response: z.strictObject({ totp_enabled: z.boolean(), totp_enabled_at: time.nullable(), recovery_codes_left: z.int() }),
})

export const beginTotp = endpoint({
  method: 'POST',
  path: '/api/user/second-factor/totp',
  access: 'user',
  stepUp: 'always',
  summary: 'A new secret for an authenticator app; it counts once a code of it was confirmed',
  response: z.strictObject({ secret: z.string(), otpauth_url: z.string() }),
})

export const confirmTotp = endpoint({
  method: 'POST',
  path: '/api/user/second-factor/totp/confirm',
  access: 'user',
  stepUp: 'always',
  summary: 'Switches the authenticator app on; answers the recovery codes, this once',
  body: z.object({ code }),
  response: recoveryCodes,
})

export const disableTotp = endpoint({
  method: 'DELETE',
  path: '/api/user/second-factor/totp',
  access: 'user',
  stepUp: 'always',
  summary: 'Switches the authenticator app off and voids the recovery codes',
  response: messageAnswer,
})

export const newRecoveryCodes = endpoint({
  method: 'POST',
  path: '/api/user/second-factor/recovery-codes',
  access: 'user',
  stepUp: 'always',
  summary: 'New recovery codes, shown this once; the old ones end',
  response: recoveryCodes,
})

/** How somebody can prove again that it is he. */
export const reauthMethod = z.enum(['passkey', 'code', 'password'])
export type ReauthMethod = z.output<typeof reauthMethod>

export const reauthOptions = endpoint({
  method: 'POST',
  path: '/api/user/reauth/options',
  access: 'user',
  summary: 'How the caller can confirm that it is he, with what a browser needs for his passkeys; no method: sign in again',
  response: z.strictObject({ methods: z.array(reauthMethod), fresh_until: time, publicKey: requestOptions.optional() }),
})

export const reauth = endpoint({
  method: 'POST',
  path: '/api/user/reauth',
  access: 'user',
  summary: 'Confirms with one of the methods; for `step_up_minutes` this session may then do what needs it',
  body: z.object({ password: z.string().max(1000).nullish(), code: code.nullish(), credential: assertion.nullish() }),
  response: z.strictObject({ fresh_until: time }),
})
