import type { BareUserWire, UserWire } from '../../../contract/api/users.ts'
import { AppError } from '../../../contract/errors.ts'
import { formatMoney, ZERO } from '../../../contract/money.ts'
import type { Database } from '../../db/open.ts'
import { isAdmin, roleOf, type Role } from '../../http/caller.ts'
import type { Deps } from '../../http/deps.ts'
import { isoTime, isoTimeOrNull, DAY_MS } from '../../lib/clock.ts'
import { limitFieldsOf } from '../../lib/limit-fields.ts'
import { codeOf } from '../../lib/ids.ts'
import { accountsOf, budgetsWire, createAccount, NO_BUDGETS } from '../billing/service.ts'
import {
  defaultGroupId,
  extendMembership,
  findMembership,
  findUser,
  findUserByEmail,
  findUserByName,
  findUserByReferralCode,
  findUserBySubject,
  insertUser,
  putMembership,
  selectAdministrators,
  selectGroups,
  selectMemberships,
  selectUsers,
  selectUsersById,
  swapPasswordHash,
  updateUserRow,
  type GroupRow,
  type UserRow,
} from './store.ts'

export type { UserRow } from './store.ts'

/** Length the contract gives a referral code (3.3). */
const REFERRAL_CODE_CHARS = 13
/** Contract.md 3.3. */
const MAX_USERNAME = 100
/** Numbered names that are tried before a random one. */
const NAME_TRIES = 20
const RANDOM_SUFFIX = 8

export interface UserInput {
  username: string
  /** Lower case. */
  email: string
  emailVerified: boolean
  passwordHash: string | null
  role: Role
  referrerId: number | null
}

/**
 * Makes a user with default group, membership, account and referral code in the caller's transaction (W24).
 * @throws AppError username_taken | email_taken
 */
export async function createUser(tx: Database['query'], input: UserInput, now: number): Promise<UserRow> {
  if (await findUserByName(tx, input.username)) throw new AppError('username_taken')
  if (await findUserByEmail(tx, input.email)) throw new AppError('email_taken')
  const groupId = await defaultGroupId(tx)
  const user = await insertUser(
    tx,
    {
      username: input.username,
      email: input.email,
      email_verified: input.emailVerified ? 1 : 0,
      password_hash: input.passwordHash,
      group_id: groupId,
      referral_code: codeOf(REFERRAL_CODE_CHARS),
      referrer_id: input.referrerId,
      role: input.role,
    },
    now,
  )
  await putMembership(tx, user.id, groupId, now)
  await createAccount(tx, user.id, now)
  return user
}

/** The user of a sign-in form: a text with `@` is an e-mail first, so that no user name can stand in for another's e-mail. */
export async function userByIdentifier(db: Database['query'], identifier: string): Promise<UserRow | undefined> {
  const name = identifier.trim()
  const byEmail = name.includes('@') ? await findUserByEmail(db, name.toLowerCase()) : undefined
  return byEmail ?? (await findUserByName(db, name))
}

/** Who invited with this code, as people type it (contract.md 3.3); unknown codes are nobody's. */
export async function referrerOf(db: Database['query'], code: string): Promise<number | null> {
  const normal = code.replace(/[\s-]/g, '').toUpperCase()
  if (normal === '') return null
  return (await findUserByReferralCode(db, normal))?.id ?? null
}

/**
 * Makes sure, in the transaction that opens a session, that the password which was just verified still is the
 * account's; `to` may be a better hash of it. @throws AppError login_failed
 */
export async function confirmPasswordHash(tx: Database['query'], userId: number, from: string, to: string): Promise<void> {
  if (!(await swapPasswordHash(tx, userId, from, to))) throw new AppError('login_failed')
}

/** Sets a new password in the caller's transaction, which also has to end the sessions. */
export async function setPassword(
  tx: Database['query'],
  userId: number,
  change: { passwordHash: string; emailVerified: boolean },
  now: number,
): Promise<void> {
  const verified = change.emailVerified ? { email_verified: 1 } : {}
  await updateUserRow(tx, userId, { password_hash: change.passwordHash, ...verified, updated_at: now })
}

/** The user a subject of an identity provider is bound to. */
export function userBySubject(db: Database['query'], subject: string): Promise<UserRow | undefined> {
  return findUserBySubject(db, subject)
}

/** What an identity provider changes of a user; in the caller's transaction. @throws AppError user_missing */
export async function setIdentity(
  tx: Database['query'],
  userId: number,
  change: Partial<Pick<UserRow, 'oidc_sub' | 'oidc_issuer' | 'avatar_url' | 'email_verified' | 'role'>>,
  now: number,
): Promise<UserRow> {
  const user = await updateUserRow(tx, userId, { ...change, updated_at: now })
  if (!user) throw new AppError('user_missing')
  return user
}

/** A user name nobody has, as near to the wanted one as may be. */
export async function freeUsername(tx: Database['query'], wanted: string): Promise<string> {
  for (let n = 1; n <= NAME_TRIES; n += 1) {
    const name = n === 1 ? wanted : `${wanted.slice(0, MAX_USERNAME - 4)}-${n}`
    if (!(await findUserByName(tx, name))) return name
  }
  return `${wanted.slice(0, MAX_USERNAME - RANDOM_SUFFIX - 1)}-${codeOf(RANDOM_SUFFIX).toLowerCase()}`
}

/** `email` in lower case. */
export function userByEmail(db: Database['query'], email: string): Promise<UserRow | undefined> {
  return findUserByEmail(db, email)
}

