import { z } from 'zod'
import { endpoint } from '../endpoint.ts'
import { signedIn } from './auth.ts'
import { idParams, messageAnswer, time } from './common.ts'

/** A passkey as its owner sees it (contract.md 2.16). */
export const passkeyWire = z.strictObject({
  id: z.int(),
  name: z.string(),
  sign_count: z.int(),
  last_used_at: time.nullable(),
  created_at: time,
})

export type PasskeyWire = z.input<typeof passkeyWire>

/** An authenticator's answer is a few hundred bytes, a certificate chain some thousands; no CBOR reader sees more. */
const MAX_ENCODED = 20_000

/** base64url without padding, of whatever the browser's encoder made; absent is "", and the service says what is missing. */
const encoded = z
  .string()
  .max(MAX_ENCODED)
  .nullish()
  .transform((text) => (text ?? '').replace(/=+$/, ''))

const credentialFields = { id: encoded, rawId: encoded, type: z.string().max(100).nullish() }

/** What `navigator.credentials.get()` gives. */
export const assertion = z.object({
  ...credentialFields,
  response: z.object({ clientDataJSON: encoded, authenticatorData: encoded, signature: encoded, userHandle: encoded }),
})

/** What `navigator.credentials.create()` gives. */
export const attestation = z.object({
  ...credentialFields,
  response: z.object({ clientDataJSON: encoded, attestationObject: encoded }),
})

export type Assertion = z.output<typeof assertion>
export type Attestation = z.output<typeof attestation>

const descriptor = z.strictObject({ type: z.literal('public-key'), id: z.string() })

/** What `navigator.credentials.get()` takes, bytes as base64url. */
export const requestOptions = z.strictObject({
  challenge: z.string(),
  timeout: z.int(),
  rpId: z.string(),
  allowCredentials: z.array(descriptor),
  userVerification: z.literal('required'),
})

const creationOptions = z.strictObject({
  challenge: z.string(),
  rp: z.strictObject({ name: z.string(), id: z.string() }),
  user: z.strictObject({ id: z.string(), name: z.string(), displayName: z.string() }),
  pubKeyCredParams: z.array(z.strictObject({ type: z.literal('public-key'), alg: z.int() })),
  timeout: z.int(),
  attestation: z.literal('none'),
  excludeCredentials: z.array(descriptor),
  authenticatorSelection: z.strictObject({ userVerification: z.literal('required'), residentKey: z.literal('preferred') }),
})

export type RequestOptions = z.input<typeof requestOptions>
export type CreationOptions = z.input<typeof creationOptions>

export const passkeyLoginOptions = endpoint({
  method: 'POST',
  path: '/auth/passkey/login/options',
  access: 'public',
  summary: 'What a browser needs to sign in with a passkey; without `identifier` the person picks the account',
  body: z.object({ identifier: z.string().max(200).nullish().catch(undefined) }).catch({ identifier: undefined }),
  response: z.strictObject({ publicKey: requestOptions }),
})

export const passkeyLogin = endpoint({
  method: 'POST',
  path: '/auth/passkey/login',
  access: 'public',
  summary: 'Signs in with what the passkey signed; a passkey with user verification is two factors, so no code is asked for',
  body: assertion,
  response: signedIn,
})

export const listPasskeys = endpoint({
  method: 'GET',
  path: '/api/user/passkeys',
  access: 'user',
  summary: 'Own passkeys, newest first',
  response: z.array(passkeyWire),
})

export const passkeyRegisterOptions = endpoint({
  method: 'POST',
  path: '/api/user/passkeys/register/options',
  access: 'user',
  stepUp: 'site',
  summary: 'What a browser needs to make a passkey',
  response: z.strictObject({ publicKey: creationOptions }),
})

export const registerPasskey = endpoint({
  method: 'POST',
  path: '/api/user/passkeys/register',
  access: 'user',
  summary: 'Stores a passkey that the browser made',
  body: z.object({ name: z.string().max(1000).nullish(), credential: attestation }),
  response: passkeyWire,
})

export const renamePasskey = endpoint({
  method: 'PUT',
  path: '/api/user/passkeys/:id',
  access: 'user',
  summary: 'Gives an own passkey another name',
  params: idParams('Invalid passkey id'),
  body: z.object({ name: z.string().max(1000) }),
  response: passkeyWire,
})

export const deletePasskey = endpoint({
  method: 'DELETE',
  path: '/api/user/passkeys/:id',
  access: 'user',
  stepUp: 'site',
  summary: 'Deletes an own passkey; the last way to sign in stays',
  params: idParams('Invalid passkey id'),
  response: messageAnswer,
})
