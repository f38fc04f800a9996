import { expect, test } from 'bun:test'
import { routingAlgorithmOf } from './api/user-channels.ts'
import { words } from './words.ts'

const FOREIGN = ['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'valueOf']

test('a table of words has its own and nothing that every object has', () => {
  const table = words({ yes: 1 })
  expect(table['yes']).toBe(1)
  expect(FOREIGN.map((word) => table[word])).toEqual(FOREIGN.map(() => undefined))
})

test('an unknown routing algorithm is `priority`, also one that every object answers to', () => {
  for (const word of [...FOREIGN, 'nothing', '']) expect(routingAlgorithmOf(word)).toBe('priority')
})
