import { expect, jest, test } from 'bun:test'
import { ManualClock } from '../../test/clock.ts'
import { inList, parseAllowList } from './allow-list.ts'
import { LiveSettings } from './live-settings.ts'
import { guardedAddress, guardedFetch, isListedHost, OutboundBlocked, publicFetch, type OutboundRequest } from './outbound.ts'

const settingsOf = (values: Record<string, string>): LiveSettings => {
  const settings = new LiveSettings()
  settings.replace(new Map(Object.entries(values)) as Parameters<LiveSettings['replace']>[0])
  return settings
}
const at =
  (...addresses: string[]) =>
  () =>
    Promise.resolve(addresses.map((address) => ({ address })))
const noAnswer = (): Promise<never> => Promise.reject(new Error('nobody asked for a name here'))
const failureOf = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => 'no failure',
    (error: unknown) => (error instanceof OutboundBlocked ? error.message : `not blocked: ${String(error)}`),
  )
/** No connection is made for what passed the check. */
const stopped: OutboundRequest = { signal: AbortSignal.abort(new Error('far enough')) }
const PASSED = 'not blocked: Error: far enough'

test('a refusal names the host, its address, what kind it is and what to do about it', async () => {
  const owner = guardedFetch(settingsOf({}), new ManualClock(), at('10.0.0.7'))
  const advice = '; allow it in ssrf_allowed_hosts if it is meant'
  expect(await failureOf(owner('http://a.example/'))).toBe(`a.example is at 10.0.0.7, a private address${advice}`)
  expect(await failureOf(owner('http://[fe80::1]/'))).toBe(`fe80::1 is at fe80::1, a linkLocal address${advice}`)
  expect(await failureOf(owner('http://168.63.129.16/'))).toBe(`168.63.129.16 is at 168.63.129.16, a reserved address${advice}`)
  expect(await failureOf(owner('http://[4000::1]/'))).toBe(`4000::1 is at 4000::1, a reserved address${advice}`)
  const customer = publicFetch(new ManualClock(), '', at('127.0.0.1'))
  expect(await failureOf(customer('http://a.example/'))).toBe('a.example is at 127.0.0.1, a loopback address; a customer named it')
})

test('a refusal is known by its name in the log', async () => {
  const refused = await publicFetch(new ManualClock(), '', at('10.0.0.7'))('http://a.example/').catch(String)
  expect(refused).toStartWith('OutboundBlocked: a.example is at 10.0.0.7')
})

test('only http and https without user information are called', async () => {
  const fetch = guardedFetch(settingsOf({ ssrf_protection_enabled: 'false' }), new ManualClock(), noAnswer)
  expect(await failureOf(fetch('no address'))).toBe('the URL is not valid')
  expect(await failureOf(fetch('ftp://8.8.8.8/'))).toBe('scheme ftp: is not allowed')
  expect(await failureOf(fetch('http://me@8.8.8.8/'))).toBe('a URL with user information is not allowed')
  expect(await failureOf(fetch('https://:word@8.8.8.8/'))).toBe('a URL with user information is not allowed')
})

test('local names are refused before a name server is asked, unless the owner means them', async () => {
  for (const host of ['localhost', 'a.localhost', 'localhost.']) {
    const fetch = publicFetch(new ManualClock(), '', at('8.8.8.8'))
    expect(await failureOf(fetch(`http://${host}/`, stopped))).toBe(`${host.replace(/\.$/, '')} is a local name`)
  }
  const fetch = publicFetch(new ManualClock(), '', at('8.8.8.8'))
  expect(await failureOf(fetch('http://notlocalhost/', stopped))).toBe(PASSED)
  const listed = publicFetch(new ManualClock(), 'localhost', at('127.0.0.1'))
  expect(await failureOf(listed('http://localhost/', stopped))).toBe(PASSED)
})

