import { describe, expect, test } from 'bun:test'
import { fuzzRequests, fuzzSse, fuzzStream } from './fuzz.ts'
import { names } from './recorded.ts'

const FRAMES = 4_000
const REQUESTS = 600
const SEED = 20_261_123

describe('changed traffic never throws anything but a WireError, and never hangs', () => {
  for (const name of names) {
    test(`${FRAMES} frames of a ${name} stream`, () => expect(fuzzStream(name, FRAMES, SEED)).toBeGreaterThan(FRAMES / 10))
    test(`${REQUESTS} ${name} requests`, () => expect(fuzzRequests(name, REQUESTS, SEED)).toBeGreaterThan(REQUESTS / 10))
  }
  test(`${FRAMES} server-sent events`, () => expect(fuzzSse(FRAMES, SEED)).toBeGreaterThan(FRAMES / 2))
})
