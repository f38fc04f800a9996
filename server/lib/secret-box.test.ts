import { expect, test } from 'bun:test'
import { deriveKey, SecretBox } from './secret-box.ts'

const SECRET = 'only for tests: 7Yw2pX9qKc4Zr8Vt1Nb6'
/** Purposes that are in use, and names that are nearly theirs. */
const PURPOSES = [
  'session',
  'Session',
  'setup-link',
  'setup-cookie',
  'passkey-decoy',
  'totp',
  'mail',
  'channel-key',
  'setting:smtp_password',
  '',
]

test('no key of one purpose is that of another, N x N, and none is the master secret (S10)', () => {
  const keys = PURPOSES.map((purpose) => deriveKey(SECRET, purpose).toString('hex'))
  expect(new Set(keys).size).toBe(PURPOSES.length)
  expect(keys).not.toContain(Buffer.from(SECRET).toString('hex'))
})

test('what was sealed for one purpose opens for no other, N x N (S10)', () => {
  const box = new SecretBox(SECRET)
  for (const made of PURPOSES) {
    const sealed = box.seal(made, 'a secret')
    for (const asked of PURPOSES) {
      if (asked === made) expect(box.open(asked, sealed)).toBe('a secret')
      else expect(() => box.open(asked, sealed)).toThrow()
    }
  }
})
