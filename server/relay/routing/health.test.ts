import { describe, expect, test } from 'bun:test'
import { Bench } from './test-kit.ts'

/** The default cooldown, with the most its jitter adds. */
const COOLDOWN_MS = 30_000
const JITTERED_MS = COOLDOWN_MS * 1.1

describe('a breaker', () => {
  test('opens after the failures in a row that the setting says, and not before', () => {
    const bench = new Bench('priority', [{ priority: 2 }, {}])
    for (let at = 0; at < 4; at++) expect(bench.fail()).toBe(1)
    bench.serve()
    for (let at = 0; at < 5; at++) expect(bench.fail()).toBe(1)
    expect(bench.serve()).toBe(2)
  })

  test('a dead top channel costs at most one try in each cooldown', () => {
    const bench = new Bench('priority', [{ priority: 2 }, {}])
    for (let at = 0; at < 5; at++) bench.fail()
    const tries: number[] = []
    for (let at = 0; at < 10_000; at++) {
      const call = bench.call()
      if (bench.order(call)[0] === 1) {
        tries.push(bench.clock.monotonic())
        bench.fail()
      } else expect(bench.serve()).toBe(2)
      bench.clock.advance(100)
    }
    expect(tries.length).toBeGreaterThanOrEqual(Math.floor((10_000 * 100) / (JITTERED_MS + 100)) - 1)
    for (const [index, ms] of tries.entries()) expect(ms - (tries[index - 1] ?? 0)).toBeGreaterThanOrEqual(COOLDOWN_MS)
  })

  test('half open: one call is the trial, others go elsewhere; its success closes it', () => {
    const bench = new Bench('priority', [{ priority: 2 }, {}])
    for (let at = 0; at < 5; at++) bench.fail()
    bench.clock.advance(JITTERED_MS)
    const call = bench.call()
    const trial = bench.begin(call)
    expect(trial?.candidate.channel.id).toBe(1)
    expect(bench.serve()).toBe(2)
    if (trial) bench.routing.answered(call, trial)
    expect(bench.serve()).toBe(1)
  })

  test("a customer's own mistake or leaving says nothing of the channel, and frees a trial", () => {
    const bench = new Bench('priority', [{ priority: 2 }, {}])
    for (let at = 0; at < 50; at++) expect(bench.fail({ blame: 'nobody' })).toBe(1)
    for (let at = 0; at < 5; at++) bench.fail()
    bench.clock.advance(JITTERED_MS)
    expect(bench.fail({ blame: 'nobody' })).toBe(1)
    expect(bench.serve()).toBe(1)
  })

  test('failures of one model leave the others of the channel alone, those of the network do not', () => {
    const bench = new Bench('priority', [{}])
    const { health } = bench.routing
    const [candidate] = bench.call().lists[0] ?? []
    if (!candidate) throw new Error('no candidate')
    const other = { ...candidate, channelModelId: 7 }
    for (let at = 0; at < 5; at++) bench.fail({ blame: 'model' })
    expect(health.blockOf(candidate, bench.clock.monotonic())?.reason).toBe('model_open')
    expect(health.blockOf(other, bench.clock.monotonic())).toBeUndefined()
    bench.routing.health.reset(1)
    for (let at = 0; at < 5; at++) bench.fail({ blame: 'channel' })
    expect(health.blockOf(other, bench.clock.monotonic())?.reason).toBe('open')
  })

  test('half of all calls failing opens it too, though never five in a row', () => {
    const bench = new Bench('priority', [{ priority: 2 }, {}])
    let calls = 0
    while (calls < 200 && bench.order()[0] === 1) {
      calls += 1
      if (calls % 3 === 0) bench.serve()
      else bench.fail()
    }
    expect(calls).toBeLessThan(60)
  })

  test('Retry-After opens it at once and for as long, also as a last resort', () => {
    const bench = new Bench('priority', [{ priority: 2 }, {}])
    bench.fail({ retryAfterMs: 7_000 })
    expect(bench.serve()).toBe(2)
    const [top] = bench.call().lists[0] ?? []
    if (!top) throw new Error('no candidate')
    bench.clock.advance(6_999)
    expect(bench.serve()).toBe(2)
    expect(bench.routing.health.enter(top, undefined, true)).toBeUndefined()
    bench.clock.advance(1)
    expect(bench.serve()).toBe(1)
  })

  test('as a last resort eight at a time may try what is open', () => {
    const bench = new Bench('priority', [{}])
    for (let at = 0; at < 5; at++) bench.fail()
    const [only] = bench.call().lists[0] ?? []
    if (!only) throw new Error('no candidate')
    const passes = Array.from({ length: 20 }, () => bench.routing.health.enter(only, undefined, true)).filter((pass) => pass !== undefined)
    expect(passes).toHaveLength(8)
    const [healed] = passes
    if (healed) bench.routing.answered(bench.call(), healed)
    expect(bench.serve()).toBe(1)
  })

  test('channels that fell together are not all tried together', () => {
    const bench = new Bench(
      'round_robin',
      Array.from({ length: 10 }, () => ({})),
    )
    const nowMs = bench.clock.monotonic()
    for (let at = 0; at < 50; at++) bench.fail()
    const due = (bench.call().lists[0] ?? []).map((candidate) => bench.routing.health.blockOf(candidate, nowMs)?.untilMs ?? 0)
    expect(new Set(due).size).toBeGreaterThan(8)
    for (const ms of due) expect(ms - nowMs).toBeWithin(COOLDOWN_MS, JITTERED_MS + 1)
  })
})

