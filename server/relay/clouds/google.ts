import { importPKCS8, SignJWT } from 'jose'
import { z } from 'zod'
import { readBounded } from '../bounded.ts'
import type { Cloud, CloudDeps } from './index.ts'

/** A service account's key file, as Google's console gives it out (cloud.google.com/iam/docs/keys-create-delete). */
const accountSchema = z.object({
  client_email: z.string().min(1),
  private_key: z.string().min(1),
  private_key_id: z.string().optional(),
  token_uri: z.url().default('https://oauth2.googleapis.com/token'),
})
type Account = z.infer<typeof accountSchema>

const tokenSchema = z.object({ access_token: z.string().min(1), expires_in: z.number().positive() })

const SCOPE = 'https://www.googleapis.com/auth/cloud-platform'
const GRANT = 'urn:ietf:params:oauth:grant-type:jwt-bearer'
/** Google's longest lifetime of an assertion (developers.google.com/identity/protocols/oauth2/service-account). */
const ASSERTION_SECONDS = 3_600
/** A token is replaced this long before it ends, so that none ends under way. */
const EARLY_MS = 60_000
/** Accounts whose tokens are kept; a site has a handful. */
const MAX_ACCOUNTS = 1_000
/** A token answer is about a kilobyte. */
const MAX_TOKEN_BYTES = 64 * 1024

interface Kept {
  token: Promise<{ value: string; untilMs: number }>
}
/** Tokens by key file and by who sends: a test's site has its own. */
const tokens = new WeakMap<CloudDeps['fetch'], Map<string, Kept>>()

/** Google Cloud: an API key (express mode) in a header, or a service account's key file whose token goes along. */
export const toGoogle: Cloud = async (url, request, key, deps) => {
  if (!key.trimStart().startsWith('{'))
    return deps.fetch(url, { ...request, headers: { ...request.headers, ...(key !== '' && { 'x-goog-api-key': key }) } })
  const token = await tokenOf(key, deps, request.signal)
  if (token instanceof Response) return token
  const response = await deps.fetch(url, { ...request, headers: { ...request.headers, authorization: `Bearer ${token}` } })
  // Taken back before its time: the next call asks for a new one.
  if (response.status === 401) tokens.get(deps.fetch)?.delete(key)
  return response
}

/** A token for the account, asked for once at a time; or the answer of who refused it. */
async function tokenOf(key: string, deps: CloudDeps, signal: AbortSignal | undefined): Promise<string | Response> {
  const account = accountOf(key)
  if (!account) return refusal('The key is no service account key file: client_email or private_key is missing')
  let kept = tokens.get(deps.fetch)
  if (!kept) tokens.set(deps.fetch, (kept = new Map<string, Kept>()))
  const known = kept.get(key)
  try {
    if (known) {
      const { value, untilMs } = await known.token
      if (deps.clock.monotonic() < untilMs) return value
    }
    const asked: Kept = { token: ask(account, deps, signal) }
    if (kept.size >= MAX_ACCOUNTS) kept.clear()
    kept.set(key, asked)
    return (await asked.token).value
  } catch (error) {
    kept.delete(key)
    if (error instanceof TokenRefused) return refusal(error.message)
    throw error
  }
}

/** Google did not give a token for this key file. */
class TokenRefused extends Error {
  override readonly name = 'TokenRefused'
}

/** Trades a signed assertion for an access token (RFC 7523 section 2.1); `untilMs` is on the monotonic clock, as its life is a duration. */
async function ask(account: Account, deps: CloudDeps, signal: AbortSignal | undefined): Promise<{ value: string; untilMs: number }> {
  const askedMs = deps.clock.monotonic()
  const nowSeconds = Math.floor(deps.clock.now() / 1000)
  const signingKey = await importPKCS8(account.private_key, 'RS256').catch(() => {
    throw new TokenRefused('The private_key of the service account key file cannot be read')
  })
  const assertion = await new SignJWT({ scope: SCOPE })
    .setProtectedHeader({ alg: 'RS256', typ: 'JWT', ...(account.private_key_id && { kid: account.private_key_id }) })
    .setIssuer(account.client_email)
    .setAudience(account.token_uri)
    .setIssuedAt(nowSeconds)
    .setExpirationTime(nowSeconds + ASSERTION_SECONDS)
    .sign(signingKey)
  const response = await deps.fetch(account.token_uri, {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' },
    body: new URLSearchParams({ grant_type: GRANT, assertion }).toString(),
    ...(signal && { signal }),
  })
  const bytes = await readBounded(response, MAX_TOKEN_BYTES)
  // Google says invalid_grant, invalid_client and the like with 400 and 401 (RFC 6749 section 5.2).
  if (response.status >= 400 && response.status < 500)
    throw new TokenRefused(`Google gave no token for the service account (${response.status})`)
  const token = response.ok && bytes ? tokenSchema.safeParse(parsed(bytes)) : undefined
  if (!token?.success) throw new Error(`the token endpoint answered ${response.status} without a token`)
  return { value: token.data.access_token, untilMs: askedMs + token.data.expires_in * 1000 - EARLY_MS }
}

function accountOf(key: string): Account | undefined {
  return accountSchema.safeParse(parsed(new TextEncoder().encode(key))).data
}

function parsed(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes))
  } catch {
    return undefined
  }
}

/** What the upstream itself would answer to a bad key, so that it is told and counted as one. */
function refusal(message: string): Response {
  return Response.json({ error: { code: 401, status: 'UNAUTHENTICATED', type: 'authentication_error', message } }, { status: 401 })
}
