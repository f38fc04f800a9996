import { AppError } from '../../contract/errors.ts'
import { totalInput, totalOutput } from '../../contract/meters.ts'
import type { KeyCaller } from '../features/api-keys/cache.ts'
import type { Snapshot } from '../features/catalog/snapshot.ts'
import type { LiveSettings } from '../lib/live-settings.ts'
import type { Limits } from '../lib/limit-fields.ts'
import type { Bucket, Limiter, Verdict } from '../lib/limiter.ts'
import { WINDOW_SECONDS } from '../lib/sliding-window.ts'
import type { AdmittedCall } from './call.ts'
import type { RelayDeps } from './deps.ts'
import { DEFAULT_MAX_OUTPUT } from './limits.ts'

/** What a bucket counts, and whether its owner may see how full it is (what the whole site has is nobody's business). */
interface CallBucket extends Bucket {
  readonly unit: 'requests' | 'tokens' | 'calls'
  readonly shown: boolean
}

/** A call over a limit, with the headers that say which. */
export class LimitReached extends AppError {
  readonly headers: Record<string, string>

  constructor(message: string, retryAfterSeconds: number, headers: Record<string, string>) {
    super('rate_limited', { message, retryAfterSeconds })
    this.headers = headers
  }
}

/** What a call takes of the limits of site, user and key; given back when it is over. */
export class CallLimits {
  readonly #buckets: CallBucket[]
  readonly #limiter: Limiter
  readonly #protocol: string
  readonly #now: () => number
  #taken: Verdict | undefined
  #over = false
  /** Tokens that ended parts of the call used. */
  #parts = 0

  constructor(buckets: CallBucket[], { limiter, clock }: Pick<RelayDeps, 'limiter' | 'clock'>, protocol: string) {
    this.#buckets = buckets
    this.#limiter = limiter
    this.#protocol = protocol
    this.#now = () => clock.now()
  }

  /** Refuses what this process alone knows to be too much, before anything is read. @throws LimitReached */
  look(): void {
    if (this.#buckets.length > 0) this.#check(this.#limiter.look(this.#buckets))
  }

  /** @param tokens asked for only where they are limited; @throws LimitReached, and then nothing was taken */
  async take(tokens: () => number): Promise<void> {
    if (this.#buckets.length === 0) return
    this.#buckets.forEach((bucket, index) => {
      if (bucket.unit === 'tokens') this.#buckets[index] = { ...bucket, weight: tokens() }
    })
    const asked = this.#limiter.take(this.#buckets)
    const verdict = asked instanceof Promise ? await asked : asked
    this.#check(verdict)
    this.#taken = verdict
  }

