import { afterAll, afterEach, beforeEach, expect, test } from 'bun:test'
import { chatClient } from '../matrix/client-chat.ts'
import { claudeClient } from '../matrix/client-claude.ts'
import { geminiClient } from '../matrix/client-gemini.ts'
import { responsesClient } from '../matrix/client-responses.ts'
import type { Client } from '../matrix/talk.ts'
import { serve } from '../served.ts'
import { startFaultProxy } from '../upstream/fault-proxy.ts'
import type { Wire } from '../upstream/script.ts'
import { Upstream } from '../upstream/server.ts'
import { wires } from './cells.ts'
import { speakers } from './spoil.ts'

/* R2: how a stream is cut on its way changes nothing of what the client sees. */

const types: Record<Wire, string> = { chat: 'openai', responses: 'responses', claude: 'claude', gemini: 'gemini' }
/** One byte, inside characters of two to four bytes and between CR and LF, and larger than a frame. */
const SIZES = [1, 3, 7, 65_536]
const TEXT = 'Zwölf Boxkämpfer 大家好 👩‍👩‍👧 e\u0301 \u2028 fertig'

const served = await serve()
const upstream = await Upstream.start()
const lines = SIZES.map((bytes) => ({ bytes, proxy: startFaultProxy(upstream.url, { bytes, everyMs: 0 }) }))
for (const wire of wires) {
  for (const { bytes, proxy } of lines)
    await served.site.sell(
      await served.site.addChannel({ baseUrl: proxy.url, type: types[wire], name: `${wire} ${bytes}` }),
      `${wire}-${bytes}`,
    )
}
const clients: readonly Client[] = [
  chatClient(served.openai()),
  responsesClient(served.openai()),
  claudeClient(served.anthropic()),
  geminiClient(served.google()),
]
beforeEach(() => upstream.reset())
afterEach(() => served.expectBooks())
afterAll(async () => {
  await served.close()
  for (const { proxy } of lines) proxy.stop()
  await upstream.stop()
})

for (const lineEnd of ['\n', '\r\n']) {
  test(`R2: cut into ${SIZES.join(', ')} bytes with ${JSON.stringify(lineEnd)} at the end of lines, each client sees the same`, async () => {
    for (const wire of wires) {
      const call = { model: 'shop-model', serial: 1, pieces: 5, usageAsked: true }
      const body = speakers[wire]
        .frames({ parts: [{ text: TEXT }] }, call)
        .join('')
        .replaceAll('\n', lineEnd)
      upstream.always = { reply: { headers: { 'content-type': 'text/event-stream' }, body } }
      for (const client of clients) {
        await Promise.all(
          SIZES.map(async (bytes) => {
            const heard = await client.ask({ model: `${wire}-${bytes}`, talk: [{ user: 'Say it.' }] }, true)
            expect([heard.text, heard.stop, heard.usage?.output], `${client.name} on ${wire}, ${bytes}`).toEqual([
              TEXT,
              expect.stringMatching(/^(stop|completed)$/),
              7,
            ])
          }),
        )
      }
    }
  })
}
