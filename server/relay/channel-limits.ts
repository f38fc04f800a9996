import { AppError } from '../../contract/errors.ts'
import type { Candidate } from '../features/catalog/snapshot.ts'
import type { Limits } from '../lib/limit-fields.ts'
import type { Bucket, Limiter, Verdict } from '../lib/limiter.ts'
import { AttemptFailed } from './attempt.ts'
import type { AdmittedCall } from './call.ts'
import { tokensOf } from './call-limits.ts'

/** How long a call waits for a place on a channel that serves as many as it may: shorter than people give up, longer than most answers' rest. */
const MAX_WAIT_MS = 5_000
/** Calls that wait for one channel; more would only wait in vain. */
const MAX_WAITING = 100
/** Places that other processes free are found by asking. */
const ASK_AGAIN_MS = 100

/** What an attempt took of its channel's limits. */
export interface ChannelPlace {
  /** @param tokens what was used; undefined: the estimate stands. Twice does no harm. */
  end(tokens: number | undefined): void
}

/** The limits of channels and of models on them. A candidate without any costs two comparisons. */
export class ChannelLimits {
  readonly #limiter: Limiter
  /** Those who wait for a place, by channel, first come first served. */
  readonly #waiting = new Map<number, (() => void)[]>()

  constructor(limiter: Limiter) {
    this.#limiter = limiter
  }

  /** Whether there is room, as far as this process knows; undefined: there is, else the seconds until there may be. */
  fullFor(candidate: Candidate, call: AdmittedCall): number | undefined {
    const buckets = bucketsOf(candidate, call)
    if (!buckets) return undefined
    const { refused, waitSeconds } = this.#limiter.look(buckets)
    return refused < 0 ? undefined : waitSeconds
  }

  /**
   * Takes a place, or nothing when the candidate has no limits.
   * @param wait no other channel is left: for a place at once the call waits, within bounds
   * @throws AttemptFailed that counts against nobody
   */
  async enter(candidate: Candidate, call: AdmittedCall, wait: boolean): Promise<ChannelPlace | undefined> {
    const buckets = bucketsOf(candidate, call)
    if (!buckets) return undefined
    const { id } = candidate.channel
    const until = performance.now() + MAX_WAIT_MS
    for (;;) {
      const taken = await this.#limiter.take(buckets)
      const refusal = buckets[taken.refused]
      if (!refusal) return this.#place(id, buckets, taken)
      const queue = this.#waiting.get(id) ?? []
      const mayWait = wait && refusal.kind === 'gauge' && performance.now() < until && queue.length < MAX_WAITING
      if (!mayWait || call.clientSignal.aborted) throw full(taken.waitSeconds)
      await this.#turn(id, queue)
    }
  }

  #place(channelId: number, buckets: readonly Bucket[], taken: Verdict): ChannelPlace {
    let over = false
    return {
      end: (tokens) => {
        if (over) return
        over = true
        this.#limiter.release(buckets)
        const [next] = this.#waiting.get(channelId)?.splice(0, 1) ?? []
        next?.()
        if (tokens === undefined) return
        for (const bucket of buckets)
          if (bucket.key.endsWith(TOKENS)) this.#limiter.correct(bucket, Math.round(tokens) - Math.min(bucket.weight, bucket.limit), taken)
      },
    }
  }

  /** Resolves when a place here was freed, or after a while, in which another process may have freed one. */
  async #turn(channelId: number, queue: (() => void)[]): Promise<void> {
    this.#waiting.set(channelId, queue)
    let timer: ReturnType<typeof setTimeout> | undefined
    await new Promise<void>((resolve) => {
      queue.push(resolve)
      timer = setTimeout(() => {
        const index = queue.indexOf(resolve)
        if (index >= 0) queue.splice(index, 1)
        resolve()
      }, ASK_AGAIN_MS)
    })
    clearTimeout(timer)
    if (queue.length === 0 && this.#waiting.get(channelId) === queue) this.#waiting.delete(channelId)
  }
}

const TOKENS = ':tpm'

function bucketsOf(candidate: Candidate, call: AdmittedCall): Bucket[] | undefined {
  const { channel, limits } = candidate
  if (!channel.limits && !limits) return undefined
  const buckets: Bucket[] = []
  if (channel.limits) add(buckets, `channel:${channel.id}`, channel.limits, call)
  if (limits) add(buckets, `channel-model:${candidate.channelModelId}`, limits, call)
  return buckets
}

function add(buckets: Bucket[], owner: string, { requestsPerMinute, tokensPerMinute, concurrency }: Limits, call: AdmittedCall): void {
  if (requestsPerMinute !== undefined) buckets.push({ key: `${owner}:rpm`, kind: 'window', limit: requestsPerMinute, weight: 1 })
  if (tokensPerMinute !== undefined) buckets.push({ key: owner + TOKENS, kind: 'window', limit: tokensPerMinute, weight: tokensOf(call) })
  if (concurrency !== undefined) buckets.push({ key: `${owner}:calls`, kind: 'gauge', limit: concurrency, weight: 1 })
}

function full(waitSeconds: number): AttemptFailed {
  const failure = new AppError('upstream_unavailable', {
    retryAfterSeconds: waitSeconds,
    cause: 'the limit set for this channel is reached',
  })
  return new AttemptFailed(failure, true, null, 'nobody')
}
