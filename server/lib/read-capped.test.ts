import { expect, test } from 'bun:test'
import { readCapped } from './read-capped.ts'

test('a body is read whole up to the limit, and one byte more ends it', async () => {
  const left: string[] = []
  const body = (...chunks: string[]): Response =>
    new Response(
      new ReadableStream<Uint8Array>({
        pull(controller) {
          const chunk = chunks.shift()
          if (chunk === undefined) controller.close()
          else controller.enqueue(new TextEncoder().encode(chunk))
        },
        cancel() {
          left.push('left')
        },
      }),
    )
  expect(new TextDecoder().decode(await readCapped(body('abc', 'de'), 5))).toBe('abcde')
  expect(left).toEqual([])
  expect(await readCapped(body('abc', 'def', 'ghi', 'jkl'), 5)).toBeUndefined()
  expect(left).toEqual(['left'])
  expect(await readCapped(new Response(null), 0)).toEqual(new Uint8Array())
})
