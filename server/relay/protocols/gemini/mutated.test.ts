import { describe, test } from 'bun:test'
import type { JsonObject } from '../../../../contract/json.ts'
import { WireError } from '../protocol.ts'
import type { Frame } from '../protocol.ts'
import { gemini } from './index.ts'
import { fixtures, ours, oursFrames, run } from './test-kit.ts'
import { CALL } from './test-kit.ts'

describe('mutated input', () => {
  /** A small generator of its own, so that a failure can be repeated. */
  function dice(seed: number): (sides: number) => number {
    let state = seed
    return (sides) => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
      return Math.floor((state / 2 ** 32) * sides)
    }
  }

  const junk = [
    null,
    true,
    -1,
    1e308,
    '',
    'x',
    [],
    {},
    [[]],
    [null],
    { parts: 7 },
    '__proto__',
    { functionCall: { name: 1, partialArgs: [{ jsonPath: '$' }] } },
    { text: 5, thought: true },
  ]

  function mutate(value: unknown, roll: (sides: number) => number): unknown {
    if (roll(12) === 0) return structuredClone(junk[roll(junk.length)])
    if (Array.isArray(value)) {
      const items = value.map((item) => mutate(item, roll))
      if (roll(6) === 0) items.push(structuredClone(junk[roll(junk.length)]))
      return items
    }
    if (typeof value !== 'object' || value === null) return value
    const rows = Object.entries(value).filter(() => roll(20) !== 0)
    return Object.fromEntries(rows.map(([name, item]) => [roll(30) === 0 ? 'renamed' : name, mutate(item, roll)]))
  }

  test('nothing throws but WireError, on any road', () => {
    const roll = dice(7)
    const requests = fixtures('.json')
      .filter(({ name }) => name.startsWith('request'))
      .map(({ name }) => ours(name))
    const streams = ['answer.chunks.txt', 'partial-args.chunks.txt'].map(oursFrames)
    for (let round = 0; round < 600; round++) {
      for (const request of requests) {
        const body = mutate(request, roll) as JsonObject
        if (typeof body !== 'object' || body === null || Array.isArray(body)) continue
        tolerant(() => gemini.encodeRequest(gemini.decodeRequest(body, { model: 'gemini-3' })))
        tolerant(() => gemini.peek(body, {}))
        gemini.patch(body, { model: 'm', stream: true })
        gemini.requestText(body)
      }
      const answer = mutate(ours('answer.json'), roll) as JsonObject
      if (typeof answer === 'object' && answer !== null) {
        tolerant(() => gemini.encodeResponse(gemini.decodeResponse(answer), CALL))
        gemini.usage(answer)
        gemini.answerText(answer)
      }
      for (const stream of streams) {
        const frames: Frame[] = stream.map((frame) => {
          const data = JSON.stringify(mutate(JSON.parse(frame.data), roll)) ?? 'null'
          return { data: roll(10) === 0 ? data.slice(0, roll(data.length)) : data }
        })
        for (const frame of frames) gemini.tap(frame)
        run(gemini.encodeStream(CALL), run(gemini.decodeStream(), frames))
      }
    }
  })

  function tolerant(work: () => unknown): void {
    try {
      work()
    } catch (error) {
      if (!(error instanceof WireError)) throw error
    }
  }
})
