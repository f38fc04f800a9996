import { afterEach, expect, test } from 'bun:test'
import { ManualClock } from '../../test/clock.ts'
import { KEEP_ALIVE_MS } from './limits.ts'
import { StreamWatch, type Watched } from './watch.ts'

/* R2: streams survive silence. Time is moved by hand, a sweep a second as the timer makes them. */

const SWEEP_MS = 1_000
/** Promised between two pings. */
const PING_WITHIN_MS = 15_000
const MINUTE_MS = 60_000
const IDLE_MS = 5 * MINUTE_MS

const clock = new ManualClock()
const watch = new StreamWatch(clock, KEEP_ALIVE_MS, () => IDLE_MS)

class Silent implements Watched {
  sentAtMs = clock.monotonic()
  heardAtMs = clock.monotonic()
  readonly pings: number[] = []
  timedOutMs: number | undefined

  keepAlive(): void {
    this.pings.push(clock.monotonic())
  }

  timeOut(): void {
    this.timedOutMs ??= clock.monotonic()
  }
}

const streams: Silent[] = []
afterEach(() => {
  for (const stream of streams.splice(0)) watch.remove(stream)
  expect(watch.open).toBe(0)
})

function opened(): Silent {
  const stream = new Silent()
  streams.push(stream)
  watch.add(stream)
  return stream
}

function pass(ms: number, each: () => void = () => undefined): void {
  for (let passed = 0; passed < ms; passed += SWEEP_MS) {
    clock.advance(SWEEP_MS)
    each()
    watch.sweep()
  }
}

/** The longest time in which the client heard nothing, to `untilMs`. */
function longestSilence(stream: Silent, fromMs: number, untilMs: number): number {
  const heard = [fromMs, ...stream.pings, untilMs]
  return Math.max(...heard.slice(1).map((at, index) => at - (heard[index] ?? 0)))
}

test('five minutes of silence: a ping at least every 15 s, and then the time-out', () => {
  const stream = opened()
  const from = clock.monotonic()
  pass(IDLE_MS - SWEEP_MS)
  expect(longestSilence(stream, from, clock.monotonic())).toBeLessThanOrEqual(PING_WITHIN_MS)
  expect(stream.timedOutMs).toBeUndefined()
  pass(SWEEP_MS)
  expect(stream.timedOutMs).toBe(from + IDLE_MS)
})

test('an hour of an upstream that speaks once in almost five minutes is not cut, and the client is never left without a ping', () => {
  const stream = opened()
  const from = clock.monotonic()
  pass(60 * MINUTE_MS, () => {
    if ((clock.monotonic() - from) % (IDLE_MS - 10_000) === 0) stream.heardAtMs = watch.nowMs
  })
  expect(stream.timedOutMs).toBeUndefined()
  expect(longestSilence(stream, from, clock.monotonic())).toBeLessThanOrEqual(PING_WITHIN_MS)
})

test('a stream that sends is not pinged', () => {
  const stream = opened()
  pass(10 * MINUTE_MS, () => {
    stream.heardAtMs = stream.sentAtMs = watch.nowMs
  })
  expect([stream.pings, stream.timedOutMs]).toEqual([[], undefined])
})
