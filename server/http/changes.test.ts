import { expect, test } from 'bun:test'
import { Changes, type Change } from './changes.ts'

/** Processes that hear each other, with what each was told. */
function processes(count: number, copies = 1): { changes: Changes; told: Change[] }[] {
  const all = Array.from({ length: count }, () => ({ changes: new Changes(), told: [] as Change[] }))
  for (const { changes, told } of all) {
    changes.listen((change) => void told.push(change))
    for (let copy = 0; copy < copies; copy += 1)
      changes.join({ publish: async (text) => all.forEach((other) => other.changes.received(text)) })
  }
  return all
}

test('a change is told once to each process, its own before publish resolves, however many ways carry it', async () => {
  const [first, second] = processes(2, 2)
  await first?.changes.publish({ type: 'user', userId: 7 })
  await first?.changes.publish({ type: 'user', userId: 7 })
  const twice: Change[] = [
    { type: 'user', userId: 7 },
    { type: 'user', userId: 7 },
  ]
  expect(first?.told).toEqual(twice)
  expect(second?.told).toEqual(twice)
})

test('more keys than one message of PostgreSQL carries arrive in several', async () => {
  const [first, second] = processes(2)
  const keyHashes = Array.from({ length: 250 }, (_, index) => String(index))
  await first?.changes.publish({ type: 'api_key', keyHashes })
  expect(second?.told.length).toBe(3)
  expect(second?.told.flatMap((change) => (change.type === 'api_key' ? change.keyHashes : []))).toEqual(keyHashes)
})

test('a message of another version, or one that cannot be read, makes everything be read anew', () => {
  const [only] = processes(1)
  only?.changes.received(JSON.stringify({ from: 'another', id: 1, change: { type: 'of tomorrow' } }))
  only?.changes.received('not json')
  expect(only?.told).toEqual([{ type: 'everything' }, { type: 'everything' }])
})

test('a way that fails does not fail the change', async () => {
  const [first, second] = processes(2)
  first?.changes.join({ publish: () => Promise.reject(new Error('down')) })
  await first?.changes.publish({ type: 'routing' })
  expect(second?.told).toEqual([{ type: 'routing' }])
})
