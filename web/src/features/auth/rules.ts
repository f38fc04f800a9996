import type { Translate } from '../../i18n/i18n.tsx'

/** The rules of contract.md 3.3, said before the server has to; bcrypt hashes see 72 bytes at most. */
const MIN_NAME = 3
const MIN_PASSWORD_BYTES = 8
const MAX_PASSWORD_BYTES = 72

/** Why a user name will not do, or undefined. */
export function usernameProblem(t: Translate, text: string): string | undefined {
  return text.trim().length < MIN_NAME ? t('auth.usernameShort') : undefined
}

/** Why an address will not do, or undefined. */
export function emailProblem(t: Translate, text: string): string | undefined {
  return /^[^@\s]+@[^@\s]+$/.test(text.trim()) ? undefined : t('auth.emailWrong')
}

/** Why a new password will not do, or undefined. */
export function passwordProblem(t: Translate, text: string): string | undefined {
  const bytes = new TextEncoder().encode(text).length
  if (bytes < MIN_PASSWORD_BYTES) return t('auth.passwordShort')
  return bytes > MAX_PASSWORD_BYTES ? t('auth.passwordLong') : undefined
}
