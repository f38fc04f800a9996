import { describe, expect, test } from 'bun:test'
import { fuzzArray, fuzzEventStream, fuzzSse } from './fuzz-framing.ts'
import { fuzzAnswers, fuzzRequests, fuzzStream } from './fuzz.ts'
import { names } from './recorded.ts'

const FRAMES = 4_000
const BODIES = 600
const SEED = 20_261_123

describe('changed traffic never throws anything but a WireError, and never hangs', () => {
  for (const name of names) {
    test(`${FRAMES} frames of a ${name} stream`, () => expect(fuzzStream(name, FRAMES, SEED)).toBeGreaterThan(FRAMES / 10))
    test(`${BODIES} ${name} requests`, () => expect(fuzzRequests(name, BODIES, SEED)).toBeGreaterThan(BODIES / 10))
    test(`${BODIES} ${name} answers`, () => expect(fuzzAnswers(name, BODIES, SEED)).toBeGreaterThan(BODIES / 10))
  }
  test(`${FRAMES} server-sent events`, () => expect(fuzzSse(FRAMES, SEED)).toBeGreaterThan(FRAMES / 2))
  test(`${FRAMES} messages of a binary event stream`, async () => expect(await fuzzEventStream(FRAMES, SEED)).toBeGreaterThan(FRAMES / 10))
  test(`${FRAMES} frames as an array of JSON`, () => expect(fuzzArray(FRAMES, SEED)).toBeGreaterThan(FRAMES / 10))
})