describe('keys of a channel', () => {
  const keyOf = (bench: Bench): string | undefined => {
    const call = bench.call()
    const pass = bench.begin(call)
    if (!pass) return undefined
    bench.routing.answered(call, pass)
    bench.routing.ended(call, { broke: false, reason: '', usage: undefined })
    return pass.candidate.channel.key
  }

  test('are used in turn', () => {
    const bench = new Bench('priority', [{ keys: 'a\nb\r\n\n c \nb' }])
    expect([1, 2, 3, 4].map(() => keyOf(bench))).toEqual(['a', 'b', 'c', 'a'])
  })

  test('one that is refused is left out at once; the channel stays in service, and so does its last key after one refusal', () => {
    const bench = new Bench('priority', [{ keys: 'a\nb' }])
    bench.fail({ blame: 'key_refused' })
    expect([1, 2, 3].map(() => keyOf(bench))).toEqual(['b', 'b', 'b'])
    bench.fail({ blame: 'key_refused' })
    expect(keyOf(bench)).toBe('b')
    expect(bench.routing.health.find(1)?.disabled).toBe(false)
  })

  test('one that is too fast cools down alone', () => {
    const bench = new Bench('priority', [{ keys: 'a\nb' }])
    bench.fail({ blame: 'rate_limit', retryAfterMs: 5_000 })
    expect([1, 2].map(() => keyOf(bench))).toEqual(['b', 'b'])
    bench.clock.advance(5_000)
    expect(new Set([1, 2].map(() => keyOf(bench)))).toEqual(new Set(['a', 'b']))
  })

  test('when none works the channel is out of service, for its key only after refusals in a row, and returns by itself', () => {
    const bench = new Bench('priority', [{ priority: 2 }, {}])
    for (let at = 0; at < 4; at++) expect(bench.fail({ blame: 'key_refused', reason: 'bad key' })).toBe(1)
    expect(bench.routing.health.find(1)?.disabled).toBe(false)
    bench.fail({ blame: 'key_refused', reason: 'bad key' })
    expect(bench.routing.health.find(1)?.disabled).toBe(true)
    expect(bench.kept).toContain('a channel was taken out of service: no key of it works')
    bench.clock.advance(JITTERED_MS)
    expect(bench.serve()).toBe(2)
    bench.clock.advance(JITTERED_MS * 10)
    expect(bench.serve()).toBe(1)
    expect(bench.routing.health.find(1)?.disabled).toBe(false)
    expect(bench.kept).toContain('a channel is back in service')
  })
})

describe('a conversation', () => {
  const talk = (id: string) => ({ body: { prompt_cache_key: id } })

  test('goes on where it was, with the same key, while others go round', () => {
    const bench = new Bench('round_robin', [{ keys: 'a\nb\nc' }, {}, {}])
    const call = bench.call(talk('t'))
    const first = bench.begin(call)
    if (!first) throw new Error('not let in')
    bench.routing.answered(call, first)
    for (let at = 0; at < 20; at++) {
      const next = bench.call(talk('t'))
      expect(bench.begin(next)?.candidate).toBe(first.candidate)
      expect(next.route?.by).toBe('conversation')
      bench.serve()
    }
  })

  test("is another user's or another name's no more than its own", () => {
    const bench = new Bench('round_robin', [{}, {}])
    expect(bench.serve(bench.call(talk('t')))).toBe(1)
    expect(bench.serve(bench.call({ ...talk('t'), facts: { userId: 2 } as never }))).toBe(2)
    expect(bench.serve(bench.call(talk('u')))).toBe(1)
    expect(bench.serve(bench.call({ body: {}, session: 't' }))).toBe(1)
  })

  test('leaves an unhealthy channel at once, and a lower priority when the higher one is back', () => {
    const bench = new Bench('priority', [{ priority: 2 }, {}])
    expect(bench.serve(bench.call(talk('t')))).toBe(1)
    for (let at = 0; at < 5; at++) bench.fail()
    expect(bench.serve(bench.call(talk('t')))).toBe(2)
    bench.clock.advance(JITTERED_MS)
    expect(bench.serve(bench.call(talk('t')))).toBe(1)
  })

  test('is forgotten after an hour', () => {
    const bench = new Bench('round_robin', [{}, {}])
    expect(bench.serve(bench.call(talk('t')))).toBe(1)
    bench.clock.advance(3_600_000)
    expect(bench.serve(bench.call(talk('t')))).toBe(2)
  })

  test('is known by its beginning once it goes on and is long enough to be cached; a first or short request is not', () => {
    const bench = new Bench('round_robin', [{}, {}])
    const turns = (more: object[]) => ({
      messages: [{ role: 'system', content: 'Be brief.' }, { role: 'user', content: 'Hello' }, ...more],
    })
    const reply = { role: 'assistant', content: 'Hi' }
    const long = (more: object[]) => bench.call({ body: turns(more) as never, estimatedInput: 5_000 })
    expect(bench.serve(long([]))).toBe(1)
    expect(bench.serve(long([reply, { role: 'user', content: 'x' }]))).toBe(2)
    expect(bench.serve(long([reply, { role: 'user', content: 'x' }, reply, { role: 'user', content: 'y' }]))).toBe(2)
    expect(bench.serve(bench.call({ body: turns([reply]) as never }))).toBe(1)
  })
})

test('calls that never reach a channel leave nothing in flight, and a second end changes nothing', () => {
  const bench = new Bench('least_busy', [{}])
  const call = bench.call()
  const pass = bench.begin(call)
  if (!pass) throw new Error('not let in')
  bench.routing.answered(call, pass)
  expect(bench.routing.health.find(1)?.inFlight).toBe(1)
  bench.routing.ended(call, { broke: false, reason: '', usage: undefined })
  bench.routing.ended(call, { broke: true, reason: 'x', usage: undefined })
  expect(bench.routing.health.find(1)).toMatchObject({ inFlight: 0, failures: 0 })
})
