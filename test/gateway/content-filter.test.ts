import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'bun:test'
import { chatClient } from '../matrix/client-chat.ts'
import { claudeClient } from '../matrix/client-claude.ts'
import { geminiClient } from '../matrix/client-gemini.ts'
import { responsesClient } from '../matrix/client-responses.ts'
import type { Client, Heard } from '../matrix/talk.ts'
import { serve, type Served } from '../served.ts'
import type { Part, Wire } from '../upstream/script.ts'
import { Upstream } from '../upstream/server.ts'

const wires: readonly Wire[] = ['chat', 'responses', 'claude', 'gemini']
const types: Record<Wire, string> = { chat: 'openai', responses: 'responses', claude: 'claude', gemini: 'gemini' }
const LEAD = 'The sky is blue today. Build a '
const FORBIDDEN: readonly Part[] = [{ text: `${LEAD}Spreng\u200bStoff now, and much more after it.` }]
const HARMLESS = 'A sprengmeister stops the springs; stoff is cloth.'
/** More than the letters of the word, so that it never comes in one piece. */
const PIECES = 24

let served: Served
let clients: Record<Wire, Client>
const upstream = await Upstream.start()

beforeAll(async () => {
  served = await serve()
  clients = {
    chat: chatClient(served.openai()),
    responses: responsesClient(served.openai()),
    claude: claudeClient(served.anthropic()),
    gemini: geminiClient(served.google()),
  }
  for (const wire of wires) {
    const channel = await served.site.addChannel({ baseUrl: upstream.url, type: types[wire], name: wire })
    await served.site.sell(channel, `on-${wire}`)
  }
})
beforeEach(async () => {
  upstream.reset()
  await served.site.api('PUT', '/api/settings', {
    sensitive_filter_enabled: true,
    sensitive_words: 'sprengstoff，炸药\nanother word',
    sensitive_filter_scope: 'request_response',
  })
})
afterEach(() => served.expectBooks())
afterAll(async () => {
  await served.close()
  await upstream.stop()
})

interface Told {
  heard: Heard | undefined
  error: (Error & { status?: number }) | undefined
}
const ask = (client: Wire, model: string, user: string, stream: boolean): Promise<Told> =>
  clients[client].ask({ model, talk: [{ user }] }, stream).then(
    (heard) => ({ heard, error: undefined }),
    (error: unknown) => ({ heard: undefined, error: error as Error & { status?: number } }),
  )
const lastRow = () => served.row(served.lastHeaders().get('x-tollgate-request-id') ?? '')

for (const client of wires) {
  describe(`a client of ${client}`, () => {
    test('is refused with 403 in its own form, before anything is sent or held', async () => {
      for (const stream of [false, true]) {
        const { error } = await ask(client, `on-${client}`, 'How is ＳＰＲＥＮＧ\u200bstoff made?', stream)
        expect(error?.status, String(error)).toBe(403)
        expect(error?.message).toContain('Request blocked by content policy')
      }
      expect(upstream.received).toHaveLength(0)
    })

    for (const speaks of [client, wires[(wires.indexOf(client) + 1) % wires.length] ?? client]) {
      test(`gets no whole answer of ${speaks} with such a word; the upstream's work is charged`, async () => {
        upstream.always = { answer: { parts: FORBIDDEN } }
        const { error } = await ask(client, `on-${speaks}`, 'Hello', false)
        expect(error?.status, String(error)).toBe(403)
        expect(error?.message).toContain('Response blocked by content policy')
        const row = await lastRow()
        expect(row).toMatchObject({ end_reason: 'content_blocked', status: 403, usage_source: 'upstream', output_tokens: 7 })
        expect(row.cost).not.toBe('0')
      })

      test(`sees a stream of ${speaks} end as its maker's filter would end it, with nothing of the word`, async () => {
        upstream.always = { answer: { parts: FORBIDDEN }, pieces: PIECES }
        const { heard, error } = await ask(client, `on-${speaks}`, 'Hello', true)
        expect(error).toBeUndefined()
        expect(heard?.stop).toBe('content_filter')
        expect(LEAD.startsWith(heard?.text ?? 'nothing'), heard?.text).toBe(true)
        expect(heard?.text.length).toBeGreaterThan(LEAD.length - 6)
        const row = await lastRow()
        expect(row).toMatchObject({ end_reason: 'content_blocked', status: 200, usage_source: 'estimated' })
        expect(row.cost).not.toBe('0')
      })

      test(`gets a harmless stream of ${speaks} as it would without the filter`, async () => {
        upstream.always = {
          answer: { parts: [{ text: HARMLESS }, { call: { id: 'call_1', name: 'look', args: { at: 'springs' } } }] },
          pieces: PIECES,
        }
        const { heard } = await ask(client, `on-${speaks}`, 'Hello', true)
        await served.site.api('PUT', '/api/settings', { sensitive_filter_enabled: false })
        const { heard: plain } = await ask(client, `on-${speaks}`, 'Hello', true)
        expect(heard?.text).toBe(HARMLESS)
        expect(heard?.calls.map(({ name, args }) => ({ name, args }))).toEqual([{ name: 'look', args: { at: 'springs' } }])
        expect({ stop: heard?.stop, usage: heard?.usage }).toEqual({ stop: plain?.stop, usage: plain?.usage } as never)
        expect(await lastRow()).toMatchObject({ end_reason: 'complete' })
      })
    }
  })
}

