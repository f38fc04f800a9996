import { AppError } from '../../../contract/errors.ts'
import type { Database } from '../../db/open.ts'
import type { Role } from '../../http/caller.ts'
import type { Deps } from '../../http/deps.ts'
import { recordAudit } from '../audit/service.ts'
import { auditBootstrap, isBootstrapAdmin, requireDomain } from '../auth/register.ts'
import { checkEmail } from '../setup/service.ts'
import {
  createUser,
  freeUsername,
  referrerOf,
  requireUser,
  setIdentity,
  userByEmail,
  userBySubject,
  type UserRow,
} from '../users/service.ts'
import type { Identity } from './provider.ts'

type Tx = Database['query']
type AccountDeps = Pick<Deps, 'settings' | 'bootstrapAdmins'>

interface At {
  ip: string
  now: number
}

const MIN_USERNAME = 3
const MAX_USERNAME = 100

/**
 * The account of an identity: by its subject; else by an address that is verified on both sides; else a new one. An
 * address alone opens nothing: who registered it here without proof, or is bound elsewhere, has to connect by hand (W30).
 * @throws AppError oidc_failed | oidc_email_unverified | oidc_account_exists | email_domain | account_disabled
 */
export async function accountOfIdentity(tx: Tx, deps: AccountDeps, who: Identity, referralCode: string, at: At): Promise<UserRow> {
  const bound = await userBySubject(tx, who.subject)
  if (bound) return promoted(tx, deps, await recognised(tx, bound, who, at.now), who.subject, at)
  if (who.email === undefined || !who.emailVerified) throw new AppError('oidc_email_unverified')
  const email = checkEmail(who.email)
  const known = await userByEmail(tx, email)
  if (!known) return registered(tx, deps, { ...who, email }, referralCode, at)
  if (known.email_verified !== 1 || known.oidc_sub !== null) throw new AppError('oidc_account_exists')
  if (known.disabled_at !== null) throw new AppError('account_disabled')
  return promoted(tx, deps, await bind(tx, known, who, at), who.subject, at)
}

/**
 * Connects an identity to the account of somebody who is signed in.
 * @throws AppError oidc_bound | user_missing
 */
export async function bindIdentity(tx: Tx, userId: number, who: Identity, at: At): Promise<UserRow> {
  const owner = await userBySubject(tx, who.subject)
  if (owner && owner.id !== userId) throw new AppError('oidc_bound')
  return bind(tx, await requireUser(tx, userId), who, at)
}

/** Disconnects; a way to sign in must remain. @throws AppError oidc_not_bound | sign_in_method_last */
export async function unbindIdentity(tx: Tx, userId: number, at: At): Promise<void> {
  const user = await requireUser(tx, userId)
  if (user.oidc_sub === null) throw new AppError('oidc_not_bound')
  if (user.password_hash === null) throw new AppError('sign_in_method_last')
  await setIdentity(tx, userId, { oidc_sub: null, oidc_issuer: null }, at.now)
  await audit(
    tx,
    'oidc_unbind',
    user,
    { oidc_sub: user.oidc_sub, oidc_issuer: user.oidc_issuer },
    { oidc_sub: null, oidc_issuer: null },
    at,
  )
}

/** A subject means somebody only together with its provider: another provider's same subject is somebody else. */
async function recognised(tx: Tx, user: UserRow, who: Identity, now: number): Promise<UserRow> {
  if (user.oidc_issuer === who.issuer) return user
  if (user.oidc_issuer !== null) throw new AppError('oidc_failed', { cause: new Error('the subject belongs to another provider') })
  return setIdentity(tx, user.id, { oidc_issuer: who.issuer }, now)
}

async function bind(tx: Tx, user: UserRow, who: Identity, at: At): Promise<UserRow> {
  const proven = who.emailVerified && who.email?.trim().toLowerCase() === user.email
  const bound = await setIdentity(
    tx,
    user.id,
    {
      oidc_sub: who.subject,
      oidc_issuer: who.issuer,
      ...(user.avatar_url === '' && who.picture !== undefined ? { avatar_url: who.picture } : {}),
      ...(proven ? { email_verified: 1 } : {}),
    },
    at.now,
  )
  const before = { oidc_sub: user.oidc_sub, oidc_issuer: user.oidc_issuer }
  await audit(tx, 'oidc_bind', user, before, { oidc_sub: who.subject, oidc_issuer: who.issuer }, at)
  return bound
}

async function registered(tx: Tx, deps: AccountDeps, who: Identity & { email: string }, referralCode: string, at: At): Promise<UserRow> {
  requireDomain(deps, who.email)
  const referrerId = deps.settings.bool('referral_enabled') ? await referrerOf(tx, referralCode) : null
  const role: Role = isBootstrapAdmin(deps, { email: who.email, emailVerified: true, oidcSub: who.subject }) ? 'admin' : 'user'
  const username = await freeUsername(tx, wantedName(who))
  const user = await createUser(tx, { username, email: who.email, emailVerified: true, passwordHash: null, role, referrerId }, at.now)
  if (role === 'admin') await auditBootstrap(tx, user, at.ip, at.now)
  const avatar = who.picture === undefined ? {} : { avatar_url: who.picture }
  return setIdentity(tx, user.id, { oidc_sub: who.subject, oidc_issuer: who.issuer, ...avatar }, at.now)
}

/** The environment's administrators become ones whenever they come (contract.md 3.3). */
async function promoted(tx: Tx, deps: AccountDeps, user: UserRow, oidcSub: string, at: At): Promise<UserRow> {
  const named = isBootstrapAdmin(deps, { email: user.email, emailVerified: user.email_verified === 1, oidcSub })
  if (!named || user.role !== 'user' || user.disabled_at !== null) return user
  await auditBootstrap(tx, user, at.ip, at.now)
  return setIdentity(tx, user.id, { role: 'admin' }, at.now)
}

/** Name, else the address up to its `@`, else the subject; an `@` would make it look like an address. */
function wantedName({ name, email, subject }: Identity): string {
  for (const text of [name, email?.split('@')[0], subject]) {
    const clean = (text ?? '')
      .replace(/[\p{C}@]/gu, '')
      .trim()
      .slice(0, MAX_USERNAME)
    if (clean.length >= MIN_USERNAME) return clean
  }
  return 'user'
}

function audit(tx: Tx, action: string, user: UserRow, before: Record<string, unknown>, after: Record<string, unknown>, { ip, now }: At) {
  return recordAudit(tx, { actorUserId: user.id, action, objectType: 'user', objectId: user.id, before, after, ip, now })
}
