import { exportJWK, generateKeyPair, SignJWT, type JWK } from 'jose'

/** What a hostile answer is made of; each variant changes some of it. */
export interface Lie {
  /** Members of the discovery document; undefined removes one. */
  discovery?: Record<string, unknown>
  /** Instead of the discovery document. */
  discoveryAnswer?: () => Response
  /** Claims of the ID token; undefined removes one. */
  claims?: Record<string, unknown>
  /** Header of the ID token. */
  header?: Record<string, unknown>
  /** Makes the ID token of the honest one's parts. */
  token?: (honest: {
    header: Record<string, unknown>
    claims: Record<string, unknown>
    jwt: string
    keys: HostileKeys
  }) => string | Promise<string>
  /** Members of the token answer; undefined removes one. */
  answer?: Record<string, unknown>
  /** Instead of the token answer; undefined: the honest one after all. */
  tokenAnswer?: (asked: TokenRequest) => Response | undefined
  jwksAnswer?: () => Response
  userinfo?: Record<string, unknown>
  /** What the browser brings back besides code and state. */
  back?: Record<string, string>
}

/** How the application tells who it is, and what it asks for. */
export interface TokenRequest {
  authorization: string | null
  form: Record<string, string>
}

export interface HostileKeys {
  right: CryptoKey
  rightJwk: JWK
  other: CryptoKey
  otherJwk: JWK
}

export interface HostileProvider {
  readonly issuer: string
  lie: Lie
  /** Who an honest token would be for. */
  claims: Record<string, unknown>
  /** The nonce of the browser that is on its way. */
  nonce: string
  /** Codes that were presented at the token endpoint. */
  readonly presented: string[]
  readonly secret: string
  settings(redirectUrl: string): Record<string, unknown>
  close(): Promise<void>
}

const CLIENT_ID = 'tollgate'
const HOUR = 3_600

/** A provider that answers correctly, and then tells one lie. */
export async function hostileProvider(): Promise<HostileProvider> {
  const [right, other] = [await generateKeyPair('RS256', { extractable: true }), await generateKeyPair('RS256', { extractable: true })]
  const rightJwk: JWK = { ...(await exportJWK(right.publicKey)), kid: 'k1', alg: 'RS256', use: 'sig' }
  const otherJwk: JWK = { ...(await exportJWK(other.publicKey)), kid: 'k1', alg: 'RS256', use: 'sig' }
  const keys: HostileKeys = { right: right.privateKey, rightJwk, other: other.privateKey, otherJwk }
  const server = Bun.serve({ port: 0, hostname: '127.0.0.1', fetch: (request) => answer(new URL(request.url).pathname, request) })
  const issuer = `http://127.0.0.1:${server.port}`

  const provider: HostileProvider = {
    issuer,
    lie: {},
    claims: {},
    nonce: '',
    presented: [],
    secret: 'the secret of the client, 32 bytes and more',
    settings: (redirect) => ({
      oidc_enabled: true,
      oidc_issuer: issuer,
      oidc_client_id: CLIENT_ID,
      oidc_client_secret: provider.secret,
      oidc_redirect_url: redirect,
      ssrf_allowed_hosts: `127.0.0.1:${server.port}`,
    }),
    close: () => server.stop(true),
  }

  async function answer(path: string, request: Request): Promise<Response> {
    const { lie } = provider
    if (path === '/.well-known/openid-configuration')
      return (
        lie.discoveryAnswer?.() ??
        Response.json({
          issuer,
          authorization_endpoint: `${issuer}/authorize`,
          token_endpoint: `${issuer}/token`,
          jwks_uri: `${issuer}/jwks`,
          userinfo_endpoint: `${issuer}/userinfo`,
          response_types_supported: ['code'],
          subject_types_supported: ['public'],
          id_token_signing_alg_values_supported: ['RS256'],
          authorization_response_iss_parameter_supported: true,
          ...lie.discovery,
        })
      )
    if (path === '/jwks') return lie.jwksAnswer?.() ?? Response.json({ keys: [rightJwk] })
    if (path === '/userinfo') return Response.json(lie.userinfo ?? provider.claims)
    if (path !== '/token') return new Response(null, { status: 404 })
    const form = Object.fromEntries(new URLSearchParams(await request.text()))
    provider.presented.push(form['code'] ?? '')
    const told = lie.tokenAnswer?.({ authorization: request.headers.get('authorization'), form })
    if (told) return told
    return Response.json({ access_token: 'access', token_type: 'Bearer', expires_in: HOUR, id_token: await idToken(), ...lie.answer })
  }

  async function idToken(): Promise<string> {
    const { lie } = provider
    const now = Math.floor(performance.timeOrigin / 1000 + performance.now() / 1000)
    const honest = { iss: issuer, aud: CLIENT_ID, exp: now + HOUR, iat: now, nonce: provider.nonce, ...provider.claims }
    const claims = { ...honest, ...lie.claims }
    const header = { alg: 'RS256', kid: 'k1', typ: 'JWT', ...lie.header }
    const jwt = await new SignJWT(claims).setProtectedHeader({ alg: 'RS256', kid: 'k1' }).sign(right.privateKey)
    return lie.token === undefined ? jwt : lie.token({ header, claims, jwt, keys })
  }

  return provider
}
