import { describe, expect, test } from 'bun:test'
import { EMPTY_USAGE, type Usage, type UsageDetails } from '../../../../contract/meters.ts'
import type { JsonObject } from '../../../../contract/json.ts'
import { mergeTapUsage } from '../merge-usage.ts'
import { claude } from './index.ts'
import { frames, ours, framesOf, fixtures } from './test-kit.ts'

function usage(raw: JsonObject) {
  return claude.usage({ usage: raw })
}

/** What a relay knows after tapping every frame. */
function tapped(...events: JsonObject[]): Partial<Usage & UsageDetails> {
  const merged = {}
  for (const frame of frames(...events)) mergeTapUsage(merged, claude.tap(frame))
  return merged
}

const start = (raw: JsonObject): JsonObject => ({ type: 'message_start', message: { usage: raw } })
const delta = (raw: JsonObject): JsonObject => ({ type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage: raw })

describe('usage of a whole answer', () => {
  test('cache reads and writes stand beside the input, each write in one meter only', () => {
    const raw = {
      input_tokens: 10,
      cache_read_input_tokens: 20,
      cache_creation_input_tokens: 30,
      output_tokens: 40,
      cache_creation: { ephemeral_5m_input_tokens: 12, ephemeral_1h_input_tokens: 18 },
      output_tokens_details: { thinking_tokens: 7 },
    }
    expect(usage(raw)).toEqual({ ...EMPTY_USAGE, input: 10, cachedInput: 20, cacheWrite: 12, cacheWrite1h: 18, output: 40, reasoning: 7 })
  })

  test('writes without a split are 5-minute writes; a flat 1-hour count is a part of the total', () => {
    expect(usage({ input_tokens: 1, output_tokens: 1, cache_creation_input_tokens: 30 })).toMatchObject({ cacheWrite: 30, cacheWrite1h: 0 })
    expect(usage({ input_tokens: 1, output_tokens: 1, cache_creation_input_tokens: 30, cache_creation_1h_input_tokens: 10 })).toMatchObject(
      { cacheWrite: 20, cacheWrite1h: 10 },
    )
    expect(
      usage({ input_tokens: 1, output_tokens: 1, cache_creation_input_tokens: 30, cache_creation: { ephemeral_5m_input_tokens: 0 } }),
    ).toMatchObject({ cacheWrite: 0, cacheWrite1h: 30 })
  })

  test('compactions and advisors, which the top level leaves out, are added', () => {
    const iterations = [
      { type: 'compaction', input_tokens: 100, output_tokens: 10 },
      { type: 'message', input_tokens: 5, output_tokens: 6 },
      { type: 'advisor_message', input_tokens: 7, output_tokens: 3, cache_creation_input_tokens: 4, cache_read_input_tokens: 2 },
    ]
    expect(usage({ input_tokens: 5, output_tokens: 6, iterations })).toMatchObject({
      input: 112,
      output: 19,
      cacheWrite: 4,
      cachedInput: 2,
    })
  })

  for (const bad of [-1, NaN, Infinity, 2 ** 53, 1.5, '5', null, {}, [1]]) {
    test(`a count of ${JSON.stringify(bad)} is none at all`, () => {
      expect(usage({ input_tokens: bad, output_tokens: 1 })).toBeUndefined()
      expect(usage({ input_tokens: 1, output_tokens: 1, cache_read_input_tokens: bad })).toEqual({
        ...EMPTY_USAGE,
        input: 1,
        output: 1,
      })
    })
  }

  test('half a usage is none, so that it is estimated instead of billed as zero', () => {
    expect(usage({ output_tokens: 5 })).toBeUndefined()
    expect(claude.usage({})).toBeUndefined()
  })

  test('written for a client, the meters come back', () => {
    const meters = { ...EMPTY_USAGE, input: 5, cachedInput: 6, cacheWrite: 7, cacheWrite1h: 8, output: 9, reasoning: 3 }
    const completion = { id: 'x', model: 'm', choices: [], usage: meters }
    const { body } = claude.encodeResponse(completion, { model: 'm', wantsUsage: true, created: 0, id: 'y' })
    expect(claude.usage(body)).toEqual(meters)
    expect(body.usage).toMatchObject({ input_tokens: 5, cache_creation_input_tokens: 15, cache_read_input_tokens: 6, output_tokens: 9 })
  })
})

