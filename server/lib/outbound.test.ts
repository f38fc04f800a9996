import { expect, test } from 'bun:test'
import { createServer, type AddressInfo } from 'node:net'
import { networkInterfaces } from 'node:os'
import { ManualClock } from '../../test/clock.ts'
import { isListed, parseAllowList } from './allow-list.ts'
import { LiveSettings } from './live-settings.ts'
import { guardedFetch, OutboundBlocked } from './outbound.ts'

const allowing = (hosts: string): LiveSettings => {
  const settings = new LiveSettings()
  settings.replace(new Map([['ssrf_allowed_hosts', hosts]]))
  return settings
}
const failureOf = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => undefined,
    (error: unknown) => error,
  )

/** Containers may have none. */
const hasIPv6 = Object.values(networkInterfaces()).some((addresses) => addresses?.some(({ address }) => address === '::1'))

test('an entry of the allow list means its own host and port, in every spelling and nothing beside it', () => {
  const cases: [entry: string, url: string, listed: boolean][] = [
    ['[::1]:80', 'http://[::1]/', true],
    ['[::1]:80', 'http://[::1]:81/', false],
    ['[::1]:80', 'http://[::1:80]/', false],
    ['[::1]:80', 'https://[::1]/', false],
    ['::1:80', 'http://[::1:80]/', true],
    ['::1:80', 'http://[::1]:80/', false],
    ['::1', 'http://[::1]:8080/', true],
    ['[0:0:0:0:0:0:0:1]:443', 'https://[::1]/', true],
    ['127.1:80', 'http://127.0.0.1/', true],
    ['127.0.0.1', 'http://2130706433:9000/', true],
    ['127.0.0.1:9000', 'http://127.0.0.1:9001/', false],
    ['127.0.0.1:9000', 'http://127.0.0.2:9000/', false],
    ['Inside.Example.:443', 'https://inside.example/', true],
    ['inside.example:443', 'http://inside.example/', false],
    ['inside.example', 'http://inside.example.evil.example/', false],
    ['*.inside.example', 'http://a.inside.example:9000/', true],
    ['*.inside.example', 'http://inside.example/', false],
    ['*.inside.example', 'http://evil-inside.example/', false],
    ['user@inside.example:80', 'http://inside.example/', false],
    ['inside.example:', 'http://inside.example/', false],
    ['inside.example#:80', 'http://inside.example/', false],
  ]
  const wrong = cases.filter(([entry, url, listed]) => isListed(new URL(url), parseAllowList(entry)) !== listed)
  expect(wrong).toEqual([])
})

test('a name that is trusted on one port is checked anew on another, also when its address is known', async () => {
  const inside = guardedFetch(allowing('inside.example:1'), new ManualClock(), () => Promise.resolve([{ address: '127.0.0.1' }]))
  expect(await failureOf(inside('http://inside.example:1/'))).not.toBeInstanceOf(OutboundBlocked)
  expect(await failureOf(inside('http://inside.example:2/'))).toBeInstanceOf(OutboundBlocked)
  const web = guardedFetch(allowing('inside.example:80'), new ManualClock(), () => Promise.resolve([{ address: '127.0.0.1' }]))
  await failureOf(web('http://inside.example/'))
  expect(await failureOf(web('https://inside.example/'))).toBeInstanceOf(OutboundBlocked)
})

test("a name's address is not asked for a second time between the check and the connection", async () => {
  let asked = 0
  const server = Bun.serve({ port: 0, hostname: '127.0.0.1', fetch: ({ headers }) => new Response(headers.get('host')) })
  try {
    const settings = allowing(`127.0.0.1/32`)
    const fetch = guardedFetch(settings, new ManualClock(), () => Promise.resolve([{ address: asked++ === 0 ? '127.0.0.1' : '127.0.0.2' }]))
    const answer = await fetch(`http://inside.example:${server.port}/`)
    expect(await answer.text()).toBe(`inside.example:${server.port}`)
    expect(asked).toBe(1)
  } finally {
    await server.stop(true)
  }
})

test.skipIf(!hasIPv6)('a name at an IPv6 address is called there, on its own port and under its own name', async () => {
  const server = Bun.serve({
    port: 0,
    hostname: '::1',
    fetch: ({ headers, url }) => new Response(`${headers.get('host')} ${new URL(url).pathname}`),
  })
  try {
    const fetch = guardedFetch(allowing('::1/128'), new ManualClock(), () => Promise.resolve([{ address: '::1' }]))
    const answer = await fetch(`http://inside.example:${server.port}/inside.example:${server.port}`)
    expect(await answer.text()).toBe(`inside.example:${server.port} /inside.example:${server.port}`)
    expect(await (await fetch(`http://[::1]:${server.port}/x`)).text()).toBe(`[::1]:${server.port} /x`)
  } finally {
    await server.stop(true)
  }
})

test('over TLS the name is asked for at the checked address, so that its certificate and no other is taken', async () => {
  const greeted = Promise.withResolvers<string>()
  const server = createServer((socket) => {
    socket.on('error', () => undefined)
    socket.once('data', (hello) => {
      greeted.resolve(hello.toString('latin1'))
      socket.destroy()
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const fetch = guardedFetch(allowing('127.0.0.1/32'), new ManualClock(), () => Promise.resolve([{ address: '127.0.0.1' }]))
  expect(await failureOf(fetch(`https://inside.example:${port}/`))).toBeInstanceOf(Error)
  // The name stands in the open in the first message (RFC 6066 3).
  expect(await greeted.promise).toContain('inside.example')
  await new Promise<void>((resolve) => server.close(() => resolve()))
})

test('what is asked of a server is plain text, unless the caller says otherwise, and a body of bytes arrives as it is', async () => {
  const server = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    fetch: async (request) => Response.json([request.headers.get('accept-encoding'), [...new Uint8Array(await request.arrayBuffer())]]),
  })
  try {
    const fetch = guardedFetch(allowing('127.0.0.1/32'), new ManualClock())
    const url = `http://127.0.0.1:${server.port}/`
    expect(await (await fetch(url, { method: 'POST', body: new Uint8Array([0, 255, 7]) })).json()).toEqual(['identity', [0, 255, 7]])
    expect(await (await fetch(url, { headers: { 'accept-encoding': 'br' } })).json()).toEqual(['br', []])
    expect(await failureOf(fetch(url, { signal: AbortSignal.abort(new Error('left')) }))).toMatchObject({ message: 'left' })
  } finally {
    await server.stop(true)
  }
})