test('one forbidden address among several refuses the name; a name without any is said to have none', async () => {
  const mixed = publicFetch(new ManualClock(), '', at('8.8.8.8', '10.0.0.1'))
  expect(await failureOf(mixed('http://a.example/', stopped))).toContain('is at 10.0.0.1, a private address')
  const fine = publicFetch(new ManualClock(), '', at('8.8.8.8', '2606:4700::1111'))
  expect(await failureOf(fine('http://a.example/', stopped))).toBe(PASSED)
  const empty = publicFetch(new ManualClock(), '', at())
  expect(await failureOf(empty('http://a.example/', stopped))).toBe('not blocked: Error: a.example has no address')
})

test('a name server that does not answer holds nobody for more than three seconds', async () => {
  jest.useFakeTimers()
  try {
    const fetch = publicFetch(new ManualClock(), '', () => new Promise<never>(() => undefined))
    let said: unknown
    const asked = failureOf(fetch('http://a.example/')).then((failure) => (said = failure))
    await Promise.resolve()
    jest.advanceTimersByTime(2_999)
    for (let n = 0; n < 50; n += 1) await Promise.resolve()
    expect(said).toBeUndefined()
    jest.advanceTimersByTime(1)
    expect(await asked).toBe('not blocked: Error: no answer from DNS for a.example within 3000 ms')
    // One that answers leaves no timer behind, whatever it says.
    for (const address of ['8.8.8.8', '10.0.0.1'])
      await failureOf(publicFetch(new ManualClock(), '', at(address))('http://a.example/', stopped))
    expect(jest.getTimerCount()).toBe(0)
  } finally {
    jest.useRealTimers()
  }
})

test('a range of the list lets its addresses through, of its kind only', async () => {
  const fetch = guardedFetch(settingsOf({ ssrf_allowed_hosts: '10.0.0.0/8; fd00::/8 nonsense/64' }), new ManualClock(), at('10.1.2.3'))
  for (const host of ['10.0.0.1', 'a.example', '[fd00::7]', '[::ffff:10.0.0.1]']) {
    expect(await failureOf(fetch(`http://${host}/`, stopped))).toBe(PASSED)
  }
  for (const host of ['11.0.0.1.example', '192.168.0.1', '[fe80::7]']) {
    const other = guardedFetch(settingsOf({ ssrf_allowed_hosts: '10.0.0.0/8 fd00::/8' }), new ManualClock(), at('192.168.0.1'))
    expect(await failureOf(other(`http://${host}/`, stopped))).toContain('allow it in ssrf_allowed_hosts')
  }
  expect(inList('10.0.0.1', parseAllowList('::/0'))).toBe(false)
})

test('without the guard, or with private networks allowed, every address is called; a changed setting counts at once', async () => {
  for (const [key, value] of [
    ['ssrf_protection_enabled', 'false'],
    ['ssrf_allow_private_networks', 'true'],
  ] as const) {
    const off = { [key]: value }
    const settings = settingsOf(off)
    const fetch = guardedFetch(settings, new ManualClock(), at('127.0.0.1'))
    expect(await failureOf(fetch('http://10.0.0.1/', stopped))).toBe(PASSED)
    expect(await failureOf(fetch('http://localhost/', stopped))).toBe(PASSED)
    settings.replace(new Map())
    expect(await failureOf(fetch('http://10.0.0.1/', stopped))).toContain('a private address')
    expect(await failureOf(fetch('http://localhost/', stopped))).toBe('localhost is a local name')
  }
})

test('a checked address is kept for 30 seconds, and for no more than 1,000 names', async () => {
  let asked = 0
  const clock = new ManualClock()
  const fetch = publicFetch(clock, '', () => {
    asked += 1
    return Promise.resolve([{ address: '8.8.8.8' }])
  })
  const call = (host: string) => failureOf(fetch(`http://${host}/`, stopped))
  await call('a.example')
  clock.advance(29_999)
  await call('a.example')
  expect(asked).toBe(1)
  clock.advance(1)
  await call('a.example')
  expect(asked).toBe(2)
  for (let index = 1; index < 1_000; index += 1) await call(`n${index}.example`)
  await call('a.example')
  expect(asked).toBe(1_001)
  await call('one-more.example')
  await call('a.example')
  expect(asked).toBe(1_003)
})

