import { AppError } from '../../../contract/errors.ts'
import type { Money } from '../../../contract/money.ts'
import { ZERO } from '../../../contract/money.ts'
import type { Deps } from '../../http/deps.ts'
import { roleOf, type Role } from '../../http/caller.ts'
import { parseRange, type Range } from '../../lib/client-ip.ts'
import { nameMatcher } from '../../lib/glob.ts'
import { sha256Hex } from '../../lib/ids.ts'
import { limitsOf, type Limits } from '../../lib/limit-fields.ts'
import { callerOfToken } from '../auth/service.ts'
import { SessionTokens } from '../auth/tokens.ts'
import { listsOf } from './service.ts'
import { selectKeyCaller, selectUserCaller } from './store.ts'

/** Who pays for a call and what he may ask for. Times are epoch milliseconds; whoever admits a call compares them. */
export interface KeyCaller {
  /** null: a session, bound by no key. */
  readonly keyId: number | null
  readonly userId: number
  readonly accountId: number
  readonly role: Role
  /** Memberships; the primary group when none is alive (contract.md 7.5). */
  readonly groups: readonly { groupId: number; expiresAt: number | null }[]
  readonly mayUseModel: (name: string) => boolean
  /** In the order of trial; empty for a session: every channel its groups may use. */
  readonly allowedUserChannels: readonly number[]
  /** Empty: from everywhere. */
  /** null: from everywhere. */
  readonly allowedIps: readonly Range[] | null
  /** 0: unlimited. */
  readonly quotaLimit: Money
  /** The key has a budget by day or month. */
  readonly budgeted: boolean
  /** The key's own. */
  readonly limits: Limits | undefined
  /** The user's own, over all his keys; undefined: his groups'. */
  readonly userLimits: Limits | undefined
  readonly enabled: boolean
  /** The key's own end, or that of a secret that was rotated with grace. */
  readonly expiresAt: number | null
  /** The user is locked. */
  readonly disabled: boolean
}

/** How many keys are kept. */
interface Bounds {
  callers: number
  /** Kept apart from the callers: a flood of made-up keys pushes no good one out. */
  unknown: number
}

/** A caller is about 1 KB: 20 MB at most. */
const BOUNDS: Bounds = { callers: 20_000, unknown: 10_000 }
/** A safety net under the change events: no copy is older, whatever gets lost between processes. */
const CALLER_TTL_MS = 30_000
/** A flood of one wrong key asks the database once in this time. */
const UNKNOWN_TTL_MS = 5_000

interface Entry {
  caller: KeyCaller
  /** On the monotonic clock: a clock that is set back must not keep a copy alive. */
  until: number
}

/** API keys in memory: a hit is one hash and one look-up; a change event drops what it names. */
export class KeyCache {
  readonly #deps: Pick<Deps, 'db' | 'clock'>
  readonly #bounds: Bounds
  readonly #callers = new Map<string, Entry>()
  readonly #unknown = new Map<string, number>()
  readonly #loading = new Map<string, Promise<KeyCaller | undefined>>()
  /** Grows with each drop: a load that began before must not be kept. */
  #generation = 0

  constructor(deps: Pick<Deps, 'db' | 'clock' | 'changes'>, bounds: Bounds = BOUNDS) {
    this.#deps = deps
    this.#bounds = bounds
    deps.changes.listen((change) => {
      if (change.type === 'api_key') this.#dropKeys(change.keyHashes)
      else if (change.type === 'user') this.#dropUser(change.userId)
      else if (change.type === 'everything') this.#dropAll()
    })
  }

  /** The caller of a secret, or undefined for a key that does not exist. */
  find(secret: string): Promise<KeyCaller | undefined> | KeyCaller | undefined {
    const hash = sha256Hex(secret)
    const now = this.#deps.clock.monotonic()
    const entry = this.#callers.get(hash)
    if (entry !== undefined && entry.until > now) {
      // Least recently used leaves first: a Map keeps the order of insertion.
      this.#callers.delete(hash)
      this.#callers.set(hash, entry)
      return entry.caller
    }
    const unknownUntil = this.#unknown.get(hash)
    if (unknownUntil !== undefined && unknownUntil > now) return undefined
    let loading = this.#loading.get(hash)
    if (loading === undefined) {
      loading = this.#load(hash).finally(() => {
        if (this.#loading.get(hash) === loading) this.#loading.delete(hash)
      })
      this.#loading.set(hash, loading)
    }
    return loading
  }

  async #load(hash: string): Promise<KeyCaller | undefined> {
    const generation = this.#generation
    const caller = await loadKeyCaller(this.#deps, hash)
    if (generation !== this.#generation) return caller
    const now = this.#deps.clock.monotonic()
    if (caller === undefined) {
      evict(this.#unknown, this.#bounds.unknown)
      this.#unknown.set(hash, now + UNKNOWN_TTL_MS)
    } else {
      evict(this.#callers, this.#bounds.callers)
      this.#unknown.delete(hash)
      this.#callers.set(hash, { caller, until: now + CALLER_TTL_MS })
    }
    return caller
  }

  #dropKeys(hashes: readonly string[]): void {
    this.#generation += 1
    for (const hash of hashes) {
      this.#callers.delete(hash)
      this.#unknown.delete(hash)
      this.#loading.delete(hash)
    }
  }

  #dropAll(): void {
    this.#generation += 1
    this.#loading.clear()
    this.#callers.clear()
    this.#unknown.clear()
  }

  #dropUser(userId: number): void {
    this.#generation += 1
    this.#loading.clear()
    for (const [hash, { caller }] of this.#callers) if (caller.userId === userId) this.#callers.delete(hash)
  }
}

