import type { z } from 'zod'
import type { apiKeyBody, ApiKeyWire } from '../../../contract/api/api-keys.ts'
import { AppError } from '../../../contract/errors.ts'
import { ZERO } from '../../../contract/money.ts'
import type { Database } from '../../db/open.ts'
import type { Deps } from '../../http/deps.ts'
import { parseRange } from '../../lib/client-ip.ts'
import { apiKeySecret, sha256Hex } from '../../lib/ids.ts'
import { limitFieldsOf, newLimits } from '../../lib/limit-fields.ts'
import { recordAudit } from '../audit/service.ts'
import { hashesOf, listsOf, usableChannels, wireOf } from './service.ts'
import { countKeys, findKey, findKeyByName, insertKey, removeKey, updateKey, type ApiKeyChange, type ApiKeyRow } from './store.ts'

type Tx = Database['query']
export type ApiKeyInput = z.output<typeof apiKeyBody>

/** Whose keys, and from where they are changed. */
export interface Owner {
  userId: number
  ip: string
}

/** A key with its secret, which is shown this once. */
export interface NewSecret {
  api_key: string
  key: ApiKeyWire
}

/** A person's keys; more is a script gone wild, and lists of keys are not paged by old clients. */
const MAX_KEYS_PER_USER = 1_000
const DEFAULT_NAME = 'API key'
const LEGACY_NAME = 'Default key'
/** Shown of a secret: its first eight and last four characters (contract.md 2.4). */
const PREFIX_CHARS = 8
const SUFFIX_CHARS = 4

/** @throws AppError bad_request | user_channel_unusable | conflict (too many keys) */
export async function createKey(deps: Deps, owner: Owner, input: ApiKeyInput): Promise<NewSecret> {
  const channels = await checkChannels(deps, owner.userId, input.allowed_user_channels ?? [])
  const { secret, ...stored } = newSecret()
  const now = deps.clock.now()
  const row = await deps.db.query.transaction().execute(async (tx) => {
    if ((await countKeys(tx, owner.userId)) >= MAX_KEYS_PER_USER)
      throw new AppError('conflict', { message: `A user can have at most ${MAX_KEYS_PER_USER} API keys` })
    const made = await insertKey(
      tx,
      {
        ...restrictions(input, channels),
        ...stored,
        user_id: owner.userId,
        name: input.name || DEFAULT_NAME,
        quota_limit: input.quota_limit ?? ZERO,
        enabled: input.enabled === false ? 0 : 1,
        expires_at: timeOf(input.expires_at) ?? null,
        budget_daily: input.budget_daily ?? null,
        budget_monthly: input.budget_monthly ?? null,
        ...newLimits(input),
      },
      now,
    )
    await audit(tx, owner, 'create', now, undefined, made)
    return made
  })
  return { api_key: secret, key: wireOf(deps, row) }
}

/** Lists are replaced; name, quota and state are kept where absent (contract.md 3.6). */
export async function changeKey(deps: Deps, owner: Owner, id: number, input: ApiKeyInput): Promise<ApiKeyWire> {
  const before = await requireKey(deps.db.query, owner, id)
  const channels = await checkChannels(deps, owner.userId, input.allowed_user_channels ?? [])
  const change = {
    ...restrictions(input, channels),
    ...(input.name ? { name: input.name } : {}),
    ...(typeof input.quota_limit === 'bigint' ? { quota_limit: input.quota_limit } : {}),
    ...(typeof input.enabled === 'boolean' ? { enabled: input.enabled ? 1 : 0 } : {}),
    ...(input.budget_daily === undefined ? {} : { budget_daily: input.budget_daily }),
    ...(input.budget_monthly === undefined ? {} : { budget_monthly: input.budget_monthly }),
    ...(input.expires_at === undefined ? {} : { expires_at: timeOf(input.expires_at) ?? null }),
    ...newLimits(input, before),
  }
  return wireOf(deps, await apply(deps, owner, id, 'update', () => change))
}

/** Deletes a key at once; one that is not there, or another's, is no error (contract.md 3.6). */
export async function deleteKey(deps: Deps, owner: Owner, id: number): Promise<void> {
  const removed = await deps.db.query.transaction().execute(async (tx) => {
    const before = await removeKey(tx, owner.userId, id)
    if (before) await audit(tx, owner, 'delete', deps.clock.now(), before, undefined)
    return before
  })
  if (removed) await deps.changes.publish({ type: 'api_key', keyHashes: hashesOf(removed) })
}

