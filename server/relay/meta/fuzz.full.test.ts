import { test } from 'bun:test'
import { fuzz } from './test-kit.ts'

/** Far above what it takes; a program that hangs is found by its own limit. */
const TIMEOUT_MS = 600_000

test(
  '200,000 random programs: none throws or hangs, formatting is stable and changes nothing',
  () => {
    fuzz(200_000, 20_261_123)
  },
  TIMEOUT_MS,
)
