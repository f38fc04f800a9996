import type { Answer, TestUser } from '../../app.ts'
import { Authenticator, b64, coseOf, UV, type Lies } from '../../authenticator.ts'
import { handleOf, ORIGIN, RP_ID } from '../../passkeys.ts'
import { filled, id, int, nullable, object, time } from '../fits.ts'
import { error, session, setupFirst, type SignInRow } from './sign-in.ts'
import type { SignInSite } from './sign-in-site.ts'

/** 2.16 */
const passkey = object({ id, name: filled, sign_count: int, last_used_at: nullable(time), created_at: time })
const descriptor = { type: 'public-key', id: filled }
const request = { challenge: filled, timeout: 60_000, rpId: RP_ID, allowCredentials: [descriptor] as const, userVerification: 'required' }
const off = { passkey_enabled: false }
const noParty = { base_url: '' }
const bytes = (value: string): Uint8Array => new TextEncoder().encode(value)
const point = b64(new Uint8Array(32).fill(1))

type Login = ReturnType<Authenticator['get']>
type Creation = ReturnType<Authenticator['create']>

const loginOptions = (site: SignInSite, body?: unknown): Promise<Answer> => site.post('/auth/passkey/login/options', body)
const creationOptions = async (site: SignInSite): Promise<Answer> =>
  site.post('/api/user/passkeys/register/options', undefined, await site.someone())

/** Signs in with a passkey that was just registered, and lies where it is told to. */
async function signIn(site: SignInSite, lies: Lies = {}, change: (honest: Login) => object = (honest) => honest): Promise<Answer> {
  const who = await site.someone()
  const authenticator = await site.passkeys.enrolled(who)
  return site.passkeys.login(change(authenticator.get(await site.passkeys.getOptions(), handleOf(who), lies)))
}
const lie = (says: string, lies: Lies) => error(says, (site) => signIn(site, lies))
const bent = (says: string, change: (honest: Login) => object) => error(says, (site) => signIn(site, {}, change))

/** Registers a passkey, and lies where it is told to. */
async function make(site: SignInSite, lies: Lies = {}, change: (honest: Creation) => object = (honest) => honest): Promise<Answer> {
  const who = await site.someone()
  const authenticator = new Authenticator(ORIGIN)
  return site.passkeys.register(who, change(authenticator.create(await site.passkeys.createOptions(who), lies)))
}
const made = (says: string, lies: Lies) => error(says, (site) => make(site, lies))
const bentMade = (says: string, change: (honest: Creation) => object) => error(says, (site) => make(site, {}, change))

/** With a challenge in hand, passkeys are switched off. */
async function tooLate(site: SignInSite, answer: (who: TestUser) => Promise<() => Promise<Answer>>): Promise<Answer> {
  const finish = await answer(await site.someone())
  const undo = await site.change(off)
  const result = await finish()
  await site.change(undo)
  return result
}

const disabled = 'passkey authentication is disabled'

