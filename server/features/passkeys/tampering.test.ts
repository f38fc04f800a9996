import { createHash, generateKeyPairSync, sign } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'bun:test'
import { isoCBOR } from '@simplewebauthn/server/helpers'
import type { PasskeyWire, RequestOptions } from '../../../contract/api/passkeys.ts'
import { createTestApp, type TestApp, type TestUser } from '../../../test/app.ts'
import { Authenticator, b64, concat, coseOf, rsaCoseOf, UP, UV, type Lies } from '../../../test/authenticator.ts'
import { handleOf, ORIGIN, PASSKEY_SETTINGS, passkeyBrowser, RP_ID, type Failure } from '../../../test/passkeys.ts'

let app: TestApp
let user: TestUser
let other: TestUser
beforeAll(async () => {
  app = await createTestApp({ settings: PASSKEY_SETTINGS })
  user = await app.user('ada')
  other = await app.user('bob')
})
afterAll(() => app.close())
// Limits are a minute's.
beforeEach(() => app.clock.advance(61_000))

const { createOptions, getOptions, register, login, enrolled } = passkeyBrowser(() => app)
const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'base64url'))

describe('40 answers that were tampered with (S9)', () => {
  const { publicKey: rsa } = generateKeyPairSync('rsa', { modulusLength: 1024 })
  const short = rsa.export({ format: 'jwk' })
  const text = (value: string): Uint8Array => new TextEncoder().encode(value)
  const point = b64(new Uint8Array(32).fill(1))

  const es256: [number, number][] = [
    [1, 2],
    [3, -7],
    [-1, 1],
  ]
  /** Of another key, over something else. */
  const foreign = sign('sha256', text('something else'), generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey)

  const common: [string, Lies, string][] = [
    ['another origin', { origin: 'https://evil.example' }, 'passkey_origin'],
    ['the origin over http', { origin: 'http://gate.example' }, 'passkey_origin'],
    ['a subdomain', { origin: 'https://a.gate.example' }, 'passkey_origin'],
    ['another port', { origin: 'https://gate.example:8443' }, 'passkey_origin'],
    ['an origin that begins alike', { origin: 'https://gate.example.evil.example' }, 'passkey_origin'],
    ['inside a foreign page', { clientData: { crossOrigin: true } }, 'passkey_origin'],
    ['a top origin', { clientData: { topOrigin: 'https://evil.example' } }, 'passkey_origin'],
    ['another relying party', { rpId: 'evil.example' }, 'passkey_rp'],
    ['a wider relying party', { rpId: 'example' }, 'passkey_rp'],
    ['not touched', { flags: UV }, 'passkey_presence'],
    ['not unlocked', { flags: UP }, 'passkey_verification'],
    ['neither', { flags: 0 }, 'passkey_presence'],
    ['no challenge', { challenge: '' }, 'passkey_challenge_missing'],
    ['a made-up challenge', { challenge: b64(new Uint8Array(32)) }, 'passkey_challenge'],
    ['client data that is no object', { clientData: { origin: 7 } }, 'passkey_client_data'],
  ]

  const atLogin: [string, Lies | ((honest: ReturnType<Authenticator['get']>) => object), string][] = [
    ...common,
    ['the other ceremony', { type: 'webauthn.create' }, 'passkey_ceremony'],
    ['a counter that stands', { counter: 9 }, 'passkey_counter'],
    ['a counter that went back', { counter: 8 }, 'passkey_counter'],
    ['a counter of 0 after one of 9', { counter: 0 }, 'passkey_counter'],
    ['bytes behind', { tail: new Uint8Array([0]) }, 'passkey_authenticator_data'],
    ['extensions that are promised and missing', { flags: UP | UV | 0x80 }, 'passkey_authenticator_data'],
    ['extensions of endless CBOR', { flags: UP | UV | 0x80, tail: new Uint8Array([0xbf, 0xff]) }, 'passkey_authenticator_data'],
    [
      'another user’s handle',
      (honest) => ({ ...honest, response: { ...honest.response, userHandle: handleOf(other) } }),
      'passkey_foreign',
    ],
    ['another type', (honest) => ({ ...honest, type: 'password' }), 'passkey_type'],
    ['another id than rawId', (honest) => ({ ...honest, id: b64(text('other')) }), 'passkey_credential_id'],
    ['an id that is no base64url', (honest) => ({ ...honest, id: 'a+/b', rawId: 'a+/b' }), 'passkey_credential_id'],
    [
      'an id of 1,024 bytes',
      (honest) => ({ ...honest, id: b64(new Uint8Array(1_024)), rawId: b64(new Uint8Array(1_024)) }),
      'passkey_credential_id',
    ],
    ['the longest id, of nobody', (honest) => ({ ...honest, id: '', rawId: b64(new Uint8Array(1_023)) }), 'passkey_unknown'],
    [
      'client data that is no base64url',
      (honest) => ({ ...honest, response: { ...honest.response, clientDataJSON: '{"type":"webauthn.get"}' } }),
      'passkey_client_data',
    ],
    [
      'client data that is no JSON',
      (honest) => ({ ...honest, response: { ...honest.response, clientDataJSON: b64(text('{"type"')) } }),
      'passkey_client_data',
    ],
    ['no id', (honest) => ({ ...honest, id: '', rawId: '' }), 'passkey_credential_id'],
    ['an unknown credential', (honest) => ({ ...honest, id: b64(text('x')), rawId: b64(text('x')) }), 'passkey_unknown'],
    [
      'authenticator data cut short',
      (honest) => ({ ...honest, response: { ...honest.response, authenticatorData: honest.response.authenticatorData.slice(0, 40) } }),
      'passkey_authenticator_data',
    ],
    ['no signature', (honest) => ({ ...honest, response: { ...honest.response, signature: '' } }), 'passkey_signature'],
    [
      'a signature of something else',
      (honest) => ({
        ...honest,
        response: { ...honest.response, signature: b64(concat(bytes(honest.response.signature).slice(0, -1), new Uint8Array([1]))) },
      }),
      'passkey_signature',
    ],
    [
      'client data changed after signing',
      (honest) => ({
        ...honest,
        response: {
          ...honest.response,
          clientDataJSON: b64(text(`${Buffer.from(honest.response.clientDataJSON, 'base64url').toString()} `)),
        },
      }),
      'passkey_signature',
    ],
  ]

  const atRegistration: [string, Lies | ((honest: ReturnType<Authenticator['create']>) => object), string][] = [
    ...common,
    ['the other ceremony', { type: 'webauthn.get' }, 'passkey_ceremony'],
    ['an attested id that is not rawId', { attestedId: text('another credential') }, 'passkey_mismatch'],
    ['EdDSA', { cose: coseOf(point, point, { alg: -8, crv: 6, kty: 1 }) }, 'passkey_algorithm'],
    ['P-384', { cose: coseOf(point, point, { crv: 2 }) }, 'passkey_curve'],
    ['a point that is not on the curve', { cose: coseOf(point, point) }, 'passkey_public_key'],
    ['an RSA key of 1024 bits', { cose: rsaCoseOf(short.n ?? '', short.e ?? '') }, 'passkey_public_key'],
    [
      'a point whose half is a number',
      { cose: isoCBOR.encode(new Map<number, unknown>([...es256, [-2, 7], [-3, bytes(point)]]) as never) },
      'passkey_public_key',
    ],
    [
      'a point with one half',
      { cose: isoCBOR.encode(new Map<number, unknown>([...es256, [-2, bytes(point)]]) as never) },
      'passkey_public_key',
    ],
    ['a key that is a text', { cose: new Uint8Array([0x61, 0x78]) }, 'passkey_public_key'],
    ['a key cut short', { cose: new Uint8Array([0xa5, 0x01]) }, 'passkey_attestation'],
    ['a key of endless CBOR', { cose: new Uint8Array([0xbf, 0x01, 0x02, 0xff]) }, 'passkey_attestation'],
    ['bytes behind', { tail: new Uint8Array([0]) }, 'passkey_attestation'],
    ['an unknown format', { fmt: 'mine' }, 'passkey_attestation'],
    ['a statement where none may be', { attStmt: new Map([['sig', new Uint8Array(64)]]) }, 'passkey_attestation'],
    [
      'CBOR that says it is gigabytes',
      (honest) => ({ ...honest, response: { ...honest.response, attestationObject: b64(new Uint8Array([0x5a, 0xff, 0xff, 0xff, 0xff])) } }),
      'passkey_attestation',
    ],
    [
      'CBOR 14,000 levels deep',
      (honest) => ({ ...honest, response: { ...honest.response, attestationObject: b64(new Uint8Array(14_000).fill(0x81)) } }),
      'passkey_attestation',
    ],
    [
      'a statement signed by another key',
      {
        fmt: 'packed',
        attStmt: new Map<string, unknown>([
          ['alg', -7],
          ['sig', new Uint8Array(foreign)],
        ]),
      },
      'passkey_attestation',
    ],
    [
      'authenticator data without a credential',
      (honest) => ({
        ...honest,
        response: {
          ...honest.response,
          attestationObject: b64(
            isoCBOR.encode(
              new Map<string, unknown>([
                ['fmt', 'none'],
                ['attStmt', new Map()],
                ['authData', concat(new Uint8Array(createHash('sha256').update(RP_ID).digest()), new Uint8Array([UP | UV, 0, 0, 0, 0]))],
              ]) as never,
            ),
          ),
        },
      }),
      'passkey_attestation',
    ],
    ['no object', (honest) => ({ ...honest, response: { ...honest.response, attestationObject: '' } }), 'passkey_attestation'],
  ]

  test('are refused at sign-in, each with its own reason', async () => {
    const who = await app.user('tampered')
    const authenticator = await enrolled(who)
    expect((await login(authenticator.get(await getOptions(), handleOf(who), { counter: 9 }))).status).toBe(200)
    const seen: string[] = []
    for (const [name, lie] of atLogin) {
      const options = await getOptions()
      const lies = typeof lie === 'function' ? { counter: 10 } : { counter: 10, ...lie }
      const honest = authenticator.get(options, handleOf(who), lies)
      const { status, body } = await login(typeof lie === 'function' ? lie(honest) : honest)
      seen.push(`${name}: ${status} ${body.code}`)
    }
    expect(seen).toEqual(atLogin.map(([name, , code]) => `${name}: 400 ${code}`))
    expect((await login(authenticator.get(await getOptions(), handleOf(who), { counter: 10 }))).status).toBe(200)
  })

  test('are refused where an open session confirms with a passkey, and it is as stale as before', async () => {
    const who = await app.user('confirms')
    const authenticator = await enrolled(who)
    const confirm = (credential: object) => app.api<Failure>('POST', '/api/user/reauth', { credential }, who.token)
    const options = async () => {
      const { body } = await app.api<{ publicKey: RequestOptions }>('POST', '/api/user/reauth/options', undefined, who.token)
      return body.publicKey
    }
    expect((await confirm(authenticator.get(await options(), handleOf(who), { counter: 9 }))).status).toBe(200)
    app.clock.advance(10 * 60_000)
    const seen: string[] = []
    for (const [name, lie] of atLogin) {
      const lies = typeof lie === 'function' ? { counter: 10 } : { counter: 10, ...lie }
      const honest = authenticator.get(await options(), handleOf(who), lies)
      const { status, body } = await confirm(typeof lie === 'function' ? lie(honest) : honest)
      seen.push(`${name}: ${status} ${body.code}`)
    }
    expect(seen).toEqual(atLogin.map(([name, , code]) => `${name}: 400 ${code}`))
    expect((await app.api<Failure>('POST', '/api/user/second-factor/totp', undefined, who.token)).body.code).toBe('step_up_required')
  })

  test('are refused at registration, and nothing is stored', async () => {
    const who = await app.user('forger')
    const seen: string[] = []
    for (const [name, lie] of atRegistration) {
      const authenticator = new Authenticator(ORIGIN)
      const honest = authenticator.create(await createOptions(who), typeof lie === 'function' ? {} : lie)
      const { status, body } = await register(who, typeof lie === 'function' ? lie(honest) : honest)
      seen.push(`${name}: ${status} ${body.code}`)
    }
    expect(seen).toEqual(atRegistration.map(([name, , code]) => `${name}: 400 ${code}`))
    expect((await app.api<PasskeyWire[]>('GET', '/api/user/passkeys', undefined, who.token)).body).toEqual([])
    expect(atLogin.length + atRegistration.length).toBeGreaterThanOrEqual(40)
  })

  test('a credential is registered once, whoever tries', async () => {
    const authenticator = await enrolled(user)
    const again = await register(other, authenticator.create(await createOptions(other)))
    expect([again.status, again.body.code]).toEqual([409, 'passkey_exists'])
  })
})