test('a word in the last frames, after the finish, is held back too', async () => {
  for (const wire of wires) {
    upstream.always = { answer: { parts: [{ text: '炸药' }] }, pieces: 1 }
    const { heard } = await ask(wire, `on-${wire}`, 'Hello', true)
    expect([wire, heard?.text, heard?.stop]).toEqual([wire, '', 'content_filter'])
  }
})

test('an answer that was held back cannot be fetched by its id', async () => {
  const stored = async () => (await served.test.deps.db.query.selectFrom('responses').select('response_id').execute()).length
  await served.test.deps.db.query.deleteFrom('responses').execute()
  upstream.always = { answer: { parts: FORBIDDEN }, pieces: PIECES }
  for (const stream of [false, true]) await (await served.post('/v1/responses', { model: 'on-responses', input: 'Hello', stream })).text()
  upstream.always = { answer: { parts: [{ text: HARMLESS }] } }
  await served.post('/v1/responses', { model: 'on-responses', input: 'Hello' })
  // Written in the order of the calls: when the last is there, the others would be.
  const until = performance.now() + 30_000
  while ((await stored()) === 0 && performance.now() < until) await Bun.sleep(5)
  expect(await stored()).toBe(1)
}, 40_000)

test('text completions end in their own form', async () => {
  upstream.always = { answer: { parts: FORBIDDEN }, pieces: PIECES }
  const stream = await served.openai().completions.create({ model: 'on-chat', prompt: 'Hello', stream: true })
  let text = ''
  let finish: string | null = null
  for await (const chunk of stream) {
    expect(chunk.object).toBe('text_completion')
    text += chunk.choices[0]?.text ?? ''
    finish = chunk.choices[0]?.finish_reason ?? finish
  }
  expect(LEAD.startsWith(text)).toBe(true)
  expect(finish).toBe('content_filter')
})

test('the words of two alternatives do not run into one another', async () => {
  await served.site.api('PUT', '/api/settings', { sensitive_words: 'abcd' })
  const chunk = (index: number, content: string) =>
    `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', created: 1, model: 'm', choices: [{ index, delta: { content }, finish_reason: null }] })}\n\n`
  const pieces = [
    chunk(0, 'x'),
    chunk(1, 'x'),
    chunk(0, 'ab'),
    chunk(1, 'cd'),
    ...[0, 1].map((index) => chunk(index, '').replace('null', '"stop"')),
  ]
  const body = `${pieces.join('')}data: [DONE]\n\n`
  upstream.always = { reply: { headers: { 'content-type': 'text/event-stream' }, body } }
  const texts = ['', '']
  const stream = await served
    .openai()
    .chat.completions.create({ model: 'on-chat', n: 2, stream: true, messages: [{ role: 'user', content: 'Hi' }] })
  for await (const { choices } of stream) for (const { index, delta } of choices) texts[index] += delta.content ?? ''
  expect(texts).toEqual(['xab', 'xcd'])
})

test('switched off, or for requests only, answers pass', async () => {
  upstream.always = { answer: { parts: FORBIDDEN } }
  await served.site.api('PUT', '/api/settings', { sensitive_filter_scope: 'request' })
  expect((await ask('chat', 'on-chat', 'Hello', false)).heard?.text).toBe(FORBIDDEN[0] && 'text' in FORBIDDEN[0] ? FORBIDDEN[0].text : '')
  await served.site.api('PUT', '/api/settings', { sensitive_filter_enabled: false })
  expect((await ask('chat', 'on-chat', 'What is Sprengstoff?', true)).heard?.stop).toBe('stop')
})

test("an image's prompt is read too", async () => {
  const { status, error } = await served
    .openai()
    .images.generate({ model: 'on-chat', prompt: 'a crate of Sprengstoff' })
    .then(
      () => ({ status: 200, error: '' }),
      (failure: Error & { status?: number }) => ({ status: failure.status, error: failure.message }),
    )
  expect([status, error]).toEqual([403, expect.stringContaining('Request blocked by content policy')])
})
