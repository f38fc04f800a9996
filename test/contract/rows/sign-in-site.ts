import { createTestApp, type Answer, type TestApp, type TestUser } from '../../app.ts'
import { Browser } from '../../oidc/browser.ts'
import { realProvider, type ProviderAccount } from '../../oidc/real-provider.ts'
import { PASSKEY_SETTINGS, passkeyBrowser, type PasskeyBrowser } from '../../passkeys.ts'
import { smtpSink } from '../../smtp.ts'
import { deliverMails } from '../../../server/features/mail/service.ts'

const CALLBACK = 'http://localhost/auth/callback'

/** A site on which every way in is open, with what stands outside: mail, identity provider, captcha, authenticators. */
export interface SignInSite {
  readonly app: TestApp
  /** Before its first setup. */
  readonly fresh: TestApp
  readonly passkeys: PasskeyBrowser
  /** Settings that switch the captcha on; its service takes the token `right` once. */
  readonly captcha: Record<string, unknown>
  /** Somebody new, signed in; what is done to him matters to nobody else. */
  someone(): Promise<TestUser>
  post(path: string, body?: unknown, who?: TestUser): Promise<Answer>
  get(path: string, who?: TestUser): Promise<Answer>
  /** The code that a mail brought to an address after it was asked for. */
  codeFrom(path: string, email: string, who?: TestUser): Promise<string>
  /** A browser at this site, and where the provider sends it back to for the next authorization. */
  browser(): Browser
  authorize(url: string, account: ProviderAccount): Promise<string>
  /** Takes his password away. */
  withoutPassword(who: TestUser): Promise<void>
  /** Stores settings; answers what takes that back. */
  change(settings: Record<string, unknown>): Promise<Record<string, unknown>>
  close(): Promise<void>
}

/** Opens one. */
export async function openSignIn(): Promise<SignInSite> {
  const [sink, provider] = await Promise.all([smtpSink(), realProvider(CALLBACK)])
  const service = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    fetch: async (request) => Response.json({ success: new URLSearchParams(await request.text()).get('response') === 'right' }),
  })
  const app = await createTestApp({ settings: { ...sink.settings, ...provider.settings(CALLBACK), ...PASSKEY_SETTINGS } })
  const fresh = await createTestApp({ setUp: false })
  let people = 0
  const site: SignInSite = {
    app,
    fresh,
    passkeys: passkeyBrowser(() => app),
    captcha: {
      password_hcaptcha_enabled: true,
      hcaptcha_site_key: 'site-key',
      hcaptcha_secret: 'a secret',
      hcaptcha_verify_url: `http://127.0.0.1:${service.port}/siteverify`,
    },
    someone: () => app.user(`someone-${(people += 1)}`),
    post: (path, body, who) => app.api('POST', path, body, who?.token ?? null),
    get: (path, who) => app.api('GET', path, undefined, who?.token ?? null),
    async codeFrom(path, email, who) {
      const { status, body } = await site.post(path, { email }, who)
      if (status !== 200) throw new Error(JSON.stringify(body))
      await deliverMails(app.deps)
      return sink.codeFor(email) ?? ''
    },
    browser: () => new Browser(app, 'http://localhost'),
    async authorize(url, account) {
      provider.account = account
      const back = await provider.authorize(url)
      return `${back.pathname}${back.search}`
    },
    async withoutPassword({ id }) {
      await app.deps.db.query.updateTable('users').set({ password_hash: null }).where('id', '=', id).execute()
    },
    async change(settings) {
      const token = await app.admin()
      const now = (await app.api<Record<string, unknown>>('GET', '/api/settings', undefined, token)).body
      const { status, body } = await app.api('PUT', '/api/settings', settings, token)
      if (status !== 200) throw new Error(JSON.stringify(body))
      return Object.fromEntries(Object.keys(settings).map((key) => [key, now[key] ?? '']))
    },
    async close() {
      await Promise.all([app.close(), fresh.close(), provider.close(), sink.close(), service.stop(true)])
    },
  }
  return site
}
