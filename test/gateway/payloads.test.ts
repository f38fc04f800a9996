import { afterAll, beforeAll, beforeEach, expect, test } from 'bun:test'
import type { PayloadWire } from '../../contract/api/payloads.ts'
import { PayloadRecord } from '../../server/features/payloads/record.ts'
import { PayloadRecorder } from '../../server/features/payloads/recorder.ts'
import { sweepPayloads } from '../../server/features/payloads/service.ts'
import { serve, until, type Served } from '../served.ts'
import { Upstream } from '../upstream/server.ts'

/** What is asked and answered is recorded where the owner says so, sealed, without credentials and media, and for so long as he says. */
const SECRET = 'sk-proj-Zq81vWm3XtAb29LmPq'
const PICTURE = 'iVBORw0KGgo'.repeat(80)
const DAY = 86_400_000
let served: Served
const upstream = await Upstream.start()

beforeAll(async () => {
  served = await serve()
  await served.site.sell(await served.site.addChannel({ baseUrl: upstream.url }), 'm')
})
afterAll(async () => {
  await served.close()
  await upstream.stop()
})
beforeEach(async () => {
  upstream.always = { answer: { parts: [{ text: `The key is ${SECRET}.` }], tokens: { input: 30, output: 16 } } }
  await served.test.deps.db.query.deleteFrom('log_payloads').execute()
})

const mode = (payload_log_mode: string) => served.site.api('PUT', '/api/settings', { payload_log_mode })
const kept = () => served.test.deps.db.query.selectFrom('log_payloads').selectAll().orderBy('log_id').execute()
const read = (id: string | number) => served.site.api<PayloadWire>('GET', `/api/logs/${id}/payload`)
/** One call, to its end; its request id. */
async function ask(text: string, body: object = {}): Promise<string> {
  const answer = await served.post('/v1/chat/completions', { model: 'm', messages: [{ role: 'user', content: text }], ...body })
  await answer.text()
  return answer.headers.get('x-tollgate-request-id') ?? ''
}

test('nothing is recorded unless it is switched on, and everybody can see whether it is', async () => {
  await ask('a quiet word')
  const shown = await fetch(`${served.url}/api/public/settings`)
  expect(await shown.json()).toMatchObject({ payload_log_mode: 'off' })
  expect(await kept()).toEqual([])
  expect(served.site.api('PUT', '/api/settings', { payload_log_mode: 'some' })).rejects.toThrow('must be one of')
})

test('all: whole answers, streams and errors, sealed, without credentials and media; each reading is on record', async () => {
  await mode('all')
  const whole = await ask(`my key is ${SECRET}`)
  const streamed = await ask(`a picture: data:image/png;base64,${PICTURE}`, { stream: true })
  upstream.always = { error: { status: 400, message: 'no such thing' } }
  const failed = await ask('what fails')
  expect(await until(async () => (await kept()).length === 3)).toBe(true)
  expect(JSON.stringify(await kept())).not.toContain('picture')

  const first = await read(whole)
  expect(first.request).toContain('my key is [secret]')
  expect(first.answer).toContain('The key is [secret].')
  expect(JSON.stringify(first)).not.toContain(SECRET)
  expect(first.request_bytes).toBeGreaterThan(first.request.length)
  const second = await read(streamed)
  expect(second.request).toContain(`a picture: data:image/png;base64,[${PICTURE.length} characters of base64]`)
  expect(second.answer).toContain('data: [DONE]')
  expect((await read(failed)).answer).toContain('no such thing')

  const { items } = await served.site.api<{ items: { target_id: string }[] }>('GET', '/api/audit-logs?action=read_payload')
  expect(items.map(({ target_id: id }) => id)).toEqual([failed, streamed, whole])
  expect(read('req_0000000000')).rejects.toThrow('Log not found')
})

test('errors: of calls that did not end well alone, and of a client that left what it was sent', async () => {
  await mode('errors')
  await ask('what goes well')
  upstream.always = { answer: { parts: [{ text: 'word '.repeat(100) }], tokens: { input: 30, output: 160 } }, pieces: 20, pauseMs: 100 }
  const controller = new AbortController()
  const left = await served.post(
    '/v1/chat/completions',
    { model: 'm', stream: true, messages: [{ role: 'user', content: 'who leaves' }] },
    { signal: controller.signal },
  )
  const reader = left.body?.getReader()
  let text = ''
  while (!text.includes('word')) text += new TextDecoder().decode((await reader?.read())?.value)
  controller.abort()
  await reader?.cancel().catch(() => {})
  expect(await until(async () => (await kept()).length === 1)).toBe(true)
  const record = await read(left.headers.get('x-tollgate-request-id') ?? '')
  expect(record.request).toContain('who leaves')
  expect(record.answer).toContain('word')
  expect(record.answer).not.toContain('[DONE]')
})

test('users see no records, and a call without one is 404', async () => {
  await mode('off')
  const id = await ask('not recorded')
  expect(read(id)).rejects.toThrow('Nothing was recorded')
  const user = await served.test.user('curious')
  const answer = await served.test.api('GET', `/api/logs/${id}/payload`, undefined, user.token)
  expect(answer.status).toBe(403)
})

test('records go by age, with their call, and with their user', async () => {
  await mode('all')
  await ask('one')
  await ask('two')
  expect(await until(async () => (await kept()).length === 2)).toBe(true)
  await sweepPayloads(served.test.deps)
  expect(await kept()).toHaveLength(2)
  const [first] = await kept()
  await served.test.deps.db.query
    .updateTable('log_payloads')
    .set({ created_at: served.clock.now() - 8 * DAY })
    .where('log_id', '=', first?.log_id ?? 0)
    .execute()
  await sweepPayloads(served.test.deps)
  expect((await kept()).map(({ log_id: id }) => id)).not.toContain(first?.log_id)
  expect(await kept()).toHaveLength(1)

  const user = await served.test.user('leaver')
  await served.test.deps.db.query.updateTable('log_payloads').set({ user_id: user.id }).execute()
  await served.site.api('DELETE', `/api/users/${user.id}`)
  expect(await kept()).toEqual([])
})

test('what cannot be kept up with is dropped and counted, never waited for', async () => {
  await mode('all')
  const { deps } = served.test
  const recorder = new PayloadRecorder(deps)
  for (let n = 0; n < 70; n += 1) {
    const record = recorder.begin(`req_none${n}`)
    record?.asked(Buffer.from('{}'))
    await record?.answered(Response.json({}))
  }
  expect(deps.metrics.payloads.text()).toContain('{outcome="dropped"} 6')
  await recorder.write()
})

test('a stream is passed on as it is, byte by byte, and no character is lost where it is cut', async () => {
  const text = 'data: {"text":"— ünïcödé 你好 🙂"}\n\n'
  const bytes = new TextEncoder().encode(text)
  const pieces = new ReadableStream<Uint8Array>({
    start(controller) {
      for (const byte of bytes) controller.enqueue(Uint8Array.of(byte))
      controller.close()
    },
  })
  let records = 0
  const record = new PayloadRecord('req_1', () => (records += 1))
  record.asked(Buffer.from('{}'))
  const answer = await record.answered(new Response(pieces, { status: 200, headers: { 'content-type': 'text/event-stream', 'x-a': 'b' } }))
  expect(answer.headers.get('x-a')).toBe('b')
  expect(await answer.text()).toBe(text)
  expect(record.answer).toEqual({ text, bytes: bytes.length })
  expect(records).toBe(1)
})
