import type { Insertable, Selectable } from 'kysely'
import { ZERO, type Money } from '../../../contract/money.ts'
import type { Database } from '../../db/open.ts'
import type { ApiKeyTable } from '../../db/schema.ts'

type Tx = Database['query']
export type ApiKeyRow = Selectable<ApiKeyTable>
export type ApiKeyChange = Partial<Omit<ApiKeyRow, 'id' | 'user_id'>>

/** Newest first. */
export function selectKeys(db: Tx, userId: number): Promise<ApiKeyRow[]> {
  return db.selectFrom('api_keys').selectAll().where('user_id', '=', userId).orderBy('id', 'desc').execute()
}

/** A key of this user; another's is as good as none. */
export function findKey(db: Tx, userId: number, id: number): Promise<ApiKeyRow | undefined> {
  return db.selectFrom('api_keys').selectAll().where('id', '=', id).where('user_id', '=', userId).executeTakeFirst()
}

/** Whose key it is. */
export async function findOwner(db: Tx, id: number): Promise<number | undefined> {
  return (await db.selectFrom('api_keys').select('user_id').where('id', '=', id).executeTakeFirst())?.user_id
}

export function findKeyByName(db: Tx, userId: number, name: string): Promise<ApiKeyRow | undefined> {
  return db
    .selectFrom('api_keys')
    .selectAll()
    .where('user_id', '=', userId)
    .where('name', '=', name)
    .orderBy('id')
    .limit(1)
    .executeTakeFirst()
}

export async function countKeys(db: Tx, userId: number): Promise<number> {
  const { total } = await db
    .selectFrom('api_keys')
    .select((count) => count.fn.countAll<number>().as('total'))
    .where('user_id', '=', userId)
    .executeTakeFirstOrThrow()
  return total
}

export type NewKey = Pick<
  Insertable<ApiKeyTable>,
  | 'user_id'
  | 'name'
  | 'key_hash'
  | 'key_prefix'
  | 'allowed_models'
  | 'allowed_user_channels'
  | 'allowed_ips'
  | 'enabled'
  | 'expires_at'
  | 'rate_limit_rpm'
  | 'budget_daily'
  | 'budget_monthly'
  | 'rate_limit_tpm'
  | 'rate_limit_concurrency'
> & { quota_limit: Money }

export function insertKey(tx: Tx, key: NewKey, now: number): Promise<ApiKeyRow> {
  return tx
    .insertInto('api_keys')
    .values({
      ...key,
      quota_used: ZERO,
      quota_held: ZERO,
      previous_key_hash: null,
      previous_expires_at: null,
      request_count: 0,
      input_tokens: 0,
      output_tokens: 0,
      cached_input_tokens: 0,
      total_cost: ZERO,
      usage_reset_at: null,
      last_used_at: null,
      created_at: now,
      updated_at: now,
    })
    .returningAll()
    .executeTakeFirstOrThrow()
}

export function updateKey(tx: Tx, userId: number, id: number, change: ApiKeyChange): Promise<ApiKeyRow | undefined> {
  return tx.updateTable('api_keys').set(change).where('id', '=', id).where('user_id', '=', userId).returningAll().executeTakeFirst()
}

/** @returns what was removed; undefined: the user has no such key */
export function removeKey(tx: Tx, userId: number, id: number): Promise<ApiKeyRow | undefined> {
  return tx.deleteFrom('api_keys').where('id', '=', id).where('user_id', '=', userId).returningAll().executeTakeFirst()
}

export function removeKeysOf(tx: Tx, userId: number): Promise<Pick<ApiKeyRow, 'key_hash' | 'previous_key_hash'>[]> {
  return tx.deleteFrom('api_keys').where('user_id', '=', userId).returning(['key_hash', 'previous_key_hash']).execute()
}

/** Enabled user channels with the groups they are limited to; no row of a group means open to all. */
export async function selectUsableChannels(db: Tx): Promise<{ id: number; groups: number[] }[]> {
  const rows = await db
    .selectFrom('user_channels')
    .leftJoin('allowed_groups', 'allowed_groups.user_channel_id', 'user_channels.id')
    .select(['user_channels.id', 'allowed_groups.group_id'])
    .where('enabled', '=', 1)
    .orderBy('user_channels.id')
    .execute()
  const channels = new Map<number, number[]>()
  for (const { id, group_id: group } of rows) channels.set(id, [...(channels.get(id) ?? []), ...(group === null ? [] : [group])])
  return [...channels].map(([id, groups]) => ({ id, groups }))
}

/** Memberships that have not run out, or the primary group when there is none (contract.md 7.5). */
export async function selectGroupIds(db: Tx, userId: number, now: number): Promise<number[]> {
  const rows = await db
    .selectFrom('users')
    .leftJoin('memberships', 'memberships.user_id', 'users.id')
    .select(['users.group_id as primary', 'memberships.group_id', 'memberships.expires_at'])
    .where('users.id', '=', userId)
    .execute()
  const live = rows.flatMap((row) => (row.group_id !== null && (row.expires_at === null || row.expires_at > now) ? [row.group_id] : []))
  return live.length > 0 ? live : rows.slice(0, 1).map((row) => row.primary)
}

const callerColumns = [
  'users.id as user_id',
  'users.role',
  'users.disabled_at',
  'users.group_id as primary_group_id',
  'users.rate_limit_rpm as user_rate_limit_rpm',
  'users.rate_limit_tpm as user_rate_limit_tpm',
  'users.rate_limit_concurrency as user_rate_limit_concurrency',
  'accounts.id as account_id',
  'memberships.group_id',
  'memberships.expires_at as membership_expires_at',
] as const

/** A key with its user, account and groups: one query, a row a membership. */
export function selectKeyCaller(db: Tx, hash: string) {
  return db
    .selectFrom('api_keys')
    .innerJoin('users', 'users.id', 'api_keys.user_id')
    .innerJoin('accounts', 'accounts.user_id', 'users.id')
    .leftJoin('memberships', 'memberships.user_id', 'users.id')
    .select(callerColumns)
    .select([
      'api_keys.id as key_id',
      'api_keys.key_hash',
      'api_keys.previous_expires_at',
      'api_keys.allowed_models',
      'api_keys.allowed_user_channels',
      'api_keys.allowed_ips',
      'api_keys.quota_limit',
      'api_keys.budget_daily',
      'api_keys.budget_monthly',
      'api_keys.enabled',
      'api_keys.expires_at',
      'api_keys.rate_limit_rpm',
      'api_keys.rate_limit_tpm',
      'api_keys.rate_limit_concurrency',
    ])
    .where((where) => where.or([where('api_keys.key_hash', '=', hash), where('api_keys.previous_key_hash', '=', hash)]))
    .execute()
}

/** The same of a user without a key. */
export function selectUserCaller(db: Tx, userId: number) {
  return db
    .selectFrom('users')
    .innerJoin('accounts', 'accounts.user_id', 'users.id')
    .leftJoin('memberships', 'memberships.user_id', 'users.id')
    .select(callerColumns)
    .where('users.id', '=', userId)
    .execute()
}