/** Contract.md 3.3 and 3.6, passkeys; user verification is required where the contract prefers it (docs/api.md). */
export const passkeyRows: readonly SignInRow[] = [
  {
    at: 'POST /auth/passkey/login/options',
    access: 'public',
    answers: [
      { ask: (site) => loginOptions(site), gives: { publicKey: request } },
      { ask: (site) => loginOptions(site, 'no object'), gives: { publicKey: request } },
      {
        ask: async (site) => {
          const who = await site.someone()
          await site.passkeys.enrolled(who)
          return loginOptions(site, { identifier: who.username })
        },
        gives: { publicKey: request },
      },
      // The contract's `no passkey is available for this account` would tell that there is one (W21): docs/api.md.
      { ask: (site) => loginOptions(site, { identifier: 'nobody' }), gives: { publicKey: request } },
    ],
    errors: [
      setupFirst('POST', '/auth/passkey/login/options'),
      error(disabled, (site) => loginOptions(site), off),
      error('Passkey relying party is not configured', (site) => loginOptions(site), noParty),
    ],
  },
  {
    at: 'POST /auth/passkey/login',
    access: 'public',
    answers: [{ ask: (site) => signIn(site), gives: session }],
    errors: [
      setupFirst('POST', '/auth/passkey/login', { id: 'AA', rawId: 'AA', response: { clientDataJSON: '' } }),
      error(disabled, (site) =>
        tooLate(site, async (who) => {
          const authenticator = await site.passkeys.enrolled(who)
          const credential = authenticator.get(await site.passkeys.getOptions(), handleOf(who))
          return () => site.passkeys.login(credential)
        }),
      ),
      bent('invalid credential type', (honest) => ({ ...honest, type: 'password' })),
      lie('invalid client data', { clientData: { origin: 7 } }),
      lie('invalid passkey login response', { type: 'webauthn.create' }),
      lie('challenge is required', { challenge: '' }),
      lie('invalid or expired passkey challenge', { challenge: b64(new Uint8Array(32)) }),
      lie('invalid passkey origin', { origin: 'https://evil.example' }),
      bent('invalid credential id', (honest) => ({ ...honest, id: '', rawId: '' })),
      bent('passkey not found', (honest) => ({ ...honest, id: b64(bytes('x')), rawId: b64(bytes('x')) })),
      bent('passkey does not belong to this account', (honest) => ({
        ...honest,
        response: { ...honest.response, userHandle: b64(bytes('999999')) },
      })),
      lie('invalid authenticator data', { tail: new Uint8Array([0]) }),
      lie('invalid passkey relying party', { rpId: 'evil.example' }),
      lie('passkey user presence is required', { flags: UV }),
      // The contract's `invalid signature`, of one that cannot be decoded, says the same here.
      bent('invalid passkey signature', (honest) => ({ ...honest, response: { ...honest.response, signature: b64(bytes('none')) } })),
      error('invalid or expired passkey challenge', async (site) => {
        const who = await site.someone()
        const authenticator = await site.passkeys.enrolled(who)
        const credential = authenticator.get(await site.passkeys.getOptions(), handleOf(who))
        site.app.clock.advance(5 * 60_000 + 1)
        return site.passkeys.login(credential)
      }),
    ],
  },
  {
    at: 'GET /api/user/passkeys',
    access: 'user',
    answers: [
      {
        ask: async (site) => {
          const who = await site.someone()
          await site.passkeys.enrolled(who)
          return site.get('/api/user/passkeys', who)
        },
        gives: [passkey],
      },
      {
        ask: async (site) => site.get('/api/user/passkeys', await site.someone()),
        gives: (list) => (JSON.stringify(list) === '[]' ? undefined : 'somebody has passkeys that he never made'),
      },
    ],
    errors: [],
  },
  {
    at: 'POST /api/user/passkeys/register/options',
    access: 'user',
    answers: [
      {
        ask: creationOptions,
        gives: {
          publicKey: {
            challenge: filled,
            rp: { name: 'Gate', id: RP_ID },
            user: { id: filled, name: filled, displayName: filled },
            pubKeyCredParams: (value) =>
              JSON.stringify(value) === '[{"type":"public-key","alg":-7},{"type":"public-key","alg":-257}]'
                ? undefined
                : `${JSON.stringify(value)} are not ES256 and RS256`,
            timeout: 60_000,
            attestation: 'none',
            excludeCredentials: [descriptor],
            authenticatorSelection: { userVerification: 'required', residentKey: 'preferred' },
          },
        },
      },
    ],
    errors: [error(disabled, creationOptions, off), error('Passkey relying party is not configured', creationOptions, noParty)],
  },
  {
    at: 'POST /api/user/passkeys/register',
    access: 'user',
    answers: [{ ask: (site) => make(site), gives: { ...passkey, name: 'Passkey', last_used_at: null } }],
    errors: [
      error(disabled, (site) =>
        tooLate(site, async (who) => {
          const credential = new Authenticator(ORIGIN).create(await site.passkeys.createOptions(who))
          return () => site.passkeys.register(who, credential)
        }),
      ),
      bentMade('invalid credential type', (honest) => ({ ...honest, type: 'password' })),
      made('invalid client data', { clientData: { origin: 7 } }),
      made('invalid passkey registration response', { type: 'webauthn.get' }),
      made('challenge is required', { challenge: '' }),
      made('invalid or expired passkey challenge', { challenge: b64(new Uint8Array(32)) }),
      made('invalid passkey origin', { origin: 'https://evil.example' }),
      bentMade('invalid attestation object', (honest) => ({ ...honest, response: { ...honest.response, attestationObject: '' } })),
      made('invalid passkey relying party', { rpId: 'evil.example' }),
      made('passkey user presence is required', { flags: UV }),
      made('credential id mismatch', { attestedId: bytes('another credential') }),
      made('unsupported passkey public key algorithm', { cose: coseOf(point, point, { alg: -8, crv: 6, kty: 1 }) }),
      made('unsupported passkey elliptic curve', { cose: coseOf(point, point, { crv: 2 }) }),
      made('invalid credential public key', { cose: coseOf(point, point) }),
      // The contract has the database's own words.
      error(
        'This passkey is registered already',
        async (site) => {
          const who = await site.someone()
          const authenticator = await site.passkeys.enrolled(who)
          return site.passkeys.register(who, authenticator.create(await site.passkeys.createOptions(who)))
        },
        undefined,
        409,
      ),
    ],
  },
  {
    at: 'DELETE /api/user/passkeys/:id',
    access: 'user',
    answers: [
      {
        ask: async (site) => {
          const who = await site.someone()
          await site.passkeys.enrolled(who)
          const [first] = (await site.get('/api/user/passkeys', who)).body as { id: number }[]
          return site.app.api('DELETE', `/api/user/passkeys/${first?.id}`, undefined, who.token)
        },
        gives: { message: 'Passkey deleted' },
      },
    ],
    errors: [
      error(
        'Passkey not found',
        async (site) => site.app.api('DELETE', '/api/user/passkeys/999999', undefined, (await site.someone()).token),
        undefined,
        404,
      ),
    ],
  },
]
