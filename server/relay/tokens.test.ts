import { expect, test } from 'bun:test'
import { InputEstimator } from './tokens.ts'

const TEXT = 'Please tell me what stands in this letter, and answer in one sentence. '.repeat(20)

/** What a text is estimated at after a customer's calls: [text, tokens the upstream stated]. */
function after(calls: readonly [text: string, reported: number][]): number {
  const estimator = new InputEstimator()
  for (const [text, reported] of calls) estimator.learn('m', estimator.estimate('m', text), reported)
  return estimator.estimate('m', TEXT)
}

test("a model's own tokenizer is learned from what its upstream states", () => {
  const fresh = after([])
  for (const factor of [0.7, 1.4, 4]) {
    const learned = after(Array.from({ length: 30 }, () => [TEXT, Math.round(fresh * factor)]))
    expect(learned / fresh).toBeGreaterThan(factor * 0.98)
    expect(learned / fresh).toBeLessThan(factor * 1.02)
  }
})

test("a picture's tokens beside a short text do not make everybody's texts dearer to hold", () => {
  expect(after(Array.from({ length: 50 }, () => ['What is this?', 1_100]))).toBe(after([]))
})

test("texts of few tokens, sent on purpose, halve what is held for everybody's at most", () => {
  const rule = '='.repeat(10_000)
  const poisoned = after(Array.from({ length: 200 }, () => [rule, 160]))
  expect(poisoned).toBeGreaterThanOrEqual(Math.floor(after([]) / 2))
})
