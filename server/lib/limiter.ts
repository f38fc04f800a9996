import type { Clock } from './clock.ts'
import { randomToken } from './ids.ts'
import { CORRECT, TAKE } from './limit-scripts.ts'
import { describeError, type Log } from './log.ts'
import { windowOf } from './rate-limit.ts'
import { RedisDown, type Redis, type RedisScript } from './redis.ts'
import type { SlidingWindow } from './sliding-window.ts'

/** One thing there is only so much of: counted over the last 60 seconds, or as much as runs at once. */
export interface Bucket {
  readonly key: string
  readonly kind: 'window' | 'gauge'
  readonly limit: number
  /** How much is wanted; of a gauge always 1. More than the limit is taken as the limit: it fits when nothing else is there. */
  readonly weight: number
}

/** What came of asking. */
export interface Verdict {
  /** Index of the bucket that refused; -1: all was taken. */
  readonly refused: number
  /** After so many seconds it may be different. */
  readonly waitSeconds: number
  /** What is used of each bucket now. */
  readonly used: readonly number[]
  /** When it was counted, for giving back: by the own clock, and by that of Redis where it was asked. */
  readonly second: number
  readonly sharedSecond: number | undefined
}

/**
 * How long Redis may take to answer. It takes a tenth of a millisecond; a frozen one costs a call less than a tenth of a
 * second (promises.md R8), and the calls after it nothing.
 */
const TIMEOUT_MS = 40
/** What a process that died had running counts no longer than this; the living say again what they have three times in it. */
const GAUGE_SECONDS = 30
const BEAT_MS = 10_000
/** Buckets in one script: some kilobytes, a tenth of a millisecond. */
const MAX_KEYS_A_SCRIPT = 200

/**
 * Limits that several calls share: all buckets of a call are taken together or none is. Exact within this process, and over all
 * of them while Redis answers; when it does not, each process goes on with what it knows itself.
 */
export class Limiter {
  readonly #clock: Clock
  readonly #redis: Redis | undefined
  readonly #log: Log
  readonly #self = randomToken(9)
  readonly #windows = new Map<string, SlidingWindow>()
  readonly #gauges = new Map<string, number>()
  /** Of those, how many Redis has not answered for yet: while one is, what this process has is not certain and is not said. */
  readonly #asking = new Map<string, number>()
  readonly #timer: ReturnType<typeof setInterval> | undefined

  constructor(clock: Clock, redis: Redis | undefined, log: Log) {
    this.#clock = clock
    this.#redis = redis
    this.#log = log
    if (!redis) return
    this.#timer = setInterval(() => this.#beat(), BEAT_MS)
    this.#timer.unref()
  }