  /** The call is over. @param tokens what it really used; undefined: the estimate stands. Twice does no harm. */
  end(tokens: number | undefined): void {
    const taken = this.#taken
    if (!taken || this.#over) return
    this.#over = true
    this.#limiter.release(this.#buckets)
    if (tokens === undefined) return
    for (const bucket of this.#buckets)
      if (bucket.unit === 'tokens')
        this.#limiter.correct(bucket, Math.round(tokens + this.#parts) - Math.min(bucket.weight, bucket.limit), taken)
  }

  /** Limits of a call inside this one: it takes no place of its own, its tokens count with this call's if it ends before it. */
  part(): CallLimits {
    const part = new CallLimits([], { limiter: this.#limiter, clock: { now: this.#now, monotonic: this.#now } }, this.#protocol)
    part.end = (tokens) => {
      part.end = () => {}
      this.#parts += tokens ?? 0
    }
    return part
  }

  /** The headers of the client's protocol; none where nothing that is his is limited. */
  headers(verdict = this.#taken): Record<string, string> {
    const headers: Record<string, string> = {}
    if (!verdict) return headers
    for (const unit of ['requests', 'tokens'] as const) {
      const [limit, left] = this.#tightest(unit, verdict)
      if (limit === undefined) continue
      if (this.#protocol === 'claude') {
        headers[`anthropic-ratelimit-${unit}-limit`] = String(limit)
        headers[`anthropic-ratelimit-${unit}-remaining`] = String(left)
        headers[`anthropic-ratelimit-${unit}-reset`] = new Date(this.#now() + WINDOW_SECONDS * 1000).toISOString().replace(/\.\d+Z$/, 'Z')
      } else {
        headers[`x-ratelimit-limit-${unit}`] = String(limit)
        headers[`x-ratelimit-remaining-${unit}`] = String(left)
        headers[`x-ratelimit-reset-${unit}`] = `${WINDOW_SECONDS}s`
      }
    }
    return headers
  }

  /** Limit and rest of the bucket that will be empty first. */
  #tightest(unit: 'requests' | 'tokens', { used }: Verdict): [limit: number | undefined, left: number] {
    let limit: number | undefined
    let left = Infinity
    for (const [index, bucket] of this.#buckets.entries()) {
      const rest = Math.max(0, bucket.limit - (used[index] ?? 0))
      if (bucket.unit !== unit || !bucket.shown || rest >= left) continue
      limit = bucket.limit
      left = rest
    }
    return [limit, left]
  }

  #check(verdict: Verdict): void {
    const bucket = this.#buckets[verdict.refused]
    if (!bucket) return
    const what = bucket.unit === 'calls' ? 'calls at once' : `${bucket.unit} a minute`
    const limit = bucket.shown ? `${bucket.limit} ${what}` : `this site takes no more ${what}`
    throw new LimitReached(
      `Rate limit exceeded (${limit}); try again in ${verdict.waitSeconds} s`,
      verdict.waitSeconds,
      this.headers(verdict),
    )
  }
}

/**
 * The limits that hold for a caller: the site's; the user's own, else his groups'; the key's own, with the site's usual one where
 * it has none for requests. Without any of them nothing is allocated but the empty list.
 */
export function limitsOfCall(caller: KeyCaller, protocol: string, deps: RelayDeps): CallLimits {
  const { settings } = deps
  const buckets: CallBucket[] = []
  addSite(buckets, settings)
  const user = caller.userLimits ?? groupLimits(caller, deps.catalog.snapshot, deps.clock.now())
  if (user) add(buckets, `user:${caller.userId}`, user)
  const own = caller.limits
  if (own) add(buckets, `key:${caller.keyId}`, own)
  if (own?.requestsPerMinute === undefined) {
    const usual = usualLimit(settings)
    if (usual !== undefined)
      buckets.push({
        key: caller.keyId === null ? `session:${caller.userId}:rpm` : `key:${caller.keyId}:rpm`,
        kind: 'window',
        unit: 'requests',
        limit: usual,
        weight: 1,
        shown: true,
      })
  }
  return new CallLimits(buckets, deps, protocol)
}

/** What a call may come to: its input and what it asks for, or a usual answer where it does not say. */
export function tokensOf(call: AdmittedCall): number {
  const { peek, model, ingress } = call
  if (ingress.service) {
    const usage = ingress.service.ceiling(call)
    return totalInput(usage) + totalOutput(usage)
  }
  const most = model.maxOutputTokens ?? Infinity
  return Math.ceil(call.estimatedInput) + Math.min(peek.maxOutputTokens ?? DEFAULT_MAX_OUTPUT, most) * peek.choices
}

/** Counts a request that is no call: it costs nothing and has no tokens. @throws LimitReached */
export async function limitRequest(caller: KeyCaller, protocol: string, deps: RelayDeps): Promise<void> {
  const limits = limitsOfCall(caller, protocol, deps)
  await limits.take(() => 0)
  limits.end(0)
}

/** Calls a minute of a key with the allowed burst, or undefined when the site does not limit. */
function usualLimit(settings: LiveSettings): number | undefined {
  if (!settings.bool('rate_limit_enabled')) return undefined
  const perMinute = settings.integer('rate_limit_requests_per_minute')
  return perMinute > 0 ? perMinute + settings.integer('rate_limit_burst') : undefined
}

function addSite(buckets: CallBucket[], settings: LiveSettings): void {
  const requests = settings.integer('rate_limit_site_requests_per_minute')
  const tokens = settings.integer('rate_limit_site_tokens_per_minute')
  const calls = settings.integer('rate_limit_site_concurrency')
  if (requests > 0) buckets.push({ key: 'site:rpm', kind: 'window', unit: 'requests', limit: requests, weight: 1, shown: false })
  if (tokens > 0) buckets.push({ key: 'site:tpm', kind: 'window', unit: 'tokens', limit: tokens, weight: 0, shown: false })
  if (calls > 0) buckets.push({ key: 'site:calls', kind: 'gauge', unit: 'calls', limit: calls, weight: 1, shown: false })
}

function add(buckets: CallBucket[], owner: string, { requestsPerMinute, tokensPerMinute, concurrency }: Limits): void {
  if (requestsPerMinute !== undefined)
    buckets.push({ key: `${owner}:rpm`, kind: 'window', unit: 'requests', limit: requestsPerMinute, weight: 1, shown: true })
  if (tokensPerMinute !== undefined)
    buckets.push({ key: `${owner}:tpm`, kind: 'window', unit: 'tokens', limit: tokensPerMinute, weight: 0, shown: true })
  if (concurrency !== undefined)
    buckets.push({ key: `${owner}:calls`, kind: 'gauge', unit: 'calls', limit: concurrency, weight: 1, shown: true })
}

/** Of several groups the most generous, in each respect: a group without a limit does not limit. */
function groupLimits({ groups }: KeyCaller, snapshot: Snapshot, now: number): Limits | undefined {
  let best: Limits | undefined
  for (const { groupId, expiresAt } of groups) {
    if (expiresAt !== null && expiresAt <= now) continue
    const limits = snapshot.groups.get(groupId)?.limits
    if (!limits) return undefined
    best = best
      ? {
          requestsPerMinute: larger(best.requestsPerMinute, limits.requestsPerMinute),
          tokensPerMinute: larger(best.tokensPerMinute, limits.tokensPerMinute),
          concurrency: larger(best.concurrency, limits.concurrency),
        }
      : limits
  }
  return best
}

function larger(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined ? undefined : Math.max(a, b)
}
