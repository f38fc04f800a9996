import { expect, test } from 'bun:test'
import { serve } from '../served.ts'
import { Upstream } from '../upstream/server.ts'

test('a NUL in what an upstream or a client says, which PostgreSQL cannot store, costs no call its row and leaves no hold', async () => {
  const upstream = await Upstream.start()
  const served = await serve()
  await served.site.sell(await served.site.addChannel({ baseUrl: `${upstream.url}/v1` }), 'm')
  const call = (more: object): Promise<Response> =>
    served.post('/v1/chat/completions', { model: 'm', messages: [{ role: 'user', content: 'Hi' }], ...more })
  upstream.next({ error: { status: 400, message: 'refused\0 here' } })
  const refused = await call({})
  expect([refused.status, await refused.text()]).toEqual([400, expect.stringContaining('refused') as never])
  const translated = await served.post('/v1/messages', {
    model: 'm',
    max_tokens: 5,
    messages: [{ role: 'user', content: 'a\0b' }],
    'x\0y': 1,
  })
  expect([translated.status, (await translated.text()).length > 0]).toEqual([200, true])
  expect((await call({ model: 'm\0' })).status).toBe(404)
  expect((await served.rows()).map(({ status }) => status)).toEqual([200, 400])
  await served.expectBooks()
  await served.close()
  await upstream.stop()
})