test('what is sent is what was asked for, to the pinned address under its own name, and redirects are not followed', async () => {
  const server = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    async fetch(request) {
      const path = new URL(request.url).pathname
      if (path === '/moved') return Response.redirect('/elsewhere')
      return Response.json([request.method, path, request.headers.get('host'), request.headers.get('x-own'), await request.text()])
    },
  })
  try {
    const settings = settingsOf({ ssrf_allowed_hosts: `a.example:${server.port} 127.0.0.1:${server.port}` })
    const fetch = guardedFetch(settings, new ManualClock(), at('127.0.0.1'))
    const base = `a.example:${server.port}`
    const sent = await fetch(`http://${base}/a.example`, { method: 'PUT', headers: { 'x-own': '1' }, body: 'text' })
    expect(await sent.json()).toEqual(['PUT', '/a.example', base, '1', 'text'])
    const plain = await fetch(`http://127.0.0.1:${server.port}/plain`, { headers: { 'x-own': '2' } })
    expect(await plain.json()).toEqual(['GET', '/plain', `127.0.0.1:${server.port}`, '2', ''])
    expect((await fetch(`http://${base}/moved`)).status).toBe(302)
  } finally {
    await server.stop(true)
  }
})

test("an address for mail is checked like any other, and is the owner's own when he lists its name, its address or its port", async () => {
  const owned = settingsOf({ ssrf_allowed_hosts: 'mail.example:25 10.0.0.0/8 [::1]:25' })
  expect(await guardedAddress(owned, 'mail.example', 25, at('127.0.0.1'))).toEqual({ address: '127.0.0.1', listed: true })
  expect(await guardedAddress(owned, 'other.example', 25, at('10.0.0.9'))).toEqual({ address: '10.0.0.9', listed: true })
  expect(await guardedAddress(owned, 'other.example', 25, at('8.8.8.8'))).toEqual({ address: '8.8.8.8', listed: false })
  expect(await guardedAddress(owned, '10.0.0.9', 25, noAnswer)).toEqual({ address: '10.0.0.9', listed: true })
  expect(await guardedAddress(owned, '::1', 25, noAnswer)).toEqual({ address: '::1', listed: true })
  expect(await guardedAddress(owned, '8.8.8.8', 25, noAnswer)).toEqual({ address: '8.8.8.8', listed: false })
  expect(await failureOf(guardedAddress(owned, 'mail.example', 26, at('127.0.0.1')))).toContain('a loopback address')
  expect(await failureOf(guardedAddress(owned, '192.168.0.1', 25, noAnswer))).toContain('a private address')
  for (const [key, value] of [
    ['ssrf_protection_enabled', 'false'],
    ['ssrf_allow_private_networks', 'true'],
  ] as const) {
    const off = { [key]: value }
    expect(await guardedAddress(settingsOf(off), '192.168.0.1', 25, noAnswer)).toEqual({ address: '192.168.0.1', listed: false })
    expect(await guardedAddress(settingsOf(off), 'mail.example', 25, at('127.0.0.1'))).toEqual({ address: '127.0.0.1', listed: false })
  }
})

test("a host is the owner's own by name, by port or by a range its address is in", () => {
  const owned = settingsOf({ ssrf_allowed_hosts: 'a.example, b.example:443，10.0.0.0/8；*.inside.example' })
  for (const url of ['http://a.example:9/', 'https://b.example/', 'http://10.1.2.3/', 'http://x.inside.example/']) {
    expect(isListedHost(owned, new URL(url))).toBe(true)
  }
  for (const url of ['http://b.example/', 'http://11.1.2.3/', 'http://10.1.2.3.example/', 'http://[fd00::1]/']) {
    expect(isListedHost(owned, new URL(url))).toBe(false)
  }
})
