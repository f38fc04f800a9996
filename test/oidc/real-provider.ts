import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Provider } from 'oidc-provider'

/** An account of the provider: what its claims say. */
export interface ProviderAccount {
  sub: string
  email?: string
  email_verified?: unknown
  name?: string
}

export interface RealProvider {
  readonly issuer: string
  /** Who the next authorization is for. */
  account: ProviderAccount
  /** Signs in at the provider, as a browser would, and returns the address it sends that browser back to. */
  authorize(url: string): Promise<URL>
  /** Settings of an application that trusts it. */
  settings(redirectUrl: string): Record<string, unknown>
  close(): Promise<void>
}

const CLIENT = { id: 'tollgate', secret: 'a secret of the client 0123456789' }

/** oidc-provider itself on this machine. It signs everybody in as `account`, without asking. */
export async function realProvider(
  redirectUrl: string,
  authMethod: 'client_secret_basic' | 'client_secret_post' = 'client_secret_basic',
): Promise<RealProvider> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const found: RealProvider = {
    issuer,
    account: { sub: 'nobody' },
    authorize: (url) => walk(url, redirectUrl),
    settings: (redirect) => ({
      oidc_enabled: true,
      oidc_issuer: issuer,
      oidc_client_id: CLIENT.id,
      oidc_client_secret: CLIENT.secret,
      oidc_redirect_url: redirect,
      ssrf_allowed_hosts: '127.0.0.1',
    }),
    close: () => stop(server),
  }
  const provider = new Provider(issuer, {
    clients: [
      {
        client_id: CLIENT.id,
        client_secret: CLIENT.secret,
        redirect_uris: [redirectUrl],
        response_types: ['code'],
        grant_types: ['authorization_code'],
        token_endpoint_auth_method: authMethod,
      },
    ],
    pkce: { required: () => true },
    claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name'] },
    findAccount: (_, id) => ({ accountId: id, claims: () => Promise.resolve({ ...found.account, sub: id }) }),
    features: { devInteractions: { enabled: false } },
    interactions: { url: (_, interaction) => `/interaction/${interaction.uid}` },
    cookies: { keys: ['only for tests'] },
  })
  const callback = provider.callback()
  server.on('request', (request, response) => {
    if (request.url?.startsWith('/interaction/') !== true) {
      void callback(request, response)
      return
    }
    void (async () => {
      const { params, prompt } = await provider.interactionDetails(request, response)
      if (prompt.name === 'login') {
        await provider.interactionFinished(request, response, { login: { accountId: found.account.sub } })
      } else {
        const grant = new provider.Grant({ accountId: found.account.sub, clientId: String(params['client_id']) })
        grant.addOIDCScope('openid email profile')
        await provider.interactionFinished(
          request,
          response,
          { consent: { grantId: await grant.save() } },
          { mergeWithLastSubmission: true },
        )
      }
    })().catch((error: unknown) => response.writeHead(500).end(String(error)))
  })
  return found
}

/** Follows the provider's redirects with its cookies until it sends the browser away. */
async function walk(start: string, home: string): Promise<URL> {
  const cookies = new Map<string, string>()
  let url = start
  for (let hop = 0; hop < 12; hop += 1) {
    const response = await fetch(url, { redirect: 'manual', headers: { cookie: [...cookies].map(([k, v]) => `${k}=${v}`).join('; ') } })
    for (const line of response.headers.getSetCookie()) {
      const [pair = ''] = line.split(';')
      cookies.set(pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1))
    }
    const location = response.headers.get('location')
    if (location === null) throw new Error(`the provider answered ${response.status}: ${(await response.text()).slice(0, 300)}`)
    const next = new URL(location, url)
    if (next.href.startsWith(home)) return next
    url = next.href
  }
  throw new Error('the provider redirects for ever')
}

function stop(server: Server): Promise<void> {
  server.closeAllConnections()
  return new Promise((resolve) => server.close(() => resolve()))
}
