import { expect, test } from 'bun:test'
import { RunningClock } from '../clock.ts'
import { serve } from '../served.ts'
import { Upstream } from '../upstream/server.ts'

/* R2 in real time: an upstream that takes long before its first byte. */

const SILENCE_MS = 32_000
/** Promised between two pings, the answer's begin included. */
const PING_WITHIN_MS = 15_000
const user = [{ role: 'user', content: 'hello' }]
const calls: [path: string, body: object, end: string][] = [
  ['/v1/chat/completions', { model: 'm', stream: true, messages: user }, 'data: [DONE]'],
  ['/v1/responses', { model: 'm', stream: true, input: 'hello' }, 'response.completed'],
  ['/v1/messages', { model: 'm', stream: true, max_tokens: 50, messages: user }, 'message_stop'],
  ['/v1beta/models/m:streamGenerateContent?alt=sse', { contents: [{ role: 'user', parts: [{ text: 'hello' }] }] }, 'STOP'],
]

test('R2: half a minute without a first byte: each protocol gets a ping at least every 15 s, and then the whole answer', async () => {
  const upstream = await Upstream.start()
  const served = await serve({ clock: new RunningClock() })
  try {
    await served.site.sell(await served.site.addChannel({ baseUrl: upstream.url }), 'm')
    upstream.always = { delayMs: SILENCE_MS }
    await Promise.all(
      calls.map(async ([path, body, end]) => {
        let heard = performance.now()
        let longest = 0
        const hear = (): void => {
          longest = Math.max(longest, performance.now() - heard)
          heard = performance.now()
        }
        const response = await served.post(path, body)
        hear()
        expect([path, response.status]).toEqual([path, 200])
        let text = ''
        const decoder = new TextDecoder()
        for await (const bytes of response.body as ReadableStream<Uint8Array>) {
          hear()
          text += decoder.decode(bytes, { stream: true })
        }
        console.log(`  ${path}: longest silence ${longest.toFixed(0)} ms`)
        expect(text).toContain(end)
        expect(longest).toBeLessThanOrEqual(PING_WITHIN_MS)
      }),
    )
    await served.expectBooks()
  } finally {
    await served.close()
    await upstream.stop()
  }
}, 120_000)
