import type { CreationOptions, PasskeyWire, RequestOptions } from '../contract/api/passkeys.ts'
import type { Answer, TestApp, TestUser } from './app.ts'
import { Authenticator } from './authenticator.ts'

export const ORIGIN = 'https://gate.example'
export const RP_ID = 'gate.example'
/** What a site needs for passkeys. */
export const PASSKEY_SETTINGS = { passkey_enabled: true, base_url: ORIGIN, site_name: 'Gate' }

export interface Failure {
  error: string
  code: string
}

/** A user's passkeys over HTTP, as a browser would. */
export interface PasskeyBrowser {
  createOptions(who: TestUser): Promise<{ challenge: string; rpId: string }>
  getOptions(identifier?: string): Promise<RequestOptions>
  register(who: TestUser, credential: object, name?: string): Promise<Answer<PasskeyWire & Failure>>
  login(credential: object): Promise<Answer<{ token: string } & Failure>>
  /** A passkey that is registered. */
  enrolled(who: TestUser): Promise<Authenticator>
}

/** `at` is asked anew each time: tests open their application after this is made. */
export function passkeyBrowser(at: () => TestApp): PasskeyBrowser {
  const browser: PasskeyBrowser = {
    async createOptions(who) {
      const path = '/api/user/passkeys/register/options'
      const { body } = await at().api<{ publicKey: CreationOptions }>('POST', path, undefined, who.token)
      return { challenge: body.publicKey.challenge, rpId: body.publicKey.rp.id }
    },
    async getOptions(identifier) {
      const path = '/auth/passkey/login/options'
      return (await at().api<{ publicKey: RequestOptions }>('POST', path, { identifier }, null)).body.publicKey
    },
    register(who, credential, name) {
      return at().api('POST', '/api/user/passkeys/register', { name, credential }, who.token)
    },
    login(credential) {
      return at().api('POST', '/auth/passkey/login', credential, null)
    },
    async enrolled(who) {
      const authenticator = new Authenticator(ORIGIN)
      const { status, body } = await browser.register(who, authenticator.create(await browser.createOptions(who)), 'made')
      if (status !== 200) throw new Error(JSON.stringify(body))
      return authenticator
    },
  }
  return browser
}

/** The user handle of the contract: the id in decimal. */
export function handleOf({ id }: TestUser): string {
  return Buffer.from(String(id)).toString('base64url')
}
