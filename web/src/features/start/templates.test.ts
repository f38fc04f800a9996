import { expect, test } from 'bun:test'
import { listPrice } from './list-prices.ts'
import { vendors } from '../../../../contract/vendors.ts'
import { allowEntry, blankIn, isPrivateHost, otherTemplates, templates, tiles } from './templates.ts'
import { templateOf } from './upstream.ts'

test('every vendor is offered once, by a tile or behind the last one, but for those that a tile covers', () => {
  const offered = [...tiles, ...otherTemplates].map(({ id }) => id)
  expect(new Set(offered).size).toBe(offered.length)
  expect([...offered, 'tollgate', 'oneapi'].toSorted()).toEqual(vendors.map(({ id }) => id).toSorted())
  expect(tiles.at(-1)?.id).toBe('custom')
})

test('an address of a template can be used at once, or says what to fill in', () => {
  for (const { id, baseUrl } of templates) {
    if (baseUrl === '') continue
    const blank = blankIn(baseUrl)
    expect([id, allowEntry(baseUrl) === undefined]).toEqual([id, blank !== undefined])
    expect([id, allowEntry(baseUrl.replaceAll(/\{[^}]+\}/g, 'x'))]).not.toEqual([id, undefined])
  }
  expect(blankIn('https://{region}-aiplatform.googleapis.com/v1/projects/{project}')).toBe('{region}')
})

test('a connected channel is known by its address and type', () => {
  expect(templateOf({ base_url: 'https://api.openai.com/v1', type: 'responses' })?.id).toBe('openai-responses')
  expect(templateOf({ base_url: 'https://api.openai.com/v1', type: 'openai' })?.id).toBe('openai')
  expect(templateOf({ base_url: 'https://api.deepseek.com/v1', type: 'openai' })?.id).toBe('deepseek')
  expect(templateOf({ base_url: 'https://gate.example', type: 'openai' })?.id).toBe('custom')
})

test('only addresses of the house count as private', () => {
  for (const host of ['localhost', '127.0.0.1', '10.1.2.3', '192.168.1.9', '172.20.0.2', '[::1]', 'fd12::1', 'box.local'])
    expect([host, isPrivateHost(host)]).toEqual([host, true])
  for (const host of ['api.openai.com', '8.8.8.8', '172.32.0.1', '11.0.0.1', 'local.example.com'])
    expect([host, isPrivateHost(host)]).toEqual([host, false])
})

test('what is allowed is one port of one host', () => {
  expect(allowEntry('http://127.0.0.1:11434/v1')).toBe('127.0.0.1:11434')
  expect(allowEntry('https://gate.lan')).toBe('gate.lan:443')
  expect(allowEntry('ftp://gate.lan')).toBeUndefined()
  expect(allowEntry('gate')).toBeUndefined()
})

test('a dated name has the price of its model, a different model does not', () => {
  expect(listPrice('claude-haiku-4-5-20251001')?.output).toBe('5')
  expect(listPrice('gpt-4.1-2025-04-14')?.input).toBe('2')
  expect(listPrice('gpt-4.1-mini')?.input).toBe('0.4')
  expect(listPrice('gpt-4.1-something')).toBeUndefined()
})
