import { afterAll, describe, expect, test } from 'bun:test'
import { fuzzArray, fuzzEventStream, fuzzSse } from './fuzz-framing.ts'
import { fuzzAnswers, fuzzRequests, fuzzStream } from './fuzz.ts'
import { names } from './recorded.ts'

const MILLION = 1_000_000
/** Of each parser; fewer where the full tests have no time for all. */
const CASES = Number(process.env['TEST_FUZZ_CODECS'] ?? MILLION)
/** Another seed for each day would find more; the same one finds the same again. */
const SEED = Number(process.env['TEST_FUZZ_SEED'] ?? 7)
/** A loop that does not end is a failure here; the slowest takes some minutes on a small machine. */
const LIMIT_MS = 30 * 60_000

const lines: string[] = []
afterAll(() => console.log(lines.join('\n')))

function parser(name: string, run: (cases: number, seed: number) => number | Promise<number>, share: number): void {
  test(
    name,
    async () => {
      const startedMs = performance.now()
      const understood = await run(CASES, SEED)
      lines.push(`${name}: ${CASES} in ${Math.round((performance.now() - startedMs) / 1000)} s, ${understood} understood`)
      expect(understood).toBeGreaterThan(CASES * share)
    },
    LIMIT_MS,
  )
}

describe(`${CASES} cases of each: nothing throws anything but a WireError, nothing hangs`, () => {
  for (const name of names) {
    parser(`frames of a ${name} stream`, (cases, seed) => fuzzStream(name, cases, seed), 0.1)
    parser(`${name} requests`, (cases, seed) => fuzzRequests(name, cases, seed), 0.1)
    parser(`${name} answers`, (cases, seed) => fuzzAnswers(name, cases, seed), 0.1)
  }
  parser('server-sent events', fuzzSse, 0.5)
  parser('messages of a binary event stream', fuzzEventStream, 0.1)
  parser('frames as an array of JSON', fuzzArray, 0.1)
})