/** A new secret for a key; the old one ends now, or `graceSeconds` later. @throws AppError key_missing */
export async function rotateKey(deps: Deps, owner: Owner, id: number, graceSeconds: number): Promise<NewSecret> {
  const { secret, ...stored } = newSecret()
  const row = await apply(deps, owner, id, 'rotate', (before, now) => ({
    ...stored,
    previous_key_hash: graceSeconds > 0 ? before.key_hash : null,
    previous_expires_at: graceSeconds > 0 ? now + graceSeconds * 1000 : null,
  }))
  return { api_key: secret, key: wireOf(deps, row) }
}

/** The contract's old route: `Default key` gets a new secret, or is made with every channel the user may use (W56). */
export async function rotateDefaultKey(deps: Deps, owner: Owner): Promise<NewSecret> {
  const existing = await findKeyByName(deps.db.query, owner.userId, LEGACY_NAME)
  if (existing) return rotateKey(deps, owner, existing.id, 0)
  const channels = await usableChannels(deps, owner.userId)
  if (channels.length === 0) throw new AppError('user_channel_unusable')
  return createKey(deps, owner, { name: LEGACY_NAME, allowed_user_channels: channels })
}

/** Usage and quota of the key count from now on; the account's books are untouched. @throws AppError key_missing */
export async function resetUsage(deps: Deps, owner: Owner, id: number): Promise<ApiKeyWire> {
  const row = await apply(deps, owner, id, 'reset_usage', (_, now) => ({
    quota_used: ZERO,
    request_count: 0,
    input_tokens: 0,
    output_tokens: 0,
    cached_input_tokens: 0,
    total_cost: ZERO,
    usage_reset_at: now,
  }))
  return wireOf(deps, row)
}

/** Changes a key with its audit row, and tells every process of the secrets it had and has. */
async function apply(
  deps: Deps,
  owner: Owner,
  id: number,
  action: string,
  changeOf: (before: ApiKeyRow, now: number) => ApiKeyChange,
): Promise<ApiKeyRow> {
  const now = deps.clock.now()
  const { before, row } = await deps.db.query.transaction().execute(async (tx) => {
    const before = await requireKey(tx, owner, id)
    const row = await updateKey(tx, owner.userId, id, { ...changeOf(before, now), updated_at: now })
    if (!row) throw new AppError('key_missing')
    await audit(tx, owner, action, now, before, row)
    return { before, row }
  })
  await deps.changes.publish({ type: 'api_key', keyHashes: [...new Set([...hashesOf(before), ...hashesOf(row)])] })
  return row
}

function audit(tx: Tx, { userId, ip }: Owner, action: string, now: number, before?: ApiKeyRow, after?: ApiKeyRow): Promise<void> {
  const objectId = (after ?? before)?.id ?? 0
  const shown = { before: before && shownOf(before), after: after && shownOf(after) }
  return recordAudit(tx, { actorUserId: userId, action, objectType: 'api_key', objectId, ...shown, ip, now })
}

/** What the audit log has of a key; of its secret no more than the lists of keys show. */
function shownOf(row: ApiKeyRow): Record<string, unknown> {
  const lists = listsOf(row)
  return {
    name: row.name,
    key_prefix: row.key_prefix,
    allowed_models: lists.models,
    allowed_user_channels: lists.userChannels,
    allowed_ips: lists.ips,
    quota_limit: row.quota_limit,
    budget_daily: row.budget_daily,
    budget_monthly: row.budget_monthly,
    ...limitFieldsOf(row),
    enabled: row.enabled,
    expires_at: row.expires_at,
    previous_expires_at: row.previous_expires_at,
    usage_reset_at: row.usage_reset_at,
  }
}

async function requireKey(db: Tx, { userId }: Owner, id: number): Promise<ApiKeyRow> {
  const row = await findKey(db, userId, id)
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

function restrictions(
  input: ApiKeyInput,
  channels: readonly number[],
): Pick<ApiKeyRow, 'allowed_models' | 'allowed_user_channels' | 'allowed_ips'> {
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
