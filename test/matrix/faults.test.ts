import { afterAll, afterEach, describe, expect, test } from 'bun:test'
import type { Script } from '../upstream/script.ts'
import { startBench, wires } from './bench.ts'

/*
 * R1: whatever an upstream does wrong, each SDK throws its own error, the call ends by the written rule and nothing stays held.
 */
const bench = await startBench()
afterEach(() => bench.served.expectBooks())
afterAll(() => bench.close())

const html = { headers: { 'content-type': 'text/html' }, body: '<html>Login</html>' }
const before: Record<string, { script: Script; status: number }> = {
  'a wrong parameter': { script: { error: { status: 400, message: 'temperature is out of range' } }, status: 400 },
  'our key refused': { script: { error: { status: 401, message: 'invalid key' } }, status: 503 },
  'too many requests': { script: { error: { status: 429, message: 'slow down' } }, status: 503 },
  'an internal error': { script: { error: { status: 500, message: 'broken' } }, status: 502 },
  'a login page': { script: { reply: html }, status: 502 },
  'broken JSON': { script: { reply: { body: '{"id":' } }, status: 502 },
  'an empty body': { script: { reply: { body: '' } }, status: 502 },
}
const inside: Record<string, NonNullable<Script['cut']>['how']> = {
  'its error event': 'error',
  'an end without its end marker': 'end',
  'a broken connection': 'break',
}
/** Frames before the first text: what each protocol begins with. */
const beforeText = { chat: 1, responses: 4, claude: 3, gemini: 0 }
const talk = [{ user: 'Count to ten.' }]

for (const client of wires) {
  for (const upstream of wires) {
    describe(`${client} client on ${upstream} upstream`, () => {
      for (const [name, { script, status }] of Object.entries(before)) {
        for (const stream of [false, true]) {
          test(`${name}, ${stream ? 'streamed' : 'whole'}: ${status}`, async () => {
            const pair = bench.pair(client, upstream, stream)
            pair.provider.always = script
            const { error, row } = await pair.fail({ talk })
            expect(error.status).toBe(status)
            if (status === 400) expect(error.message).toContain('temperature is out of range')
            expect(row).toMatchObject({ end_reason: 'upstream_error_before_content', cost: '0', usage_source: 'none', status })
            expect(pair.provider.received).toHaveLength(1)
          })
        }
      }
      for (const [name, how] of Object.entries(inside)) {
        test(`a stream that ends with ${name}: the SDK throws, what was produced is charged`, async () => {
          const pair = bench.pair(client, upstream, true)
          pair.provider.always = {
            answer: { parts: [{ text: 'one two three four five six' }] },
            pieces: 3,
            cut: { after: beforeText[upstream] + 2, how },
          }
          const { error, row } = await pair.fail({ talk })
          expect(error.message).not.toBe('')
          expect(row).toMatchObject({ end_reason: 'upstream_error_after_content', usage_source: 'estimated' })
          expect(row.output_tokens).toBeGreaterThan(1)
        })
      }
    })
  }
}