  /** What this process alone can say, without taking: a refusal is sure, a permission is not. */
  look(buckets: readonly Bucket[]): Verdict {
    const second = this.#second()
    const used: number[] = []
    let refused = -1
    let waitSeconds = 0
    for (const [index, { key, kind, limit, weight }] of buckets.entries()) {
      const wanted = Math.min(weight, limit)
      const window = kind === 'window' ? windowOf(this.#windows, key, second) : undefined
      const sum = window ? window.sum : (this.#gauges.get(key) ?? 0)
      used.push(sum)
      if (sum + wanted <= limit) continue
      const wait = window ? window.wait(limit - wanted) : 1
      if (refused >= 0 && wait <= waitSeconds) continue
      refused = index
      waitSeconds = wait
    }
    return { refused, waitSeconds, used, second, sharedSecond: undefined }
  }

  /** Takes from all buckets or from none. At once without Redis; else one question for all of them. */
  take(buckets: readonly Bucket[]): Verdict | Promise<Verdict> {
    const verdict = this.look(buckets)
    if (verdict.refused >= 0) return verdict
    this.#add(buckets)
    const taken = {
      ...verdict,
      used: buckets.map(({ key, kind, weight, limit }, index) => this.#used(key, kind, verdict, index, weight, limit)),
    }
    return this.#redis?.up ? this.#ask(this.#redis, buckets, taken) : taken
  }

  /** What was running is over. */
  release(buckets: readonly Bucket[]): void {
    const gauges = buckets.filter(({ kind }) => kind === 'gauge')
    if (gauges.length === 0) return
    this.#count(this.#gauges, gauges, -1)
    this.#tell(gauges, () => ['r', '1', '0'])
  }

  /** What was taken of a window was too much (negative) or too little. */
  correct(bucket: Bucket, by: number, { second, sharedSecond }: Verdict): void {
    if (by === 0) return
    const window = windowOf(this.#windows, bucket.key, this.#second())
    if (by > 0) window.add(by)
    else window.takeBack(-by, second)
    this.#tell([bucket], (_) => ['w', String(by), String(sharedSecond ?? 0)])
  }

  close(): void {
    clearInterval(this.#timer)
  }

  async #ask(redis: Redis, buckets: readonly Bucket[], taken: Verdict): Promise<Verdict> {
    const args = [this.#self, String(GAUGE_SECONDS)]
    for (const { kind, limit, weight } of buckets) args.push(kind === 'gauge' ? 'g' : 'w', String(limit), String(Math.min(weight, limit)))
    this.#count(this.#asking, buckets, 1)
    let answer: number[]
    try {
      answer = (await redis.run(TAKE, this.#names(redis, buckets), args, TIMEOUT_MS)) as number[]
    } catch (error) {
      if (!(error instanceof RedisDown)) this.#log.error('shared limits cannot be asked', { cause: describeError(error) })
      return taken
    } finally {
      this.#count(this.#asking, buckets, -1)
    }
    const [index = 0, waitSeconds = 1, sharedSecond, ...used] = answer
    if (index === 0) return { ...taken, used, sharedSecond }
    this.#giveBack(buckets, taken.second)
    return { refused: index - 1, waitSeconds, used, second: taken.second, sharedSecond }
  }

  #used(key: string, kind: Bucket['kind'], { used }: Verdict, index: number, weight: number, limit: number): number {
    return kind === 'gauge' ? (this.#gauges.get(key) ?? 0) : (used[index] ?? 0) + Math.min(weight, limit)
  }

  #add(buckets: readonly Bucket[]): void {
    for (const { key, kind, limit, weight } of buckets) if (kind === 'window') this.#windows.get(key)?.add(Math.min(weight, limit))
    this.#count(this.#gauges, buckets, 1)
  }

  #count(counts: Map<string, number>, buckets: readonly Bucket[], by: 1 | -1): void {
    for (const { key, kind } of buckets) {
      if (kind !== 'gauge') continue
      const count = (counts.get(key) ?? 0) + by
      if (count > 0) counts.set(key, count)
      else counts.delete(key)
    }
  }

  /** Others refused what this process had counted already; Redis has counted nothing of it. */
  #giveBack(buckets: readonly Bucket[], second: number): void {
    for (const { key, kind, limit, weight } of buckets)
      if (kind === 'window') windowOf(this.#windows, key, this.#second()).takeBack(Math.min(weight, limit), second)
    this.#count(this.#gauges, buckets, -1)
  }

  #beat(): void {
    const certain = [...this.#gauges.keys()].filter((key) => !this.#asking.has(key)).map((key) => ({ key }))
    this.#tell(certain, ({ key }) => ['g', String(this.#gauges.get(key) ?? 0), '0'])
  }

  /** Says it and does not wait: what gets lost is said again by the next beat, or is out of the window in a minute. */
  #tell(buckets: readonly Pick<Bucket, 'key'>[], argsOf: (bucket: Pick<Bucket, 'key'>) => string[]): void {
    const redis = this.#redis
    if (!redis?.up) return
    for (let start = 0; start < buckets.length; start += MAX_KEYS_A_SCRIPT) {
      const part = buckets.slice(start, start + MAX_KEYS_A_SCRIPT)
      this.#say(redis, CORRECT, part, [this.#self, String(GAUGE_SECONDS), ...part.flatMap(argsOf)])
    }
  }

  #say(redis: Redis, script: RedisScript, buckets: readonly Pick<Bucket, 'key'>[], args: readonly string[]): void {
    redis.run(script, this.#names(redis, buckets), args, TIMEOUT_MS).catch((error: unknown) => {
      if (!(error instanceof RedisDown)) this.#log.error('shared limits cannot be corrected', { cause: describeError(error) })
    })
  }

  #names(redis: Redis, buckets: readonly Pick<Bucket, 'key'>[]): string[] {
    return buckets.map(({ key }) => `${redis.prefix}limit:${key}`)
  }

  #second(): number {
    return Math.floor(this.#clock.monotonic() / 1000)
  }
}
