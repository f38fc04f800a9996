import { z } from 'zod'
import type { apiKeyBody, ApiKeyWire } from '../../../contract/api/api-keys.ts'
import { AppError } from '../../../contract/errors.ts'
import { formatMoney, money, ZERO, type Money } from '../../../contract/money.ts'
import type { Database } from '../../db/open.ts'
import type { Deps } from '../../http/deps.ts'
import { parseRange } from '../../lib/client-ip.ts'
import { isoTime, isoTimeOrNull } from '../../lib/clock.ts'
import { apiKeySecret, sha256Hex } from '../../lib/ids.ts'
import { limitFieldsOf, newLimits } from '../../lib/limit-fields.ts'
import { budgetsWire } from '../billing/service.ts'
import {
  countKeys,
  findKey,
  findKeyByName,
  findOwner,
  insertKey,
  removeKey,
  removeKeysOf,
  selectGroupIds,
  selectKeys,
  selectUsableChannels,
  updateKey,
  type ApiKeyRow,
  type NewKey,
} from './store.ts'

export type ApiKeyInput = z.output<typeof apiKeyBody>

/** A person's keys; more is a script gone wild, and lists of keys are not paged by old clients. */
const MAX_KEYS_PER_USER = 1_000
const DEFAULT_NAME = 'API key'
const LEGACY_NAME = 'Default key'
/** Shown of a secret: its first eight and last four characters (contract.md 2.4). */
const PREFIX_CHARS = 8
const SUFFIX_CHARS = 4

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

/** @throws AppError bad_request | key_without_channel | user_channel_unusable | conflict */
export async function createKey(deps: Deps, userId: number, input: ApiKeyInput): Promise<{ api_key: string; key: ApiKeyWire }> {
  const channels = await checkChannels(deps, userId, input.allowed_user_channels ?? [])
  return newKey(deps, userId, {
    ...restrictions(input, channels),
    name: input.name || DEFAULT_NAME,
    quota_limit: input.quota_limit ?? ZERO,
    enabled: input.enabled === false ? 0 : 1,
    expires_at: timeOf(input.expires_at) ?? null,
    budget_daily: input.budget_daily ?? null,
    budget_monthly: input.budget_monthly ?? null,
    ...newLimits(input),
  })
}

/** Lists are replaced; name, quota and state are kept where absent (contract.md 3.6). */
export async function changeKey(deps: Deps, userId: number, id: number, input: ApiKeyInput): Promise<ApiKeyWire> {
  const before = await requireKey(deps, userId, id)
  const channels = await checkChannels(deps, userId, input.allowed_user_channels ?? [])
  return apply(deps, userId, id, {
    ...restrictions(input, channels),
    ...(input.name ? { name: input.name } : {}),
    ...(typeof input.quota_limit === 'bigint' ? { quota_limit: input.quota_limit } : {}),
    ...(typeof input.enabled === 'boolean' ? { enabled: input.enabled ? 1 : 0 } : {}),
    ...(input.budget_daily === undefined ? {} : { budget_daily: input.budget_daily }),
    ...(input.budget_monthly === undefined ? {} : { budget_monthly: input.budget_monthly }),
    ...(input.expires_at === undefined ? {} : { expires_at: timeOf(input.expires_at) ?? null }),
    ...newLimits(input, before),
  })
}

/** Deletes a key at once; one that is not there, or another's, is no error (contract.md 3.6). */
export async function deleteKey(deps: Deps, userId: number, id: number): Promise<void> {
  const removed = await removeKey(deps.db.query, userId, id)
  if (removed) await deps.changes.publish({ type: 'api_key', keyHashes: hashesOf(removed) })
}

/** Whose key it is; undefined: there is none of that number, or not any more. */
export function keyOwner(db: Database['query'], id: number): Promise<number | undefined> {
  return findOwner(db, id)
}

/** Deletes all keys of a user in the caller's transaction; returns the hashes to publish after its commit. */
export async function deleteKeysOf(tx: Database['query'], userId: number): Promise<string[]> {
  return (await removeKeysOf(tx, userId)).flatMap(hashesOf)
}

/** A new secret for a key; the old one ends now, or `graceSeconds` later. */
export async function rotateKey(
  deps: Deps,
  userId: number,
  id: number,
  graceSeconds: number,
): Promise<{ api_key: string; key: ApiKeyWire }> {
  const before = await requireKey(deps, userId, id)
  const { secret, key_hash, key_prefix } = newSecret()
  const key = await apply(
    deps,
    userId,
    id,
    {
      key_hash,
      key_prefix,
      previous_key_hash: graceSeconds > 0 ? before.key_hash : null,
      previous_expires_at: graceSeconds > 0 ? deps.clock.now() + graceSeconds * 1000 : null,
    },
    hashesOf(before),
  )
  return { api_key: secret, key }
}

