import { expect, test } from 'bun:test'
import { judgeCanary } from './canary.ts'

test('a canary doubts what counts too much or nothing at all', () => {
  const asked = { text: 'It is 382.', firstTokenMs: 1, totalMs: 2 }
  expect(judgeCanary({ ...asked, usage: { input: 25, output: 4 } })).toEqual([])
  expect(judgeCanary({ ...asked, text: '13824', usage: { input: 25, output: 4 } })).toEqual(['it does not know a simple sum'])
  expect(judgeCanary({ ...asked, usage: { input: 1_025, output: 4 } })).toEqual(['it counts 1025 tokens in a question of about 25'])
  expect(judgeCanary({ ...asked, usage: { cachedInput: 1_000, input: 25, output: 4 } })).toHaveLength(1)
  expect(judgeCanary({ ...asked, usage: {} })).toEqual(['it does not say what was used'])
})
