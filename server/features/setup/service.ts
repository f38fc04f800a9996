import { AppError } from '../../../contract/errors.ts'
import type { BareUserWire } from '../../../contract/api/users.ts'
import type { SettingKey } from '../../../contract/settings.ts'
import type { Deps } from '../../http/deps.ts'
import { hashPassword, MAX_PASSWORD_BYTES, MIN_PASSWORD_BYTES } from '../../lib/passwords.ts'
import { recordAudit } from '../audit/service.ts'
import { openSession, signedInAs, type Browser } from '../auth/service.ts'
import { setFlagOnce, storeSettings } from '../settings/service.ts'
import { createUser } from '../users/service.ts'
import { setupRequired } from './state.ts'

export interface SetupInput {
  site_name: string
  username: string
  email: string
  password: string
}

const MAX_SITE_NAME = 80
const MIN_USERNAME = 3
const MAX_USERNAME = 100
const MAX_EMAIL = 100

/**
 * The one setup: owner, site name and sign-in settings in one transaction. Whoever sets the flag first wins; its unique
 * key decides on both engines, however many try at once.
 * @throws AppError setup_complete | bad_request
 */
export async function setUp(deps: Deps, input: SetupInput, browser: Browser): Promise<{ token: string; user: BareUserWire }> {
  if (!(await setupRequired(deps))) throw new AppError('setup_complete')
  const siteName = input.site_name.trim()
  if (siteName === '') throw refusal('site name is required', 'site_name')
  if (siteName.length > MAX_SITE_NAME) throw refusal('site name is too long', 'site_name')
  const { username, email } = checkNames(input)
  checkPassword(input.password)
  const passwordHash = await hashPassword(input.password)
  const now = deps.clock.now()
  const { user, sessionId } = await deps.db.query.transaction().execute(async (tx) => {
    if (!(await setFlagOnce(tx, 'installation.setup_completed', now))) throw new AppError('setup_complete')
    const owner = await createUser(tx, { username, email, emailVerified: true, passwordHash, role: 'owner', referrerId: null }, now)
    const values = new Map<SettingKey, string>([
      ['site_name', siteName],
      ['oidc_enabled', 'false'],
      ['password_login_enabled', 'true'],
      ['password_registration_enabled', 'true'],
    ])
    await storeSettings({ tx, secrets: deps.secrets, now }, values)
    await recordAudit(tx, {
      actorUserId: owner.id,
      action: 'setup',
      objectType: 'installation',
      objectId: '',
      after: { site_name: siteName, username, email },
      ip: browser.ip,
      now,
    })
    return { user: owner, sessionId: await openSession(tx, owner.id, browser, now) }
  })
  await deps.changes.publish({ type: 'settings' })
  return signedInAs(deps, user, sessionId, now)
}

/** User name and e-mail as they are stored. @throws AppError bad_request with the contract's texts */
export function checkNames(input: { username: string; email: string }): { username: string; email: string } {
  const username = input.username.trim().slice(0, MAX_USERNAME)
  if (username === '') throw refusal('username is required', 'username')
  if (username.length < MIN_USERNAME) throw refusal('username is too short', 'username')
  return { username, email: checkEmail(input.email) }
}

/**
 * An address as it is stored, in lower case. Characters with a meaning in mail headers are refused: `x<victim@a.example`
 * would be sent to somebody else.
 * @throws AppError bad_request
 */
export function checkEmail(text: string): string {
  const email = text.trim().toLowerCase()
  if (!/^[^\s@<>()[\],;:\\"]+@[^\s@<>()[\],;:\\"]+$/.test(email)) throw refusal('valid email is required', 'email')
  if (email.length > MAX_EMAIL) throw refusal('email is too long', 'email')
  return email
}

/** @throws AppError bad_request */
export function checkPassword(password: string): void {
  const bytes = Buffer.byteLength(password)
  if (bytes < MIN_PASSWORD_BYTES) throw refusal('password must be at least 8 characters', 'password')
  if (bytes > MAX_PASSWORD_BYTES) throw refusal(`password must be at most ${MAX_PASSWORD_BYTES} bytes`, 'password')
}

function refusal(message: string, param: string): AppError {
  return new AppError('bad_request', { message, param })
}
