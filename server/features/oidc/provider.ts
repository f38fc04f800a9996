import * as openid from 'openid-client'
import { z } from 'zod'
import { AppError } from '../../../contract/errors.ts'
import type { Deps } from '../../http/deps.ts'
import { isListedHost, OutboundBlocked } from '../../lib/outbound.ts'
import { readCapped } from '../../lib/read-capped.ts'

/** Contract.md 3.3. */
const SCOPE = 'openid profile email'
const TIMEOUT_SECONDS = 10
/** Larger than any discovery document, key set or token answer. */
const MAX_ANSWER_BYTES = 512 * 1024
/** A provider's keys and addresses change rarely; openid-client itself asks again for a key it does not know. */
const DISCOVERY_TTL_MS = 60 * 60_000
/** OpenID Connect Core 2: at most 255 ASCII characters. */
const MAX_SUBJECT = 255
const MAX_NAME = 200
const MAX_PICTURE = 2_000

export interface OidcConfig {
  issuer: string
  clientId: string
  clientSecret: string
  /** Fixed by the configuration, never by a request (W29). */
  redirectUrl: string
}

/** Who the provider says it is; only what is proven by a signed token or fetched with it. */
export interface Identity {
  issuer: string
  subject: string
  email: string | undefined
  /** The provider has verified the address: exactly `true`, not a text or a number that looks like it (W30). */
  emailVerified: boolean
  name: string | undefined
  picture: string | undefined
}

export interface Checks {
  state: string
  nonce: string
  verifier: string
}

/** How we tell the provider who we are. */
interface Auth {
  inBody: boolean
}

interface Known {
  config: OidcConfig
  auth: Auth
  client: openid.Configuration
  until: number
}

type ProviderDeps = Pick<Deps, 'settings' | 'oidcDefaults' | 'fetch' | 'clock' | 'log'>

/** The configured identity provider; keeps what it discovered. */
export class OidcProvider {
  readonly #deps: ProviderDeps
  #known: Known | undefined

  constructor(deps: ProviderDeps) {
    this.#deps = deps
  }

  /**
   * The settings, or where one is empty the environment.
   * @throws AppError oidc_disabled | oidc_unset
   */
  config(): OidcConfig {
    const { settings, oidcDefaults } = this.#deps
    if (!settings.bool('oidc_enabled')) throw new AppError('oidc_disabled')
    const base = settings.text('base_url').replace(/\/+$/, '')
    const config = {
      issuer: settings.text('oidc_issuer') || oidcDefaults.issuer,
      clientId: settings.text('oidc_client_id') || oidcDefaults.clientId,
      clientSecret: settings.text('oidc_client_secret') || oidcDefaults.clientSecret,
      redirectUrl: settings.text('oidc_redirect_url') || oidcDefaults.redirectUrl || (base === '' ? '' : `${base}/auth/callback`),
    }
    if (config.issuer === '' || config.clientId === '' || config.redirectUrl === '') throw new AppError('oidc_unset')
    return config
  }

  /**
   * Where to send the browser: state, nonce and PKCE always (W28).
   * @throws AppError oidc_disabled | oidc_unset | oidc_unavailable
   */
  async authorizationUrl(checks: Checks): Promise<string> {
    const config = this.config()
    const { client } = await this.#client(config)
    const parameters = {
      redirect_uri: config.redirectUrl,
      scope: SCOPE,
      state: checks.state,
      nonce: checks.nonce,
      code_challenge: await openid.calculatePKCECodeChallenge(checks.verifier),
      code_challenge_method: 'S256',
    }
    return openid.buildAuthorizationUrl(client, parameters).href
  }

  /**
   * What the provider says of itself, asked anew: for trying settings out.
   * @throws AppError oidc_disabled | oidc_unset | oidc_unavailable
   */
  async described(): Promise<{ issuer: string; redirectUrl: string; keysUrl: string | undefined }> {
    const config = this.config()
    const { issuer, jwks_uri: keysUrl } = (await this.#client(config)).client.serverMetadata()
    return { issuer, redirectUrl: config.redirectUrl, keysUrl }
  }

  /** Reads the provider's signing keys. @throws whatever keeps them from being read */
  async keys(url: string): Promise<number> {
    const response = await this.#fetch(url, { method: 'GET', headers: { accept: 'application/json' }, body: undefined, redirect: 'manual' })
    return keySet.parse(await response.json()).keys.length
  }

  /**
   * Exchanges the code and verifies what comes back: signature, issuer, audience, nonce, times.
   * @param query of the callback, without the question mark
   * @throws AppError oidc_disabled | oidc_unset | oidc_unavailable | oidc_failed
   */
  async identityOf(query: string, checks: Checks): Promise<Identity> {
    const config = this.config()
    const known = await this.#client(config)
    const { client } = known
    const current = new URL(config.redirectUrl)
    current.search = query
    try {
      const tokens = await exchange(known, current, checks)
      const claims = tokens.claims()
      if (!claims) throw new Error('no id_token')
      // OpenID Connect Core 3.1.3.7: also with a single audience, which openid-client leaves to us.
      if (claims['azp'] !== undefined && claims['azp'] !== config.clientId) throw new Error('the token was made for another client')
      // Many providers put the address into the user info only; that is bound to the token by its subject.
      const info =
        typeof claims['email'] === 'string' || client.serverMetadata().userinfo_endpoint === undefined
          ? {}
          : await openid.fetchUserInfo(client, tokens.access_token, claims.sub)
      return identity(claims.iss, { ...info, ...claims })
    } catch (cause) {
      throw new AppError('oidc_failed', { cause })
    }
  }

  async #client(config: OidcConfig): Promise<Known> {
    const known = this.#known
    const now = this.#deps.clock.monotonic()
    if (known && known.until > now && JSON.stringify(known.config) === JSON.stringify(config)) return known
    try {
      const auth: Auth = { inBody: false }
      const client = await this.#discover(config, auth)
      this.#known = { config, auth, client, until: now + DISCOVERY_TTL_MS }
      return this.#known
    } catch (cause) {
      throw new AppError('oidc_unavailable', {
        message: `initialize OIDC provider "${config.issuer}": it did not answer as it should`,
        cause,
      })
    }
  }

