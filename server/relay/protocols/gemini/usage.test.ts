import { describe, expect, test } from 'bun:test'
import { EMPTY_USAGE, totalInput, totalOutput } from '../../../../contract/meters.ts'
import type { JsonObject } from '../../../../contract/json.ts'
import { mergeTapUsage } from '../merge-usage.ts'
import { gemini } from './index.ts'
import { fixtures, framesOf, ours, run } from './test-kit.ts'
import { CALL } from './test-kit.ts'
import { readFileSync } from 'node:fs'

describe('usage', () => {
  const usage = (usageMetadata: JsonObject): unknown => gemini.usage({ usageMetadata })

  test('meters are disjoint: the cache, modalities, thoughts and tool prompts each count once', () => {
    expect(gemini.usage(ours('answer.json'))).toEqual({
      input: 383,
      cachedInput: 300,
      cacheWrite: 0,
      cacheWrite1h: 0,
      imageInput: 200,
      audioInput: 142,
      output: 90,
      imageOutput: 10,
      audioOutput: 0,
      reasoning: 40,
    })
  })

  test("meters sum to the provider's own total, in every fixture", () => {
    const bodies = fixtures('.json').map(({ path }) => JSON.parse(readFileSync(path, 'utf8')))
    for (const { path } of fixtures('.chunks.txt'))
      bodies.push(
        ...framesOf(path)
          .slice(-1)
          .map((frame) => JSON.parse(frame.data)),
      )
    for (const body of bodies.filter((row) => row.usageMetadata?.totalTokenCount !== undefined)) {
      const read = gemini.usage(body) ?? EMPTY_USAGE
      expect(totalInput(read) + totalOutput(read)).toBe(body.usageMetadata.totalTokenCount)
    }
  })

  test('thoughts that a server in between counted into the candidates are not counted twice', () => {
    expect(usage({ promptTokenCount: 10, candidatesTokenCount: 50, thoughtsTokenCount: 30, totalTokenCount: 60 })).toMatchObject({
      input: 10,
      output: 50,
      reasoning: 30,
    })
  })

  test('absurd counts count as absent, and no meter is ever negative', () => {
    expect(usage({ promptTokenCount: -1, candidatesTokenCount: 5 })).toBeUndefined()
    expect(usage({ promptTokenCount: 2 ** 60, candidatesTokenCount: 5 })).toBeUndefined()
    expect(
      usage({
        promptTokenCount: 5,
        cachedContentTokenCount: 9,
        candidatesTokenCount: 'x',
        promptTokensDetails: [{ modality: 'IMAGE', tokenCount: 50 }],
      }),
    ).toMatchObject({ input: 0, cachedInput: 5, imageInput: 0 })
    expect(usage({ trafficType: 'ON_DEMAND' })).toBeUndefined()
    expect(usage({ promptTokenCount: 5, totalTokenCount: 9 })).toMatchObject({ input: 5, output: 4 })
  })

  test('meters that were written are read back the same', () => {
    const meters = {
      ...EMPTY_USAGE,
      input: 10,
      cachedInput: 4,
      imageInput: 3,
      audioInput: 2,
      output: 20,
      imageOutput: 5,
      audioOutput: 1,
      reasoning: 6,
    }
    const { body } = gemini.encodeResponse({ id: 'i', model: 'm', choices: [], usage: meters }, CALL)
    expect(gemini.usage(body)).toEqual(meters)
  })
})

describe('tap', () => {
  test('text, usage and the end of every stream are those of the decoder', () => {
    for (const { path } of fixtures('.chunks.txt')) {
      const merged = {}
      let text = ''
      let ended = 0
      const frames = framesOf(path)
      frames.forEach((frame, index) => {
        const found = gemini.tap(frame)
        mergeTapUsage(merged, found)
        text += found.text
        if (found.end) ended = index + 1
      })
      const last = run(gemini.decodeStream(), frames).findLast((event) => event.type === 'usage')
      expect({ ...EMPTY_USAGE, ...merged } as unknown).toEqual(last?.usage)
      expect(ended).toBe(frames.length)
      expect(text.length).toBeGreaterThan(5)
    }
  })

  test('content is what a customer can use; a signature alone is none', () => {
    const tap = (part: JsonObject): boolean =>
      gemini.tap({ data: JSON.stringify({ candidates: [{ content: { parts: [part] } }] }) }).content
    expect([
      tap({ text: 'a' }),
      tap({ text: '', thoughtSignature: 's' }),
      tap({ functionCall: { name: 'f' } }),
      tap({ inlineData: {} }),
    ]).toEqual([true, false, true, true])
  })

  test('a reason without counts, or one of several candidates, is not the end', () => {
    expect(gemini.tap({ data: '{"candidates":[{"finishReason":"STOP"}]}' })).toEqual({ text: '', content: false, finish: 'STOP' })
    expect(
      gemini.tap({ data: '{"candidates":[{"finishReason":"STOP","index":1}],"usageMetadata":{"promptTokenCount":1}}' }).end,
    ).toBeUndefined()
  })

  test('an error chunk is a fault, junk is nothing', () => {
    expect(gemini.tap({ data: '{"error":{"code":429,"status":"RESOURCE_EXHAUSTED","message":"slow"}}' }).fault).toMatchObject({
      kind: 'rate_limit',
      status: 429,
    })
    for (const data of ['', '[DONE]', '{', 'null', '7', '[]', '{"candidates":[null,{"content":{"parts":7}}]}'])
      expect(gemini.tap({ data })).toEqual({ text: '', content: false })
  })
})
