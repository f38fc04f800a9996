import { createPublicKey } from 'node:crypto'
import { verifyAuthenticationResponse, verifyRegistrationResponse } from '@simplewebauthn/server'
import {
  COSEALG,
  decodeAttestationObject,
  decodeCredentialPublicKey,
  isoBase64URL,
  parseAuthenticatorData,
} from '@simplewebauthn/server/helpers'
import type { Assertion, Attestation } from '../../../contract/api/passkeys.ts'
import { AppError } from '../../../contract/errors.ts'
import { sha256Hex } from '../../lib/ids.ts'
import { ALGORITHMS, type RelyingParty } from './relying-party.ts'

/** Most bytes of a credential id (WebAuthn 4, "Credential ID"). */
const MAX_CREDENTIAL_ID = 1023
/** Labels of a COSE key (RFC 9053 7.1). */
const COSE_ALG = 3
const COSE_1 = -1
const COSE_2 = -2
const COSE_3 = -3
const CURVE_P256 = 1
/** 2048 bits; what is shorter can be factored. */
const MIN_RSA_BYTES = 256

type AuthenticatorData = ReturnType<typeof parseAuthenticatorData>
interface Asked {
  challenge: string
  party: RelyingParty
}

export { readClientData } from './client-data.ts'

/** The credential id of an answer. @throws AppError passkey_type | passkey_credential_id */
export function credentialIdOf({ id, rawId, type }: Pick<Assertion, 'id' | 'rawId' | 'type'>): string {
  if (type !== undefined && type !== null && type !== '' && type !== 'public-key') throw new AppError('passkey_type')
  if (rawId === '' || (id !== '' && id !== rawId)) throw new AppError('passkey_credential_id')
  if (!isoBase64URL.isBase64URL(rawId) || isoBase64URL.toBuffer(rawId).byteLength > MAX_CREDENTIAL_ID)
    throw new AppError('passkey_credential_id')
  return rawId
}

/**
 * Verifies what a passkey signed, by the library. Before it the same things are looked at one by one, so that each has
 * its own answer (contract.md 3.3); the library decides in the end.
 * @returns the new counter, which the caller stores only if it rose
 * @throws AppError passkey_authenticator_data | passkey_rp | passkey_presence | passkey_verification | passkey_counter | passkey_signature
 */
export async function verifyAssertion(
  answer: Assertion,
  stored: { credential_id: string; public_key: string; sign_count: number },
  { challenge, party }: Asked,
): Promise<number> {
  const data = parsed(() => parseAuthenticatorData(isoBase64URL.toBuffer(answer.response.authenticatorData)), 'passkey_authenticator_data')
  checkAuthenticator(data, party)
  if (data.counter <= stored.sign_count && (data.counter > 0 || stored.sign_count > 0)) throw new AppError('passkey_counter')
  const { verified, authenticationInfo } = await verifyAuthenticationResponse({
    response: {
      id: stored.credential_id,
      rawId: stored.credential_id,
      type: 'public-key',
      response: {
        clientDataJSON: answer.response.clientDataJSON,
        authenticatorData: answer.response.authenticatorData,
        signature: answer.response.signature,
      },
      clientExtensionResults: {},
    },
    expectedChallenge: challenge,
    expectedOrigin: party.origin,
    expectedRPID: party.id,
    credential: { id: stored.credential_id, publicKey: isoBase64URL.toBuffer(stored.public_key), counter: stored.sign_count },
    requireUserVerification: true,
  }).catch((cause: unknown) => {
    throw new AppError('passkey_signature', { cause })
  })
  if (!verified) throw new AppError('passkey_signature')
  return authenticationInfo.newCounter
}

/** A new credential, as it is stored. */
export interface NewCredential {
  credentialId: string
  /** COSE key, base64url. */
  publicKey: string
  signCount: number
}

