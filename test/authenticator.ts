import { createHash, generateKeyPairSync, randomBytes, sign, type KeyObject } from 'node:crypto'
import { isoCBOR } from '@simplewebauthn/server/helpers'

/** Flags of authenticator data (WebAuthn 6.1). */
export const UP = 0x01
export const UV = 0x04
const AT = 0x40
const COUNTER_BYTES = 4

interface Options {
  challenge: string
  rpId: string
}

/** What a tamper case changes of an honest answer, before it is signed. */
export interface Lies {
  type?: string
  origin?: string
  challenge?: string
  rpId?: string
  flags?: number
  counter?: number
  clientData?: Record<string, unknown>
  /** Replaces the COSE key of a registration. */
  cose?: Uint8Array
  /** Appended to the authenticator data. */
  tail?: Uint8Array
  /** Replaces the id inside the authenticator data. */
  attestedId?: Uint8Array
  fmt?: string
  attStmt?: Map<string, unknown>
}

/** An authenticator in software that keeps one passkey, and lies when it is told to. */
export class Authenticator {
  readonly id: Uint8Array = new Uint8Array(randomBytes(32))
  readonly #origin: string
  #counter = 0
  readonly #key: KeyObject
  readonly cose: Uint8Array

  constructor(origin: string, algorithm: 'ES256' | 'RS256' = 'ES256') {
    this.#origin = origin
    const { publicKey, privateKey } =
      algorithm === 'ES256' ? generateKeyPairSync('ec', { namedCurve: 'P-256' }) : generateKeyPairSync('rsa', { modulusLength: 2048 })
    this.#key = privateKey
    const { x = '', y = '', n = '', e = '' } = publicKey.export({ format: 'jwk' })
    this.cose = algorithm === 'ES256' ? coseOf(x, y) : rsaCoseOf(n, e)
  }

  get rawId(): string {
    return b64(this.id)
  }

  /** Answers `navigator.credentials.create()`. */
  create({ challenge, rpId }: Options, lies: Lies = {}) {
    const clientDataJSON = this.#clientData('webauthn.create', challenge, lies)
    const id = lies.attestedId ?? this.id
    const length = new Uint8Array([id.byteLength >> 8, id.byteLength & 255])
    const data = concat(
      this.#head(rpId, (lies.flags ?? UP | UV) | AT, lies),
      new Uint8Array(16),
      length,
      id,
      lies.cose ?? this.cose,
      lies.tail ?? new Uint8Array(),
    )
    const object = new Map<string, unknown>([
      ['fmt', lies.fmt ?? 'none'],
      ['attStmt', lies.attStmt ?? new Map()],
      ['authData', data],
    ])
    return {
      id: this.rawId,
      rawId: this.rawId,
      type: 'public-key',
      response: { clientDataJSON: b64(clientDataJSON), attestationObject: b64(isoCBOR.encode(object as never)) },
    }
  }

  /** Answers `navigator.credentials.get()`. */
  get({ challenge, rpId }: Options, userHandle: string, lies: Lies = {}) {
    this.#counter += 1
    const clientDataJSON = this.#clientData('webauthn.get', challenge, lies)
    const data = concat(this.#head(rpId, lies.flags ?? UP | UV, lies), lies.tail ?? new Uint8Array())
    const signature = sign('sha256', concat(data, sha256(clientDataJSON)), this.#key)
    return {
      id: this.rawId,
      rawId: this.rawId,
      type: 'public-key',
      response: {
        clientDataJSON: b64(clientDataJSON),
        authenticatorData: b64(data),
        signature: b64(new Uint8Array(signature)),
        userHandle,
      },
    }
  }

  #clientData(type: string, challenge: string, lies: Lies): Uint8Array {
    const data = {
      type: lies.type ?? type,
      challenge: lies.challenge ?? challenge,
      origin: lies.origin ?? this.#origin,
      crossOrigin: false,
    }
    return new TextEncoder().encode(JSON.stringify({ ...data, ...lies.clientData }))
  }

  #head(rpId: string, flags: number, lies: Lies): Uint8Array {
    const counter = new Uint8Array(COUNTER_BYTES)
    new DataView(counter.buffer).setUint32(0, lies.counter ?? this.#counter)
    return concat(sha256(new TextEncoder().encode(lies.rpId ?? rpId)), new Uint8Array([flags]), counter)
  }
}

const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'base64url'))

/** A COSE key of RSA, for RS256: modulus and exponent. */
export function rsaCoseOf(n: string, e: string): Uint8Array {
  const key = new Map<number, unknown>([
    [1, 3],
    [3, -257],
    [-1, bytes(n)],
    [-2, bytes(e)],
  ])
  return isoCBOR.encode(key as never)
}

/** A COSE key: ES256 on P-256 unless told otherwise. */
export function coseOf(x: string, y: string, { alg = -7, crv = 1, kty = 2 } = {}): Uint8Array {
  const key = new Map<number, unknown>([
    [1, kty],
    [3, alg],
    [-1, crv],
    [-2, bytes(x)],
    [-3, bytes(y)],
  ])
  return isoCBOR.encode(key as never)
}

export function b64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64url')
}

function sha256(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(createHash('sha256').update(bytes).digest())
}

export function concat(...parts: Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts))
}
