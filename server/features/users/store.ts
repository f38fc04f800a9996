import type { Selectable } from 'kysely'
import type { Database } from '../../db/open.ts'
import { contains } from '../../db/search.ts'
import type { GroupTable, MembershipTable, UserTable } from '../../db/schema.ts'

type Tx = Database['query']
export type UserRow = Selectable<UserTable>
export type GroupRow = Selectable<GroupTable>
export type MembershipRow = Selectable<MembershipTable>

export interface NewUser {
  username: string
  email: string
  email_verified: number
  password_hash: string | null
  group_id: number
  referral_code: string
  referrer_id: number | null
  role: string
}

export async function insertUser(tx: Tx, user: NewUser, now: number): Promise<UserRow> {
  return tx
    .insertInto('users')
    .values({
      ...user,
      oidc_sub: null,
      oidc_issuer: null,
      avatar_url: '',
      disabled_at: null,
      sessions_valid_from: 0,
      preferences: '{}',
      created_at: now,
      updated_at: now,
    })
    .returningAll()
    .executeTakeFirstOrThrow()
}

/** Makes a membership permanent, or adds it. */
export async function putMembership(tx: Tx, userId: number, groupId: number, now: number): Promise<void> {
  await tx
    .insertInto('memberships')
    .values({ user_id: userId, group_id: groupId, expires_at: null, created_at: now, updated_at: now })
    .onConflict((on) => on.columns(['user_id', 'group_id']).doUpdateSet({ expires_at: null, updated_at: now }))
    .execute()
}

/** The membership of a user in a group. */
export function findMembership(tx: Tx, userId: number, groupId: number): Promise<MembershipRow | undefined> {
  return tx.selectFrom('memberships').selectAll().where('user_id', '=', userId).where('group_id', '=', groupId).executeTakeFirst()
}

/** Adds a membership that ends, or moves the end of one that does; a permanent one stays. */
export async function extendMembership(tx: Tx, userId: number, groupId: number, expiresAt: number, now: number): Promise<void> {
  await tx
    .insertInto('memberships')
    .values({ user_id: userId, group_id: groupId, expires_at: expiresAt, created_at: now, updated_at: now })
    .onConflict((on) =>
      on
        .columns(['user_id', 'group_id'])
        .doUpdateSet({ expires_at: expiresAt, updated_at: now })
        .where('memberships.expires_at', 'is not', null),
    )
    .execute()
}

/** Only the permanent one; a bought membership runs on. */
export async function removePermanentMembership(tx: Tx, userId: number, groupId: number): Promise<void> {
  await tx.deleteFrom('memberships').where('user_id', '=', userId).where('group_id', '=', groupId).where('expires_at', 'is', null).execute()
}

export function findUser(db: Tx, id: number): Promise<UserRow | undefined> {
  return db.selectFrom('users').selectAll().where('id', '=', id).executeTakeFirst()
}

export function findUserByName(db: Tx, username: string): Promise<UserRow | undefined> {
  return db.selectFrom('users').selectAll().where('username', '=', username).executeTakeFirst()
}

/** `email` in lower case. */
export function findUserByEmail(db: Tx, email: string): Promise<UserRow | undefined> {
  return db.selectFrom('users').selectAll().where('email', '=', email).executeTakeFirst()
}

export function findUserBySubject(db: Tx, subject: string): Promise<UserRow | undefined> {
  return db.selectFrom('users').selectAll().where('oidc_sub', '=', subject).executeTakeFirst()
}

export function findUserByReferralCode(db: Tx, code: string): Promise<UserRow | undefined> {
  return db.selectFrom('users').selectAll().where('referral_code', '=', code).executeTakeFirst()
}

/** Stores a hash in place of another and locks the row; false when the password was changed meanwhile. */
export async function swapPasswordHash(tx: Tx, id: number, from: string, to: string): Promise<boolean> {
  const update = tx.updateTable('users').set({ password_hash: to }).where('id', '=', id).where('password_hash', '=', from)
  return (await update.returning('id').executeTakeFirst()) !== undefined
}

