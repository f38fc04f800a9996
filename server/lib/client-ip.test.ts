import { expect, test } from 'bun:test'
import { clientIp, inRanges, isLoopback, parseRange, publicNetwork, type Range } from './client-ip.ts'

const ranges = (...texts: string[]): Range[] => texts.map(parseRange).filter((range) => range !== undefined)
const CLIENT = '203.0.113.9'
const FORGED = '198.51.100.1'
const NEAR = '10.0.0.1'
const FAR = '10.0.0.2'

test('S12: the address of a caller behind 0, 1 and 2 trusted proxies is exact, whatever he forges', () => {
  const matrix: [trusted: Range[], socket: string, header: string | null, expected: string][] = [
    [[], CLIENT, null, CLIENT],
    [[], CLIENT, FORGED, CLIENT],
    [[], NEAR, CLIENT, NEAR],
    [ranges(NEAR), NEAR, CLIENT, CLIENT],
    [ranges(NEAR), NEAR, `${FORGED}, ${CLIENT}`, CLIENT],
    [ranges(NEAR), CLIENT, FORGED, CLIENT],
    [ranges(NEAR), NEAR, `${CLIENT}, ${FAR}`, FAR],
    [ranges(NEAR, FAR), NEAR, `${CLIENT}, ${FAR}`, CLIENT],
    [ranges('10.0.0.0/8'), NEAR, `${FORGED}, ${CLIENT}, ${FAR}`, CLIENT],
    [ranges(NEAR), NEAR, null, NEAR],
  ]
  for (const [trusted, socket, header, expected] of matrix) expect(clientIp(socket, header, trusted)).toBe(expected)
})

test('S12: a thousand forged headers are one caller', () => {
  const seen = new Set<string>()
  for (let index = 0; index < 1_000; index += 1) {
    seen.add(clientIp(CLIENT, `10.1.${index >> 8}.${index & 255}`, []))
    seen.add(clientIp(NEAR, `10.1.${index >> 8}.${index & 255}, ${CLIENT}`, ranges(NEAR)))
  }
  expect([...seen]).toEqual([CLIENT])
})

test('a forwarded chain that cannot be read counts for nothing; one of trusted proxies alone names its first', () => {
  const proxies = ranges('10.0.0.0/8')
  expect(clientIp(NEAR, `${CLIENT}, unknown`, proxies)).toBe(NEAR)
  expect(clientIp(NEAR, '', proxies)).toBe(NEAR)
  expect(clientIp(NEAR, `unknown, ${CLIENT}`, proxies)).toBe(CLIENT)
  expect(clientIp(NEAR, `${FAR},10.0.0.3`, proxies)).toBe(FAR)
})

test('an IPv4 address inside an IPv6 one is the IPv4 one, for callers and for proxies', () => {
  expect(clientIp(`::ffff:${CLIENT}`, null, [])).toBe(CLIENT)
  expect(clientIp(`::ffff:${NEAR}`, `::ffff:${CLIENT}`, ranges(NEAR))).toBe(CLIENT)
  expect(clientIp('::ffff:nonsense', null, [])).toBe('::ffff:nonsense')
  expect(clientIp('2001:db8::ffff:7', null, [])).toBe('2001:db8::ffff:7')
})

test('a range is an address alone or a CIDR range of its own kind, and nothing else', () => {
  for (const text of ['', 'proxy', '10.0.0.0/33', '10.0.0.0/', '::1/129', '10.0.0.1:80']) expect(parseRange(text)).toBeUndefined()
  expect(parseRange(' 192.0.2.7 ')?.[1]).toBe(32)
  expect(parseRange('2001:db8::7')?.[1]).toBe(128)
  const cases: [address: string, range: string, inside: boolean][] = [
    ['192.0.2.7', '192.0.2.7', true],
    ['192.0.2.6', '192.0.2.7', false],
    ['::ffff:192.0.2.7', '192.0.2.0/24', true],
    ['2001:db8::7', '2001:db8::7', true],
    ['2001:db8::6', '2001:db8::7', false],
    ['2001:db8::6', '2001:db8::/32', true],
    ['2001:db8::6', '0.0.0.0/0', false],
    ['192.0.2.7', '::/0', false],
    ['nobody', '0.0.0.0/0', false],
  ]
  expect(cases.filter(([address, range, inside]) => inRanges(address, ranges(range)) !== inside)).toEqual([])
  expect(inRanges('192.0.2.7', [])).toBe(false)
  expect(inRanges('192.0.2.7', ranges('10.0.0.0/8', '192.0.2.0/24'))).toBe(true)
})

test('loopback is this machine alone, whatever way it is written', () => {
  for (const address of ['127.0.0.1', '127.9.9.9', '::1', '::ffff:127.0.0.1']) expect(isLoopback(address)).toBe(true)
  for (const address of ['128.0.0.1', '::2', '10.0.0.1', 'localhost', '']) expect(isLoopback(address)).toBe(false)
})

test('the network of a caller is his IPv4 address or the /64 of his household; inside addresses have none', () => {
  expect(publicNetwork('8.8.4.4')).toBe('8.8.4.4')
  expect(publicNetwork('::ffff:8.8.4.4')).toBe('8.8.4.4')
  expect(publicNetwork('2a02:8071:12ab:34::1')).toBe('2a02:8071:12ab:34::/64')
  expect(publicNetwork('2a02:8071:12ab:34:ffff:1:2:3')).toBe('2a02:8071:12ab:34::/64')
  for (const address of ['10.0.0.1', '127.0.0.1', '::1', 'fd00::1', 'nobody', '']) expect(publicNetwork(address)).toBe('')
})