function evict(map: Map<string, unknown>, max: number): void {
  for (const oldest of map.keys()) {
    if (map.size < max) return
    map.delete(oldest)
  }
}

async function loadKeyCaller(deps: Pick<Deps, 'db' | 'clock'>, hash: string): Promise<KeyCaller | undefined> {
  const rows = await selectKeyCaller(deps.db.query, hash)
  const row = rows[0]
  if (row === undefined) return undefined
  const now = deps.clock.now()
  const isPrevious = row.key_hash !== hash
  if (isPrevious && (row.previous_expires_at ?? 0) <= now) return undefined
  const lists = listsOf(row)
  const ends = [row.expires_at, isPrevious ? row.previous_expires_at : null].filter((end) => end !== null)
  return {
    ...personOf(rows, row, now),
    keyId: row.key_id,
    mayUseModel: nameMatcher(lists.models),
    allowedUserChannels: lists.userChannels,
    // What cannot be read lets nobody in; an empty list would let in everybody.
    allowedIps: lists.ips.length === 0 ? null : rangesOf(lists.ips),
    quotaLimit: row.quota_limit,
    budgeted: row.budget_daily !== null || row.budget_monthly !== null,
    limits: limitsOf(row),
    enabled: row.enabled === 1,
    expiresAt: ends.length === 0 ? null : Math.min(...ends),
  }
}

function rangesOf(ips: readonly string[]): Range[] {
  return ips.flatMap((ip) => {
    const range = parseRange(ip)
    return range === undefined ? [] : [range]
  })
}

/**
 * The caller of a session on the gateway: no key restricts him, his groups do.
 * @throws AppError session_invalid | user_not_found | account_disabled
 */
export async function sessionCaller(deps: Pick<Deps, 'db' | 'clock' | 'jwtSecret'>, credential: string): Promise<KeyCaller> {
  const { userId } = await callerOfToken(deps, new SessionTokens(deps.jwtSecret), credential)
  const rows = await selectUserCaller(deps.db.query, userId)
  const row = rows[0]
  if (row === undefined) throw new AppError('user_not_found')
  return {
    ...personOf(rows, row, deps.clock.now()),
    keyId: null,
    mayUseModel: nameMatcher([]),
    allowedUserChannels: [],
    allowedIps: null,
    quotaLimit: ZERO,
    budgeted: false,
    limits: undefined,
    enabled: true,
    expiresAt: null,
  }
}

interface PersonRow {
  user_id: number
  role: string
  disabled_at: number | null
  primary_group_id: number
  user_rate_limit_rpm: number | null
  user_rate_limit_tpm: number | null
  user_rate_limit_concurrency: number | null
  account_id: number
  group_id: number | null
  membership_expires_at: number | null
}

function personOf(
  rows: readonly PersonRow[],
  row: PersonRow,
  now: number,
): Pick<KeyCaller, 'userId' | 'accountId' | 'role' | 'groups' | 'userLimits' | 'disabled'> {
  const groups = rows.flatMap(({ group_id: groupId, membership_expires_at: expiresAt }) =>
    groupId === null ? [] : [{ groupId, expiresAt }],
  )
  const anyAlive = groups.some(({ expiresAt }) => expiresAt === null || expiresAt > now)
  return {
    userId: row.user_id,
    accountId: row.account_id,
    role: roleOf(row.role),
    groups: anyAlive ? groups : [{ groupId: row.primary_group_id, expiresAt: null }],
    userLimits: limitsOf({
      rate_limit_rpm: row.user_rate_limit_rpm,
      rate_limit_tpm: row.user_rate_limit_tpm,
      rate_limit_concurrency: row.user_rate_limit_concurrency,
    }),
    disabled: row.disabled_at !== null,
  }
}