  async #discover({ issuer, clientId, clientSecret }: OidcConfig, auth: Auth): Promise<openid.Configuration> {
    const server = new URL(issuer)
    const plainHttp = server.protocol === 'http:' && isListedHost(this.#deps.settings, server)
    return openid.discovery(server, clientId, undefined, clientAuth(clientSecret, auth), {
      [openid.customFetch]: (url, options) => this.#fetch(url, options),
      timeout: TIMEOUT_SECONDS,
      // The signature counts also where the token came straight from the provider.
      execute: [openid.enableNonRepudiationChecks, ...(plainHttp ? [openid.allowInsecureRequests] : [])],
    })
  }

  /** Everything goes through the one way out; plain http only to hosts the owner lists, bodies only so large. */
  async #fetch(url: string, options: openid.CustomFetchOptions): Promise<Response> {
    const target = new URL(url)
    if (target.protocol !== 'https:' && !isListedHost(this.#deps.settings, target))
      throw new OutboundBlocked(`plain http to ${target.host} is not allowed; list the host in ssrf_allowed_hosts if it is meant`)
    const { method, headers, body, signal } = options
    const response = await this.#deps.fetch(url, {
      method,
      headers: Object.fromEntries(new Headers(headers)),
      ...(body === undefined || body === null ? {} : { body: await new Response(body as BodyInit).text() }),
      ...(signal ? { signal } : {}),
    })
    const bytes = await readCapped(response, MAX_ANSWER_BYTES)
    if (bytes === undefined) throw new Error(`the identity provider answered more than ${MAX_ANSWER_BYTES} bytes`)
    const empty = [204, 205, 304].includes(response.status)
    return new Response(empty ? null : bytes, { status: response.status, headers: response.headers })
  }
}

async function exchange({ client, auth }: Known, current: URL, checks: Checks) {
  const grant = () =>
    openid.authorizationCodeGrant(client, current, {
      expectedState: checks.state,
      expectedNonce: checks.nonce,
      pkceCodeVerifier: checks.verifier,
      idTokenExpected: true,
    })
  try {
    return await grant()
  } catch (error) {
    if (!refusesClient(error) || auth.inBody) throw error
    // The provider takes both ways but this client's registration only the other; it says so before it looks at the code.
    auth.inBody = true
    return grant()
  }
}

/** RFC 6749 5.2: a client that came with a header is refused with a challenge; some providers send the error alone. */
function refusesClient(error: unknown): boolean {
  if (error instanceof openid.WWWAuthenticateChallengeError) return true
  return error instanceof openid.ResponseBodyError && error.error === 'invalid_client'
}

/**
 * Tells the provider who we are: by header if it takes that, which is the standard's default, else in the body. Both are
 * formed by openid-client; only the choice, which needs the provider's metadata, is made here.
 */
function clientAuth(secret: string, auth: Auth): openid.ClientAuth {
  if (secret === '') return openid.None()
  const [basic, post] = [openid.ClientSecretBasic(secret), openid.ClientSecretPost(secret)]
  return (server, client, body, headers) => {
    const methods = server.token_endpoint_auth_methods_supported
    const byHeader = !auth.inBody && (methods === undefined || methods.includes('client_secret_basic'))
    return (byHeader ? basic : post)(server, client, body, headers)
  }
}

const keySet = z.object({ keys: z.array(z.object({ kty: z.string() })).min(1) })
const said = z.object({
  sub: z.string().min(1).max(MAX_SUBJECT),
  email: z.string().max(320).optional(),
  email_verified: z.unknown().optional(),
  name: z.string().optional().catch(undefined),
  picture: z.string().optional().catch(undefined),
})

function identity(issuer: string, claims: unknown): Identity {
  const { sub, email, email_verified: verified, name, picture } = said.parse(claims)
  return {
    issuer,
    subject: sub,
    email,
    emailVerified: verified === true && email !== undefined,
    name: name?.slice(0, MAX_NAME),
    picture: picture !== undefined && picture.length <= MAX_PICTURE && picture.startsWith('https://') ? picture : undefined,
  }
}
