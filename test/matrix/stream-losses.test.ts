import { afterAll, afterEach, expect, test } from 'bun:test'
import { recordedStreams } from '../protocols/recorded.ts'
import { modelOf, startBench } from './bench.ts'

const bench = await startBench()
afterEach(() => bench.served.expectBooks())
afterAll(() => bench.close())

/** A Claude answer with a server tool, its result and citations, as it was streamed. */
const streamed = recordedStreams().find(({ by, name }) => by === 'claude' && name === 'fixtures/answer.chunks.txt#0')

test('what a streamed answer loses stands in the log row, in the words of the client, and not in the header', async () => {
  if (!streamed) throw new Error('the fixture is gone')
  const body = streamed.frames.map(({ event, data }) => `event: ${event}\ndata: ${data}\n\n`).join('')
  const { provider } = bench.pair('chat', 'claude', true)
  provider.always = { reply: { headers: { 'content-type': 'text/event-stream' }, body } }
  const response = await bench.served.post('/v1/chat/completions', {
    model: modelOf('claude'),
    stream: true,
    seed: 7,
    messages: [
      { role: 'system', content: 'Be brief.' },
      { role: 'user', name: 'ada', content: 'Hello.' },
    ],
  })
  await response.text()
  expect(response.headers.get('x-tollgate-dropped')).toBe('messages[1].name, seed')
  const { losses, end_reason: end } = await bench.served.row(response.headers.get('x-tollgate-request-id') ?? '')
  expect(end).toBe('complete')
  expect((losses as unknown as { path: string }[]).map(({ path }) => path)).toEqual([
    'messages[1].name',
    'seed',
    'choices[0].container',
    'choices[0].context_management',
    'choices[0].message.content[2]',
    'choices[0].message.content[3]',
    'choices[0].message.content[4].citations',
    'choices[0].message.content[5]',
    'choices[0].message.content[6]',
    'choices[0].message.content[7].caller',
  ])
})