describe('usage of a tapped stream', () => {
  test("the delta's cumulative counts replace the start's, and the start's output is no count", () => {
    expect(tapped(start({ input_tokens: 2, cache_read_input_tokens: 5, output_tokens: 1 }))).toEqual({ input: 2, cachedInput: 5 })
    expect(tapped(start({ input_tokens: 2, output_tokens: 1 }), delta({ input_tokens: 6, output_tokens: 9 }))).toEqual({
      input: 6,
      output: 9,
    })
  })

  test('an unsplit total of writes at the end never doubles the 1-hour writes of the start', () => {
    const split = (minutes: number, hour: number) =>
      start({
        input_tokens: 2,
        output_tokens: 1,
        cache_creation_input_tokens: minutes + hour,
        cache_creation: { ephemeral_5m_input_tokens: minutes, ephemeral_1h_input_tokens: hour },
      })
    const end = (total: number) => delta({ input_tokens: 2, output_tokens: 9, cache_creation_input_tokens: total })
    expect(tapped(split(0, 300), end(300))).toMatchObject({ cacheWrite: 0, cacheWrite1h: 300 })
    expect(tapped(split(0, 300), end(350))).toMatchObject({ cacheWrite: 0, cacheWrite1h: 350 })
    expect(tapped(split(100, 200), end(350))).toMatchObject({ cacheWrite: 150, cacheWrite1h: 200 })
    expect(tapped(split(300, 0), end(500))).toMatchObject({ cacheWrite: 500, cacheWrite1h: 0 })
  })

  test('zeros of a gateway that knows only the output do not make the input free', () => {
    expect(
      tapped(
        start({ input_tokens: 70, cache_read_input_tokens: 9 }),
        delta({ input_tokens: 0, cache_read_input_tokens: 0, output_tokens: 3 }),
      ),
    ).toEqual({ input: 70, cachedInput: 9, output: 3 })
  })

  test('every recorded stream taps to what it decodes to', () => {
    for (const { name, path } of fixtures('.chunks.txt').filter((each) => !/spliced|programmatic/.test(each.name))) {
      const merged = { ...EMPTY_USAGE }
      for (const frame of framesOf(path)) mergeTapUsage(merged, claude.tap(frame))
      const events = framesOf(path).reduce((all, frame) => (all.push(...decoder.push(frame)), all), fresh())
      const last = events.findLast((event) => event.type === 'usage')
      expect([name, merged]).toEqual([name, last?.type === 'usage' ? last.usage : merged])
    }
  })

  let decoder = claude.decodeStream()
  function fresh(): ReturnType<typeof decoder.push> {
    decoder = claude.decodeStream()
    return []
  }
})

describe('tap', () => {
  test('counts every word the model wrote: texts, thoughts, tool inputs', () => {
    const path = fixtures('.chunks.txt').find((each) => each.name === 'answer.chunks.txt')?.path ?? ''
    const words = framesOf(path)
      .map((frame) => claude.tap(frame).text)
      .join('')
    expect(words).toBe('Search, then ask the tool.{"query": "weather"}It rains ☔ oftenWhat was said.{"city":"Köln"}')
    expect(claude.answerText(ours('answer.json')).split('\n')).toEqual([
      'Search, then ask the tool.',
      '{"query":"weather"}',
      'It rains ☔ often',
      'What was said.',
      '{"city":"Köln"}',
      '{}',
    ])
  })

  test('sees content, the finish, the end and an error', () => {
    const tap = (event: JsonObject) => frames(event).map((frame) => claude.tap(frame))[0]
    expect(tap({ type: 'ping' })).toEqual({ text: '', content: false })
    expect(tap({ type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } })?.content).toBe(false)
    expect(
      tap({ type: 'content_block_start', index: 0, content_block: { type: 'tool_use', id: 'a', name: 'b', input: {} } })?.content,
    ).toBe(true)
    expect(tap({ type: 'content_block_delta', index: 0, delta: { type: 'signature_delta', signature: 'abc' } })?.text).toBe('')
    expect(tap(delta({ output_tokens: 1 }))).toMatchObject({ finish: 'end_turn', usage: { output: 1 } })
    expect(tap({ type: 'message_stop' })?.end).toBe(true)
    expect(claude.tap({ data: '{"type":"message_stop"}' }).end).toBe(true)
    expect(tap({ type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } })?.fault).toMatchObject({
      kind: 'overloaded',
      status: 529,
    })
    expect(claude.tap({ data: 'not json' })).toEqual({ text: '', content: false })
  })
})
