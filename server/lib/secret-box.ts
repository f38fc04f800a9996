import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto'

const NONCE_BYTES = 12
const TAG_BYTES = 16
const VERSION = 'v1'

/** Derives the key of one purpose from a master secret (HKDF-SHA256, RFC 5869); no two purposes share a key. */
export function deriveKey(master: string, purpose: string): Buffer {
  return Buffer.from(hkdfSync('sha256', master, 'tollgate', purpose, 32))
}

/** Encrypts secrets at rest with AES-256-GCM; the purpose is bound in, so a value cannot be moved to another field. */
export class SecretBox {
  readonly #master: string
  readonly #keys = new Map<string, Buffer>()

  constructor(master: string) {
    this.#master = master
  }

  /** `v1.<nonce>.<ciphertext+tag>`, base64url; "" stays "". */
  seal(purpose: string, plain: string): string {
    if (plain === '') return ''
    const nonce = randomBytes(NONCE_BYTES)
    const cipher = createCipheriv('aes-256-gcm', this.#key(purpose), nonce)
    const sealed = Buffer.concat([cipher.update(plain, 'utf8'), cipher.final(), cipher.getAuthTag()])
    return `${VERSION}.${nonce.toString('base64url')}.${sealed.toString('base64url')}`
  }

  /** @throws Error when the value was not sealed with this key and purpose */
  open(purpose: string, sealed: string): string {
    if (sealed === '') return ''
    const [version, nonce, data] = sealed.split('.')
    if (version !== VERSION || nonce === undefined || data === undefined) throw new Error(`not a sealed value (${purpose})`)
    const bytes = Buffer.from(data, 'base64url')
    const decipher = createDecipheriv('aes-256-gcm', this.#key(purpose), Buffer.from(nonce, 'base64url'))
    decipher.setAuthTag(bytes.subarray(-TAG_BYTES))
    return Buffer.concat([decipher.update(bytes.subarray(0, -TAG_BYTES)), decipher.final()]).toString('utf8')
  }

  #key(purpose: string): Buffer {
    let key = this.#keys.get(purpose)
    if (key === undefined) {
      key = deriveKey(this.#master, `seal:${purpose}`)
      this.#keys.set(purpose, key)
    }
    return key
  }
}

/** What the wire shows instead of a secret (additions.md): eight stars and the last four characters where useful. */
export function maskSecret(hint: string): string {
  return `********${hint}`
}

/** True for a value a form sent back unchanged: keep what is stored. */
export function isMask(value: string): boolean {
  return value.startsWith('********')
}