/** The contract's old route: `Default key` gets a new secret, or is made with every channel the user may use (W56). */
export async function rotateDefaultKey(deps: Deps, userId: number): Promise<{ api_key: string; key: ApiKeyWire }> {
  const existing = await findKeyByName(deps.db.query, userId, LEGACY_NAME)
  if (existing) return rotateKey(deps, userId, existing.id, 0)
  const channels = await usableChannels(deps, userId)
  if (channels.length === 0) throw new AppError('user_channel_unusable')
  return createKey(deps, userId, { name: LEGACY_NAME, allowed_user_channels: channels })
}

/** Usage and quota of the key count from now on; the account's books are untouched. */
export async function resetUsage(deps: Deps, userId: number, id: number): Promise<ApiKeyWire> {
  return apply(deps, userId, id, {
    quota_used: ZERO,
    request_count: 0,
    input_tokens: 0,
    output_tokens: 0,
    cached_input_tokens: 0,
    total_cost: ZERO,
    usage_reset_at: deps.clock.now(),
  })
}

async function apply(
  deps: Deps,
  userId: number,
  id: number,
  change: Parameters<typeof updateKey>[3],
  oldHashes: readonly string[] = [],
): Promise<ApiKeyWire> {
  const row = await updateKey(deps.db.query, userId, id, { ...change, updated_at: deps.clock.now() })
  if (!row) throw new AppError('key_missing')
  await deps.changes.publish({ type: 'api_key', keyHashes: [...oldHashes, ...hashesOf(row)] })
  return wireOf(deps, row)
}

async function newKey(
  deps: Deps,
  userId: number,
  key: Omit<NewKey, 'user_id' | 'key_hash' | 'key_prefix'>,
): Promise<{ api_key: string; key: ApiKeyWire }> {
  if ((await countKeys(deps.db.query, userId)) >= MAX_KEYS_PER_USER) {
    throw new AppError('conflict', { message: `A user can have at most ${MAX_KEYS_PER_USER} API keys` })
  }
  const { secret, key_hash, key_prefix } = newSecret()
  const row = await insertKey(deps.db.query, { ...key, user_id: userId, key_hash, key_prefix }, deps.clock.now())
  return { api_key: secret, key: wireOf(deps, row) }
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

async function requireKey(deps: Deps, userId: number, id: number): Promise<ApiKeyRow> {
  const row = await findKey(deps.db.query, userId, id)
  if (!row) throw new AppError('key_missing')
  return row
}

/** At least one, each enabled and open to the user's groups; the order is the order of trial (additions.md). */
async function checkChannels(deps: Deps, userId: number, ids: readonly number[]): Promise<number[]> {
  if (ids.length === 0)
    throw new AppError('bad_request', { message: 'API key must be bound to exactly one user channel', param: 'allowed_user_channels' })
  const usable = new Set(await usableChannels(deps, userId))
  if (ids.some((id) => !usable.has(id))) throw new AppError('user_channel_unusable')
  return [...new Set(ids)]
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

function restrictions(
  input: ApiKeyInput,
  channels: readonly number[],
): Pick<NewKey, 'allowed_models' | 'allowed_user_channels' | 'allowed_ips'> {
  const ips = sorted(input.allowed_ips ?? [])
  for (const ip of ips) {
    if (!parseRange(ip))
      throw new AppError('bad_request', { message: `allowed_ips: "${ip}" is neither an IP address nor a CIDR range`, param: 'allowed_ips' })
  }
  return {
    allowed_models: JSON.stringify(sorted(input.allowed_models ?? [])),
    allowed_user_channels: JSON.stringify(channels),
    allowed_ips: JSON.stringify(ips),
  }
}

function sorted(list: readonly string[]): string[] {
  return [...new Set(list)].sort()
}

function timeOf(text: string | null | undefined): number | null | undefined {
  return typeof text === 'string' ? Date.parse(text) : text
}

function newSecret(): { secret: string; key_hash: string; key_prefix: string } {
  const secret = apiKeySecret()
  return { secret, key_hash: sha256Hex(secret), key_prefix: `${secret.slice(0, PREFIX_CHARS)}...${secret.slice(-SUFFIX_CHARS)}` }
}

function hashesOf(row: Pick<ApiKeyRow, 'key_hash' | 'previous_key_hash'>): string[] {
  return row.previous_key_hash === null ? [row.key_hash] : [row.key_hash, row.previous_key_hash]
}

function wireOf(deps: Pick<Deps, 'db' | 'clock'>, row: ApiKeyRow): ApiKeyWire {
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
