import { test } from 'bun:test'
import { fuzz } from './test-kit.ts'

test('2,000 random programs: none throws or hangs, formatting is stable and changes nothing', () => {
  fuzz(2_000, 8)
})
