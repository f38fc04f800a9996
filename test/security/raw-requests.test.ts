import { afterAll, beforeAll, expect, test } from 'bun:test'
import { listen } from '../../server/listen.ts'
import { startGateway } from '../../server/relay/start.ts'
import { createTestApp, type TestApp } from '../app.ts'
import { OWNER, siteOf } from '../site.ts'
import { ADMIN_PATHS, INNER, rawCases } from './raw-cases.ts'
import { sendRaw } from './raw-client.ts'

/** S16: what is not plainly one request is refused; what is read is read as the same by whoever asks who may and by what answers. */
let app: TestApp
let server: ReturnType<typeof listen>
let port: number
/** What reached the application: method and path. */
const seen: string[] = []

beforeAll(async () => {
  app = await createTestApp({ gateway: startGateway })
  server = listen(
    {
      ...app.app,
      fetch(request, from) {
        seen.push(`${request.method} ${request.url}`)
        return app.app.fetch(request, from)
      },
    },
    { port: 0, hostname: '127.0.0.1' },
  )
  port = server.port ?? 0
})
afterAll(async () => {
  await server.stop(true)
  await app.close()
})

/** Any path that is none of the API's is the console's page, which these tests do not build. */
const NO_CONSOLE = 'The console is not built'
/** How long is waited for an answer that a server may rightly not give: it waits for the rest of a body. */
const NOTHING_MS = 300

test('500 ways to write a request that two readers read in two ways: each is refused, or read once and as what it says', async () => {
  const wrong: string[] = []
  for (const { name, bytes, may, path, waits, answers = 1 } of rawCases) {
    seen.length = 0
    const { statuses, text } = await sendRaw(port, bytes, waits ? { giveUpMs: NOTHING_MS } : { answers })
    const tell = (what: string): void => void wrong.push(`${name}: ${what} (${statuses.join(', ') || 'closed'}; seen ${seen.join(' | ')})`)
    const [status = 400] = statuses
    const read = seen.filter((one) => !one.endsWith('/health'))
    if (statuses.some((one) => one >= 500 && one !== 505)) tell('a fault of ours')
    if (seen.some((one) => one.includes('smuggled'))) tell('the request inside another one was answered')
    if (read.length > 1) tell('read more than once')
    if (read.length === 1 && !read[0]?.split('?')[0]?.endsWith(path) && status < 400) tell('read as another path')
    if (may === 'refused' && status < 400) tell('not refused')
    if (may === 'refused' && name.startsWith('Host') && status !== 400) tell('not refused for what it is')
    if (answers === 2 && may === 'refused' && seen.length > read.length) tell('what came after it was still read')
    if (answers === 2 && may === 'read' && statuses[1] !== 200) tell('what came after it was not read')
    if (may === 'read' && read.length === 0) tell('not read')
    if (text.includes(OWNER.email)) tell('what only the owner may see')
  }
  expect(wrong).toEqual([])
  expect(rawCases.length + ADMIN_PATHS.length * 2).toBeGreaterThanOrEqual(500)
}, 60_000)

test('however the path of an admin’s list is written, nobody else reads it', async () => {
  const { secret } = await siteOf('http://localhost', await app.admin(), 1, app.request).addKey()
  const { token } = await app.user('somebody')
  const wrong: string[] = []
  const credentials = ['', `Authorization: Bearer ${secret}\r\n`, `Authorization: Bearer ${token}\r\n`]
  for (const path of ADMIN_PATHS)
    for (const credential of credentials) {
      const { statuses, text } = await sendRaw(port, `GET ${path} HTTP/1.1\r\nHost: x\r\n${credential}\r\n`)
      if (text.includes(OWNER.email) || statuses.some((status) => status >= 500 && !text.includes(NO_CONSOLE)))
        wrong.push(`${path} with ${credential.slice(0, 25)}: ${statuses.join()}`)
    }
  expect(wrong).toEqual([])
  // The owner's own session shows that the list has what is looked for.
  const { text } = await sendRaw(port, `GET /api/users HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${await app.admin()}\r\n\r\n`)
  expect(text).toContain(OWNER.email)
}, 30_000)

test('a Host that is none is refused in the shape of the address’s protocol', async () => {
  const bodyOf = async (path: string): Promise<unknown> => {
    const { text } = await sendRaw(port, `GET ${path} HTTP/1.1\r\nHost: a/b\r\n\r\n`)
    return JSON.parse(text.slice(text.indexOf('\r\n\r\n') + 4))
  }
  expect(await bodyOf('/v1/chat/completions')).toMatchObject({ error: { type: 'invalid_request_error' } })
  expect(await bodyOf('/v1/messages')).toMatchObject({ type: 'error', error: { type: 'invalid_request_error' } })
  expect(await bodyOf('/v1beta/models')).toMatchObject({ error: { code: 400, status: 'INVALID_ARGUMENT' } })
  expect(await bodyOf('/api/users')).toMatchObject({ code: 'bad_host' })
})

test('a second request on the same connection is its own, and one inside a refused body is none', async () => {
  const first = `POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: ${INNER.length}\r\n\r\n${INNER}`
  seen.length = 0
  const { statuses } = await sendRaw(port, `${first}GET /health HTTP/1.1\r\nHost: x\r\n\r\n`, { answers: 2 })
  expect(statuses).toEqual([401, 200])
  expect(seen.map((one) => new URL(one.split(' ')[1] ?? '').pathname)).toEqual(['/v1/chat/completions', '/health'])
})