/**
 * Verifies what a new passkey says of itself; who made the authenticator is not asked for (attestation `none`).
 * @throws AppError passkey_attestation | passkey_rp | passkey_presence | passkey_verification | passkey_mismatch |
 *   passkey_algorithm | passkey_curve | passkey_public_key
 */
export async function verifyAttestation(answer: Attestation, rawId: string, { challenge, party }: Asked): Promise<NewCredential> {
  const data = parsed(() => {
    const object = decodeAttestationObject(isoBase64URL.toBuffer(answer.response.attestationObject))
    return parseAuthenticatorData(object.get('authData'))
  }, 'passkey_attestation')
  checkAuthenticator(data, party)
  if (!data.credentialID || !data.credentialPublicKey)
    throw new AppError('passkey_attestation', { message: 'attestation object is missing auth data' })
  // The library alone accepts another id here (additions.md).
  if (isoBase64URL.fromBuffer(data.credentialID) !== rawId) throw new AppError('passkey_mismatch')
  checkPublicKey(data.credentialPublicKey)
  const { verified, registrationInfo } = await verifyRegistrationResponse({
    response: {
      id: rawId,
      rawId,
      type: 'public-key',
      response: { clientDataJSON: answer.response.clientDataJSON, attestationObject: answer.response.attestationObject },
      clientExtensionResults: {},
    },
    expectedChallenge: challenge,
    expectedOrigin: party.origin,
    expectedRPID: party.id,
    supportedAlgorithmIDs: ALGORITHMS,
    requireUserVerification: true,
  }).catch((cause: unknown) => {
    throw new AppError('passkey_attestation', { cause })
  })
  if (!verified) throw new AppError('passkey_attestation')
  const { credential } = registrationInfo
  return { credentialId: credential.id, publicKey: isoBase64URL.fromBuffer(credential.publicKey), signCount: credential.counter }
}

function checkAuthenticator({ rpIdHash, flags }: AuthenticatorData, party: RelyingParty): void {
  if (Buffer.from(rpIdHash).toString('hex') !== sha256Hex(party.id)) throw new AppError('passkey_rp')
  if (!flags.up) throw new AppError('passkey_presence')
  if (!flags.uv) throw new AppError('passkey_verification')
}

/** A key that could never verify anything, or that anybody could sign for, is refused before it is stored. */
function checkPublicKey(bytes: AuthenticatorData['credentialPublicKey'] & object): void {
  const key: unknown = parsed(() => decodeCredentialPublicKey(bytes), 'passkey_public_key')
  // The library reads whatever stands there, and calls it a key.
  if (!(key instanceof Map)) throw new AppError('passkey_public_key')
  const part = (label: number): string => {
    const value: unknown = key.get(label)
    if (!(value instanceof Uint8Array)) throw new AppError('passkey_public_key')
    return Buffer.from(value).toString('base64url')
  }
  const algorithm = key.get(COSE_ALG)
  if (algorithm === COSEALG.ES256) {
    if (key.get(COSE_1) !== CURVE_P256) throw new AppError('passkey_curve')
    // Throws for a point that is not on the curve.
    const jwk = { kty: 'EC', crv: 'P-256', x: part(COSE_2), y: part(COSE_3) }
    parsed(() => createPublicKey({ key: jwk, format: 'jwk' }), 'passkey_public_key')
  } else if (algorithm === COSEALG.RS256) {
    const jwk = { kty: 'RSA', n: part(COSE_1), e: part(COSE_2) }
    parsed(() => createPublicKey({ key: jwk, format: 'jwk' }), 'passkey_public_key')
    if (Buffer.from(jwk.n, 'base64url').byteLength < MIN_RSA_BYTES) throw new AppError('passkey_public_key')
  } else throw new AppError('passkey_algorithm')
}

/** The library's readers throw errors of many kinds on what they cannot read; each is the caller's fault. */
function parsed<T>(read: () => T, code: 'passkey_authenticator_data' | 'passkey_attestation' | 'passkey_public_key'): T {
  try {
    return read()
  } catch (cause) {
    throw new AppError(code, { cause })
  }
}
