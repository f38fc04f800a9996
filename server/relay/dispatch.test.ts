import { describe, expect, test } from 'bun:test'
import { AppError } from '../../contract/errors.ts'
import { AttemptFailed } from './attempt.ts'
import type { RelayDeps } from './deps.ts'
import { tryEach } from './dispatch.ts'
import { plan } from './plan.ts'
import { Bench, type TestChannel } from './routing/test-kit.ts'
import { DispatchError } from './tries.ts'

/* R3: 200 calls a second for a minute, on a clock that the test moves. */
const PER_SECOND = 200
const CALLS = 60 * PER_SECOND

/** Calls against upstreams that exist in memory only. */
class Storm extends Bench {
  attempts = 0
  answered = 0
  /** Told what was asked when; throws what that upstream fails with. */
  upstream: (channelId: number, nowMs: number) => void = () => undefined
  readonly #deps = {
    routing: this.routing,
    channelLimits: this.channelLimits,
    clock: this.clock,
    settings: this.settings,
  } as unknown as RelayDeps

  constructor(channels: readonly TestChannel[]) {
    super('priority', channels)
  }

  /** @returns the channels that were asked */
  async once(): Promise<number[]> {
    const call = this.call({ startedMs: this.clock.monotonic(), clientSignal: new AbortController().signal })
    const asked: number[] = []
    const tried = tryEach(call, plan(call, this.#deps), this.#deps, async (_, { channel }) => {
      this.attempts += 1
      asked.push(channel.id)
      this.upstream(channel.id, this.clock.monotonic())
      return { response: new Response(), abort: new AbortController() }
    })
    try {
      await tried
      this.answered += 1
    } catch (error) {
      if (!(error instanceof DispatchError)) throw error
    }
    this.routing.ended(call, { broke: false, reason: '', usage: undefined })
    return asked
  }

  async minute(): Promise<void> {
    for (let at = 0; at < CALLS; at++) {
      const asked = await this.once()
      if (new Set(asked).size !== asked.length) throw new Error(`asked twice: ${asked.join()}`)
      this.clock.advance(1000 / PER_SECOND)
    }
  }
}

const fault = (retryAfterSeconds?: number): AttemptFailed =>
  new AttemptFailed(new AppError('upstream_unavailable', retryAfterSeconds === undefined ? {} : { retryAfterSeconds }), true, 503)

describe('a minute at 200 calls a second while every upstream fails', () => {
  for (const [name, channels] of [
    ['one channel', [{}]],
    ['three of three ranks', [{ priority: 3 }, { priority: 2 }, {}]],
    ['eight of one rank', Array.from({ length: 8 }, () => ({}))],
  ] as const) {
    test(`${name}: at most 1.1 tries a call, each channel once a call, and the first call after it is answered`, async () => {
      const storm = new Storm(channels)
      storm.upstream = () => {
        throw fault()
      }
      await storm.minute()
      expect(storm.attempts).toBeLessThanOrEqual(CALLS * 1.1)
      expect(storm.answered).toBe(0)
      storm.upstream = () => undefined
      await storm.once()
      expect(storm.answered).toBe(1)
    })
  }

  test('Retry-After is kept to the millisecond by every channel, and its end is the recovery', async () => {
    const storm = new Storm([{ priority: 3 }, { priority: 2 }, {}])
    const last = new Map<number, number>()
    storm.upstream = (id, nowMs) => {
      expect(nowMs - (last.get(id) ?? -Infinity)).toBeGreaterThanOrEqual(5_000)
      last.set(id, nowMs)
      throw fault(5)
    }
    await storm.minute()
    expect(storm.attempts).toBe(3 * 12)
    storm.upstream = () => undefined
    storm.clock.advance(5_000)
    await storm.once()
    expect(storm.answered).toBe(1)
  })

  test('one error in a hundred opens nothing and is noticed by nobody', async () => {
    const storm = new Storm([{ priority: 2 }, {}])
    let asked = 0
    storm.upstream = (id) => {
      if (id === 1 && ++asked % 100 === 0) throw fault()
    }
    await storm.minute()
    expect(storm.answered).toBe(CALLS)
    expect(storm.attempts).toBe(CALLS + CALLS / 100)
    expect(storm.routing.health.version).toBe(0)
  })
})
