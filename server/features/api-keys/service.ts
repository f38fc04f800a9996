import { z } from 'zod'
import type { ApiKeyWire } from '../../../contract/api/api-keys.ts'
import { formatMoney, money, ZERO, type Money } from '../../../contract/money.ts'
import type { Database } from '../../db/open.ts'
import type { Deps } from '../../http/deps.ts'
import { isoTime, isoTimeOrNull } from '../../lib/clock.ts'
import { limitFieldsOf } from '../../lib/limit-fields.ts'
import { budgetsWire } from '../billing/service.ts'
import { findKey, findOwner, removeKeysOf, selectGroupIds, selectKeys, selectUsableChannels, type ApiKeyRow } from './store.ts'

const strings = z.array(z.string())
const numbers = z.array(z.number())

/** The lists of a key's row. */
export function listsOf(row: Pick<ApiKeyRow, 'allowed_models' | 'allowed_user_channels' | 'allowed_ips'>): {
  models: string[]
  userChannels: number[]
  ips: string[]
} {
  return {
    models: strings.parse(JSON.parse(row.allowed_models)),
    userChannels: numbers.parse(JSON.parse(row.allowed_user_channels)),
    ips: strings.parse(JSON.parse(row.allowed_ips)),
  }
}

/** A user's keys, newest first. */
export async function keysOf(deps: Pick<Deps, 'db' | 'clock'>, userId: number): Promise<ApiKeyWire[]> {
  return (await selectKeys(deps.db.query, userId)).map((row) => wireOf(deps, row))
}

/** Whose key it is; undefined: there is none of that number, or not any more. */
export function keyOwner(db: Database['query'], id: number): Promise<number | undefined> {
  return findOwner(db, id)
}

/** Deletes all keys of a user in the caller's transaction; returns the hashes to publish after its commit. */
export async function deleteKeysOf(tx: Database['query'], userId: number): Promise<string[]> {
  return (await removeKeysOf(tx, userId)).flatMap(hashesOf)
}

/** What a program may ask of a key: its name and what is left of its quota, not below 0; undefined when it is gone. */
export async function keyFactsOf(
  deps: Pick<Deps, 'db'>,
  userId: number,
  id: number,
): Promise<{ name: string; remaining: Money } | undefined> {
  const row = await findKey(deps.db.query, userId, id)
  if (!row) return undefined
  const left = row.quota_limit - row.quota_used
  return { name: row.name, remaining: left > 0n ? money(left) : ZERO }
}

/** The groups a user is in now. */
export function groupIdsOf(deps: Pick<Deps, 'db' | 'clock'>, userId: number): Promise<number[]> {
  return selectGroupIds(deps.db.query, userId, deps.clock.now())
}

/** Enabled user channels that are open to the user's groups. */
export async function usableChannels(deps: Pick<Deps, 'db' | 'clock'>, userId: number): Promise<number[]> {
  const groups = await selectGroupIds(deps.db.query, userId, deps.clock.now())
  const channels = await selectUsableChannels(deps.db.query)
  return channels.filter((channel) => channel.groups.length === 0 || channel.groups.some((id) => groups.includes(id))).map(({ id }) => id)
}

/** What callers may show of a key: its secret, and the one before while its grace lasts. */
export function hashesOf(row: Pick<ApiKeyRow, 'key_hash' | 'previous_key_hash'>): string[] {
  return row.previous_key_hash === null ? [row.key_hash] : [row.key_hash, row.previous_key_hash]
}

/** A key as its owner sees it. */
export function wireOf(deps: Pick<Deps, 'db' | 'clock'>, row: ApiKeyRow): ApiKeyWire {
  const lists = listsOf(row)
  const left = row.quota_limit - row.quota_used
  return {
    id: row.id,
    name: row.name,
    key_prefix: row.key_prefix,
    api_key: '',
    allowed_models: lists.models,
    allowed_user_channels: lists.userChannels,
    allowed_ips: lists.ips,
    quota_limit: formatMoney(row.quota_limit),
    ...(row.quota_limit > 0n ? { quota_remaining: formatMoney(money(left > 0n ? left : 0n)) } : {}),
    ...budgetsWire(deps, row),
    enabled: row.enabled === 1,
    ...limitFieldsOf(row),
    expires_at: isoTimeOrNull(row.expires_at),
    usage_reset_at: isoTimeOrNull(row.usage_reset_at),
    usage: {
      request_count: row.request_count,
      input_tokens: row.input_tokens,
      output_tokens: row.output_tokens,
      cached_input_tokens: row.cached_input_tokens,
      total_tokens: row.input_tokens + row.output_tokens,
      total_cost: formatMoney(row.total_cost),
    },
    last_used_at: isoTimeOrNull(row.last_used_at),
    created_at: isoTime(row.created_at),
    updated_at: isoTime(row.updated_at),
  }
}
