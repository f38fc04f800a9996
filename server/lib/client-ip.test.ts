import { expect, test } from 'bun:test'
import { clientIp, parseRange, type Range } from './client-ip.ts'

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