/** Users of a list without paging at most: their relations are loaded by id, and an engine takes 32,766 parameters. */
const BARE_LIST_LIMIT = 10_000

/** Newest first. `search` looks in user name and e-mail, whatever the case. */
export async function selectUsers(
  db: Tx,
  search: string,
  page: { page: number; pageSize: number } | undefined,
): Promise<{ rows: UserRow[]; total: number }> {
  let rows = db.selectFrom('users')
  if (search !== '') rows = rows.where(contains(['username', 'email'], search))
  const ordered = rows.selectAll().orderBy('id', 'desc')
  if (page === undefined) {
    const all = await ordered.limit(BARE_LIST_LIMIT).execute()
    return { rows: all, total: all.length }
  }
  const { total } = await rows.select((count) => count.fn.countAll<number>().as('total')).executeTakeFirstOrThrow()
  return {
    rows: await ordered
      .limit(page.pageSize)
      .offset((page.page - 1) * page.pageSize)
      .execute(),
    total,
  }
}

export function selectUsersById(db: Tx, ids: readonly number[]): Promise<Pick<UserRow, 'id' | 'username'>[]> {
  return ids.length === 0 ? Promise.resolve([]) : db.selectFrom('users').select(['id', 'username']).where('id', 'in', ids).execute()
}

/** Administrators whose address is their own, the oldest accounts first. */
export function selectAdministrators(db: Tx, most: number): Promise<Pick<UserRow, 'email'>[]> {
  return db
    .selectFrom('users')
    .select('email')
    .where('role', 'in', ['owner', 'admin'])
    .where('email_verified', '=', 1)
    .where('disabled_at', 'is', null)
    .orderBy('id')
    .limit(most)
    .execute()
}

export function selectGroups(db: Tx): Promise<GroupRow[]> {
  return db.selectFrom('groups').selectAll().execute()
}

export async function defaultGroupId(db: Tx): Promise<number> {
  return (await db.selectFrom('groups').select('id').where('is_default', '=', 1).executeTakeFirstOrThrow()).id
}

export async function groupExists(db: Tx, id: number): Promise<boolean> {
  return (await db.selectFrom('groups').select('id').where('id', '=', id).executeTakeFirst()) !== undefined
}

export function selectMemberships(db: Tx, userIds: readonly number[]): Promise<MembershipRow[]> {
  return userIds.length === 0
    ? Promise.resolve([])
    : db.selectFrom('memberships').selectAll().where('user_id', 'in', userIds).orderBy('id').execute()
}

export async function updateUserRow(tx: Tx, id: number, change: Partial<Omit<UserRow, 'id'>>): Promise<UserRow | undefined> {
  return tx.updateTable('users').set(change).where('id', '=', id).returningAll().executeTakeFirst()
}

/** Other users who may sign in and have one of the roles. */
export async function countOthersWithRole(tx: Tx, userId: number, roles: readonly string[]): Promise<number> {
  const { total } = await tx
    .selectFrom('users')
    .select((count) => count.fn.countAll<number>().as('total'))
    .where('id', '!=', userId)
    .where('role', 'in', roles)
    .where('disabled_at', 'is', null)
    .executeTakeFirstOrThrow()
  return total
}

/** Deletes the user and everything that is his alone; account, ledger, orders and logs are the books and stay. */
export async function deleteUserRows(tx: Tx, id: number): Promise<void> {
  for (const name of ['sessions', 'memberships', 'passkeys', 'challenges', 'totp_secrets', 'recovery_codes', 'log_payloads'] as const)
    await tx.deleteFrom(name).where('user_id', '=', id).execute()
  await tx.updateTable('users').set({ referrer_id: null }).where('referrer_id', '=', id).execute()
  await tx.deleteFrom('users').where('id', '=', id).execute()
}
