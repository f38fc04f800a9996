import { expect, test } from 'bun:test'
import { advance, isSellable, otherModel, TEST_STARTED, type TestState } from './channel-test.ts'

const run = (...events: [string, object][]): TestState =>
  events.reduce((state, [event, data]) => advance(state, event, JSON.stringify(data)), TEST_STARTED)
const ok = (id: string): [string, object] => ['step', { id, status: 'ok', message: '' }]
const failed = (id: string): [string, object] => ['step', { id, status: 'failed', message: 'no' }]

test('a refused key or an unreachable address keeps the prices closed', () => {
  expect(isSellable(run(failed('address'), ['done', { ok: false }]))).toBe(false)
  expect(isSellable(run(ok('address'), failed('key'), ['done', { ok: false }]))).toBe(false)
})

test('one model that does not answer does not keep the others from being sold', () => {
  const state = run(ok('address'), ok('key'), ['models', { models: ['a', 'b'] }], failed('answer'), ['done', { ok: false }])
  expect(isSellable(state)).toBe(true)
})

test('nothing is sold while the test runs', () => {
  expect(isSellable(run(ok('address'), ['models', { models: ['a'] }]))).toBe(false)
})

test('a suggested model the provider does not list any more gives way to one it lists', () => {
  const state = run(['models', { models: ['new', 'newer'] }], failed('answer'), ['done', { ok: false }])
  expect(otherModel(state, ['old', 'newer'])).toBe('newer')
  expect(otherModel(state, ['new'])).toBeUndefined()
  expect(otherModel(state, ['old'])).toBeUndefined()
})

test('events of a kind this build does not know, and broken ones, change nothing', () => {
  expect(advance(TEST_STARTED, 'later', '{}')).toBe(TEST_STARTED)
  expect(advance(TEST_STARTED, 'step', '{')).toBe(TEST_STARTED)
})
