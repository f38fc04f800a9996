import { expect, test } from 'bun:test'
import { listPrice } from './list-prices.ts'
import { allowEntry, isPrivateHost, templates } from './templates.ts'

test('every template that has an address has one a server can use, and no two share an id', () => {
  for (const template of templates) if (template.baseUrl !== '') expect(allowEntry(template.baseUrl)).toBeDefined()
  expect(new Set(templates.map((template) => template.id)).size).toBe(templates.length)
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