/** More people than this are not woken by one event. */
const MAX_ADMINISTRATORS = 20

/** Verified addresses of the administrators. */
export function administrators(db: Database['query']): Promise<Pick<UserRow, 'email'>[]> {
  return selectAdministrators(db, MAX_ADMINISTRATORS)
}

/** @throws AppError user_missing */
export async function requireUser(db: Database['query'], id: number): Promise<UserRow> {
  const user = await findUser(db, id)
  if (!user) throw new AppError('user_missing')
  return user
}

/** A user without relations, as sign-in answers it. */
export async function bareUser(deps: Pick<Deps, 'db'>, user: UserRow): Promise<BareUserWire> {
  const account = (await accountsOf(deps, [user.id])).get(user.id)
  return bareWire(user, formatMoney(account?.balance ?? ZERO))
}

/** Users with account, group, memberships and referrer: five queries, however many users. */
export async function usersWire(deps: Pick<Deps, 'db' | 'clock'>, users: readonly UserRow[]): Promise<UserWire[]> {
  const ids = users.map(({ id }) => id)
  const db = deps.db.query
  const accounts = await accountsOf(deps, ids)
  const groups = new Map((await selectGroups(db)).map((group) => [group.id, groupOf(group)]))
  const memberships = Map.groupBy(await selectMemberships(db, ids), (membership) => membership.user_id)
  const referrers = new Map(
    (await selectUsersById(db, [...new Set(users.flatMap(({ referrer_id: id }) => id ?? []))])).map((user) => [user.id, user.username]),
  )
  return users.map((user) => {
    const account = accounts.get(user.id)
    const wire: UserWire = {
      ...bareWire(user, formatMoney(account?.balance ?? ZERO)),
      held: formatMoney(account?.held ?? ZERO),
      ...limitFieldsOf(user),
      ...budgetsWire(deps, account ?? NO_BUDGETS),
    }
    const group = groups.get(user.group_id)
    if (group) wire.group = group
    wire.groups = (memberships.get(user.id) ?? []).flatMap(({ id, user_id, group_id, expires_at, created_at, updated_at }) => {
      const of = groups.get(group_id)
      return of
        ? [
            {
              id,
              user_id,
              group_id,
              group: of,
              expires_at: isoTimeOrNull(expires_at),
              created_at: isoTime(created_at),
              updated_at: isoTime(updated_at),
            },
          ]
        : []
    })
    const referrer = user.referrer_id === null ? undefined : referrers.get(user.referrer_id)
    if (user.referrer_id !== null && referrer !== undefined) wire.referrer = { id: user.referrer_id, username: maskName(referrer) }
    return wire
  })
}

/** Gives a user a group: for good (`days` 0), or for that many days from now or from the end of what he has. */
export async function grantGroup(tx: Database['query'], userId: number, groupId: number, days: number, now: number): Promise<void> {
  if (days === 0) return putMembership(tx, userId, groupId, now)
  const end = (await findMembership(tx, userId, groupId))?.expires_at ?? now
  await extendMembership(tx, userId, groupId, Math.max(end, now) + days * DAY_MS, now)
}

/** What others may see of users, by id (W10). */
export async function maskedUsers(db: Database['query'], ids: readonly number[]): Promise<Map<number, { id: number; username: string }>> {
  return new Map((await selectUsersById(db, ids)).map(({ id, username }) => [id, { id, username: maskName(username) }]))
}

/** One user with relations. @throws AppError user_missing */
export async function userWireOf(deps: Pick<Deps, 'db' | 'clock'>, id: number): Promise<UserWire> {
  const [wire] = await usersWire(deps, [await requireUser(deps.db.query, id)])
  if (!wire) throw new AppError('user_missing')
  return wire
}

/** A list, newest first, or one page of it. */
export async function listUsersWire(
  deps: Deps,
  search: string,
  page: { page: number; pageSize: number } | undefined,
): Promise<UserWire[] | { items: UserWire[]; total: number; page: number; page_size: number }> {
  const { rows, total } = await selectUsers(deps.db.query, search, page)
  const items = await usersWire(deps, rows)
  return page ? { items, total, page: page.page, page_size: page.pageSize } : items
}

function bareWire(user: UserRow, balance: string): BareUserWire {
  const role = roleOf(user.role)
  const wire: BareUserWire = {
    id: user.id,
    username: user.username,
    email: user.email,
    email_verified: user.email_verified === 1,
    avatar_url: user.avatar_url,
    balance,
    group_id: user.group_id,
    referral_code: user.referral_code,
    is_admin: isAdmin(role),
    role,
    disabled_at: isoTimeOrNull(user.disabled_at),
    created_at: isoTime(user.created_at),
    updated_at: isoTime(user.updated_at),
  }
  if (user.oidc_sub !== null) wire.oidc_sub = user.oidc_sub
  if (user.referrer_id !== null) wire.referrer_id = user.referrer_id
  return wire
}

function groupOf(group: GroupRow): NonNullable<UserWire['group']> {
  return {
    id: group.id,
    name: group.name,
    multiplier: formatMoney(group.multiplier),
    ...limitFieldsOf(group),
    created_at: isoTime(group.created_at),
    updated_at: isoTime(group.updated_at),
  }
}

/** First and last letter only. */
export function maskName(name: string): string {
  return name.length <= 2 ? `${name.slice(0, 1)}***` : `${name.slice(0, 1)}***${name.slice(-1)}`
}
