import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'bun:test'
import { sweepResponses } from '../../server/features/responses/service.ts'
import { serve, type Served } from '../served.ts'
import { startPlainUpstream, type PlainRequest } from '../upstream/plain.ts'

const upstream = startPlainUpstream()
let served: Served
let stranger: string

const USAGE = { input_tokens: 5, output_tokens: 3, total_tokens: 8 }
const response = (id: string) => ({
  id,
  object: 'response',
  created_at: 1,
  status: 'completed',
  model: 'up',
  usage: USAGE,
  output: [
    {
      type: 'message',
      id: 'msg_1',
      status: 'completed',
      role: 'assistant',
      content: [{ type: 'output_text', text: 'Hi', annotations: [] }],
    },
  ],
})

/** Both channels answer; each makes ids of its own. */
function answer({ path, method, json }: PlainRequest): Response {
  const side = path.startsWith('/a/') ? 'a' : 'b'
  if (method === 'POST' && path.endsWith('/responses')) {
    const whole = response(`resp_${side}${upstream.received.length}`)
    if (json?.stream !== true) return Response.json(whole)
    const events = [
      { type: 'response.created', sequence_number: 0, response: { ...whole, status: 'in_progress', usage: null, output: [] } },
      { type: 'response.output_text.delta', sequence_number: 1, item_id: 'msg_1', output_index: 0, content_index: 0, delta: 'Hi' },
      { type: 'response.completed', sequence_number: 2, response: whole },
    ]
    return new Response(events.map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`).join(''), {
      headers: { 'content-type': 'text/event-stream' },
    })
  }
  if (path.endsWith('/cancel'))
    return Response.json({ error: { message: 'Cannot cancel a synchronous response.', type: 'invalid_request_error' } }, { status: 400 })
  if (path.includes('/input_items')) return Response.json({ object: 'list', data: [], has_more: false, first_id: null, last_id: null })
  const id = /responses\/([^/?]+)/.exec(path)?.[1] ?? ''
  return method === 'DELETE' ? Response.json({ id, object: 'response', deleted: true }) : Response.json(response(id))
}

beforeAll(async () => {
  served = await serve()
  for (const [name, priority] of [
    ['a', 2],
    ['b', 1],
  ] as const) {
    const channel = await served.site.addChannel({ baseUrl: `${upstream.url}/${name}/v1`, type: 'responses', name, priority })
    await served.site.sell(channel, 'talker', undefined, 'up')
  }
  const other = await served.test.user('stranger')
  const [userChannel] = await served.site.api<{ id: number }[]>('GET', '/api/user-channels')
  const made = await served.test.api<{ api_key: string }>(
    'POST',
    '/api/user/api-keys',
    { name: 'k', allowed_user_channels: [userChannel?.id] },
    other.token,
  )
  stranger = made.body.api_key
})
beforeEach(() => {
  upstream.received.length = 0
  upstream.answer = answer
})
afterEach(() => served.expectBooks())
afterAll(async () => {
  await served.close()
  await upstream.stop()
})

const ask = (path: string, key = served.key, method = 'GET') =>
  fetch(`${served.url}/v1/responses/${path}`, { method, headers: { authorization: `Bearer ${key}` } })

test("a response is read from the channel that made it, with the platform's model name, whole or streamed before", async () => {
  const client = served.openai()
  const made = await client.responses.create({ model: 'talker', input: 'Hi' })
  expect(await client.responses.retrieve(made.id, { include: ['reasoning.encrypted_content'] })).toMatchObject({
    id: made.id,
    model: 'talker',
    status: 'completed',
  })
  expect(upstream.last.path).toBe(`/a/v1/responses/${made.id}?include%5B%5D=reasoning.encrypted_content`)
  expect(upstream.last.headers.get('authorization')).toBe('Bearer upstream-secret')
  expect((await client.responses.inputItems.list(made.id)).data).toEqual([])
  let id = ''
  for await (const event of await client.responses.create({ model: 'talker', input: 'Hi', stream: true }))
    if (event.type === 'response.completed') id = event.response.id
  expect((await client.responses.retrieve(id)).id).toBe(id)
})

test('only its owner finds it; one that was not to be stored nobody does', async () => {
  const { id } = await served.openai().responses.create({ model: 'talker', input: 'Hi' })
  for (const [path, method] of [
    [id, 'GET'],
    [id, 'DELETE'],
    [`${id}/input_items`, 'GET'],
    [`${id}/cancel`, 'POST'],
  ] as const) {
    const asked = upstream.received.length
    const answered = await ask(path, stranger, method)
    expect([method, path, answered.status, upstream.received.length]).toEqual([method, path, 404, asked])
    expect(await answered.json()).toMatchObject({ error: { message: `Response with id '${id}' not found.` } })
  }
  const { id: unkept } = await served.openai().responses.create({ model: 'talker', input: 'Hi', store: false })
  expect((await ask(unkept)).status).toBe(404)
})

test('once deleted it is gone, and what the upstream refuses is told in its words', async () => {
  const { id } = await served.openai().responses.create({ model: 'talker', input: 'Hi' })
  const refused = await ask(`${id}/cancel`, served.key, 'POST')
  expect([refused.status, ((await refused.json()) as { error: { message: string } }).error.message]).toEqual([
    400,
    'Cannot cancel a synchronous response.',
  ])
  upstream.answer = () => Response.json({ error: { message: 'bad key' } }, { status: 401 })
  expect((await ask(id)).status).toBe(503)
  upstream.answer = answer
  expect((await ask(id, served.key, 'DELETE')).status).toBe(200)
  expect((await ask(id)).status).toBe(404)
})

test("a call that goes on from a response goes to the channel that has it; from a stranger's it does not go on", async () => {
  upstream.answer = (request) => (request.path.startsWith('/a/') ? Response.json({}, { status: 503 }) : answer(request))
  const first = await served.openai().responses.create({ model: 'talker', input: 'Hi' })
  expect(first.id).toStartWith('resp_b')
  upstream.answer = answer
  const second = await served.openai().responses.create({ model: 'talker', input: 'And?', previous_response_id: first.id })
  expect([second.id.slice(0, 6), upstream.last.json?.previous_response_id]).toEqual(['resp_b', first.id])
  expect((await served.openai().responses.create({ model: 'talker', input: 'Hi' })).id).toStartWith('resp_a')
  const asked = upstream.received.length
  const stolen = await served.post('/v1/responses', { model: 'talker', input: 'Hi', previous_response_id: first.id }, { key: stranger })
  expect([stolen.status, upstream.received.length]).toEqual([404, asked])
  await served.site.api('POST', '/api/meta-models', { name: 'meta-talker', dsl: 'call "talker"' })
  const byMeta = { model: 'meta-talker', input: 'Hi', previous_response_id: first.id }
  expect((await served.post('/v1/responses', byMeta, { key: stranger })).status).toBe(404)
  expect(upstream.received.length).toBe(asked)
  expect((await served.openai().responses.create(byMeta)).id).toStartWith('resp_b')
})

test('a response in the background is answered when it is done, and paid', async () => {
  const { data, response: raw } = await served.openai().responses.create({ model: 'talker', input: 'Hi', background: true }).withResponse()
  expect([data.status, upstream.last.json?.background, raw.headers.get('x-tollgate-dropped')]).toEqual([
    'completed',
    undefined,
    'background',
  ])
  expect((await served.row(raw.headers.get('x-tollgate-request-id') ?? '')).input_tokens).toBe(5)
})

test('after 30 days nothing is known of it', async () => {
  const { id } = await served.openai().responses.create({ model: 'talker', input: 'Hi' })
  await sweepResponses(served.test.deps)
  expect((await ask(id)).status).toBe(200)
  const later = { db: served.test.deps.db, clock: { now: () => served.clock.now() + 30 * 24 * 60 * 60 * 1000 + 1 } }
  await sweepResponses(later)
  expect((await ask(id)).status).toBe(404)
})
