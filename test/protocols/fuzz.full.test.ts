import { describe, expect, test } from 'bun:test'
import { fuzzRequests, fuzzSse, fuzzStream } from './fuzz.ts'
import { names } from './recorded.ts'

const MILLION = 1_000_000
/** A request is as large as a whole stream: a tenth of the frames takes as long. */
const REQUESTS = 100_000
/** Another seed for each day would find more; the same one finds the same again. */
const SEED = Number(process.env['FUZZ_SEED'] ?? 7)
/** A loop that does not end is a failure here; the slowest takes a few minutes on a small machine. */
const LIMIT_MS = 20 * 60_000

describe('a million frames and 100,000 requests of each: nothing throws anything but a WireError, nothing hangs', () => {
  for (const name of names) {
    test(`frames of a ${name} stream`, () => expect(fuzzStream(name, MILLION, SEED)).toBeGreaterThan(MILLION / 10), LIMIT_MS)
    test(`${name} requests`, () => expect(fuzzRequests(name, REQUESTS, SEED)).toBeGreaterThan(REQUESTS / 10), LIMIT_MS)
  }
  test('server-sent events', () => expect(fuzzSse(MILLION, SEED)).toBeGreaterThan(MILLION / 2), LIMIT_MS)
})
