import { describe, expect, test } from 'bun:test'
import type { JsonObject } from '../../../../contract/json.ts'
import { EMPTY_USAGE, totalInput, totalOutput } from '../../../../contract/meters.ts'
import { answers } from './test-kit.ts'
import { readUsage as responsesUsage } from '../openai-responses/usage.ts'
import { readUsage, usageOf, writeUsage } from './usage.ts'

const meters = (raw: JsonObject) => readUsage(raw)

describe('usage', () => {
  test('cached tokens are part of the prompt, whichever member names them', () => {
    const expected = { ...EMPTY_USAGE, input: 30, cachedInput: 70, output: 5 }
    const base = { prompt_tokens: 100, completion_tokens: 5, total_tokens: 105 }
    expect(meters({ ...base, prompt_tokens_details: { cached_tokens: 70 } })).toEqual(expected)
    expect(meters({ ...base, prompt_cache_hit_tokens: 70, prompt_cache_miss_tokens: 30 })).toEqual(expected)
    expect(meters({ ...base, cached_tokens: 70 })).toEqual(expected)
    expect(meters({ ...base, prompt_cache_hit_tokens: 70, prompt_tokens_details: { cached_tokens: 70 }, cached_tokens: 70 })).toEqual(
      expected,
    )
    expect(meters({ input_tokens: 100, output_tokens: 5, input_tokens_details: { cached_tokens: 70 } })).toEqual(expected)
  })

  test("Claude's cache keys inside the prompt are not counted twice", () => {
    const keys = { cache_read_input_tokens: 50, cache_creation_input_tokens: 20 }
    const inside = { ...EMPTY_USAGE, input: 30, cachedInput: 50, cacheWrite: 20, output: 5 }
    expect(meters({ prompt_tokens: 100, completion_tokens: 5, total_tokens: 105, ...keys })).toEqual(inside)
    expect(meters({ prompt_tokens: 100, completion_tokens: 5, ...keys })).toEqual(inside)
    expect(
      meters({
        prompt_tokens: 100,
        completion_tokens: 5,
        total_tokens: 105,
        prompt_tokens_details: { cached_tokens: 50 },
        cache_creation_input_tokens: 0,
      }),
    ).toEqual({ ...EMPTY_USAGE, input: 50, cachedInput: 50, output: 5 })
  })

  test("Claude's cache keys are added where the total or the prompt proves them outside", () => {
    const keys = { cache_read_input_tokens: 50, cache_creation_input_tokens: 20 }
    const outside = { ...EMPTY_USAGE, input: 30, cachedInput: 50, cacheWrite: 20, output: 5 }
    expect(meters({ prompt_tokens: 30, completion_tokens: 5, total_tokens: 105, ...keys })).toEqual(outside)
    expect(meters({ prompt_tokens: 30, completion_tokens: 5, ...keys })).toEqual(outside)
    expect(meters({ prompt_tokens: 80, completion_tokens: 5, total_tokens: 105, ...keys })).toEqual(outside)
    expect(meters({ prompt_tokens: 100, completion_tokens: 5, total_tokens: 175, ...keys })).toEqual({ ...outside, input: 100 })
    expect(
      meters({ prompt_tokens: 100, completion_tokens: 5, total_tokens: 184, ...keys, completion_tokens_details: { reasoning_tokens: 9 } }),
    ).toEqual({ ...outside, input: 100, output: 14, reasoning: 9 })
    expect(
      meters({ prompt_tokens: 100, completion_tokens: 5, total_tokens: 175, ...keys, completion_tokens_details: { reasoning_tokens: 3 } }),
    ).toEqual({ ...outside, input: 100, reasoning: 3 })
  })

  test('cached tokens beside the prompt are sold once, as what they are, whichever member names them', () => {
    const expected = { ...EMPTY_USAGE, input: 10, cachedInput: 1000, output: 5 }
    const base = { prompt_tokens: 10, completion_tokens: 5, total_tokens: 1015 }
    for (const named of [{ prompt_tokens_details: { cached_tokens: 1000 } }, { prompt_cache_hit_tokens: 1000 }, { cached_tokens: 1000 }])
      for (const read of [readUsage, responsesUsage]) {
        if (read === responsesUsage && 'prompt_cache_hit_tokens' in named) continue
        expect(read({ ...base, ...named })).toEqual(expected)
        expect(read({ ...base, total_tokens: 1022, ...named })).toEqual({ ...expected, output: 12 })
        // No room for them beside it: they are a part of it.
        expect(read({ ...base, total_tokens: 15, ...named })).toEqual({ ...EMPTY_USAGE, cachedInput: 10, output: 5 })
      }
  })

  test('1-hour writes are a part of all writes', () => {
    const base = { prompt_tokens: 100, completion_tokens: 5, total_tokens: 105 }
    const expected = { ...EMPTY_USAGE, input: 40, cacheWrite: 10, cacheWrite1h: 50, output: 5 }
    expect(meters({ ...base, cache_creation_input_tokens: 60, cache_creation_1h_input_tokens: 50 })).toEqual(expected)
    expect(meters({ ...base, cache_creation: { ephemeral_5m_input_tokens: 10, ephemeral_1h_input_tokens: 50 } })).toEqual(expected)
    expect(meters({ ...base, prompt_tokens_details: { cache_write_tokens: 60 } })).toEqual({
      ...EMPTY_USAGE,
      input: 40,
      cacheWrite: 60,
      output: 5,
    })
  })

  test('reasoning beside the completion is output, reasoning inside it is not added', () => {
    const details = { completion_tokens_details: { reasoning_tokens: 228 } }
    expect(meters({ prompt_tokens: 12, completion_tokens: 1, total_tokens: 241, ...details })).toEqual({
      ...EMPTY_USAGE,
      input: 12,
      output: 229,
      reasoning: 228,
    })
    expect(meters({ prompt_tokens: 12, completion_tokens: 1, ...details })).toEqual({
      ...EMPTY_USAGE,
      input: 12,
      output: 229,
      reasoning: 228,
    })
    expect(meters({ prompt_tokens: 12, completion_tokens: 300, total_tokens: 312, ...details })).toEqual({
      ...EMPTY_USAGE,
      input: 12,
      output: 300,
      reasoning: 228,
    })
    // Gemini's compatibility layer names its thoughts in the total only.
    expect(meters({ prompt_tokens: 12, completion_tokens: 1, total_tokens: 100 })).toEqual({ ...EMPTY_USAGE, input: 12, output: 88 })
  })

  test('sound and pictures have meters of their own', () => {
    expect(
      meters({
        prompt_tokens: 100,
        completion_tokens: 50,
        prompt_tokens_details: { audio_tokens: 30, image_tokens: 20, cached_tokens: 10 },
        completion_tokens_details: { audio_tokens: 15, image_tokens: 5 },
      }),
    ).toEqual({ ...EMPTY_USAGE, input: 40, audioInput: 30, imageInput: 20, cachedInput: 10, output: 30, audioOutput: 15, imageOutput: 5 })
  })

  test('what is no count is not believed, and half a usage is none', () => {
    for (const bad of [-1, Number.NaN, 1.5, '7', null, 2 ** 53, {}]) {
      expect(meters({ prompt_tokens: 10, completion_tokens: bad })).toBeUndefined()
      expect(meters({ prompt_tokens: 10, completion_tokens: 2, prompt_tokens_details: { cached_tokens: bad as number } })).toEqual({
        ...EMPTY_USAGE,
        input: 10,
        output: 2,
      })
    }
    expect(meters({ prompt_tokens: 10, total_tokens: 12 })).toEqual({ ...EMPTY_USAGE, input: 10, output: 2 })
    expect(meters({ prompt_tokens: 0, completion_tokens: 0, total_tokens: 0 })).toBeUndefined()
    expect(meters({})).toBeUndefined()
    expect(usageOf({ usage: null })).toBeUndefined()
  })

  test('details larger than their side never make a meter negative', () => {
    const usage = meters({
      prompt_tokens: 10,
      completion_tokens: 5,
      prompt_tokens_details: { cached_tokens: 99, audio_tokens: 99 },
      completion_tokens_details: { audio_tokens: 99, image_tokens: 9 },
    })
    expect(usage).toEqual({ ...EMPTY_USAGE, cachedInput: 10, audioOutput: 5 })
  })

  test('is found where Moonshot and Groq put it', () => {
    const raw = { prompt_tokens: 1, completion_tokens: 2 }
    expect(usageOf({ choices: [{ usage: raw }] })).toEqual({ ...EMPTY_USAGE, input: 1, output: 2 })
    expect(usageOf({ x_groq: { usage: raw } })).toEqual({ ...EMPTY_USAGE, input: 1, output: 2 })
  })

  test('what is written is read back', () => {
    const usage = {
      input: 1,
      cachedInput: 2,
      cacheWrite: 3,
      cacheWrite1h: 4,
      imageInput: 5,
      audioInput: 6,
      output: 70,
      imageOutput: 8,
      audioOutput: 9,
      reasoning: 10,
    }
    expect(readUsage(writeUsage(usage))).toEqual(usage)
  })

  for (const { name, body } of answers()) {
    test(`the meters sum to the provider's own total: ${name}`, () => {
      const usage = usageOf(body)
      const raw = body.usage as JsonObject | undefined
      if (!usage || !raw) throw new Error('a recorded answer has usage')
      expect(totalInput(usage) + totalOutput(usage)).toBe(Number(raw.total_tokens))
      expect(totalInput(usage)).toBe(Number(raw.prompt_tokens))
    })
  }
})
