import { afterAll, beforeAll, expect, test } from 'bun:test'
import { operationsOf, search, typeOf, type ApiDocument } from '../web/src/features/reference/document.ts'
import { addressOf, curlOf, exampleBody } from '../web/src/features/reference/example.ts'
import { createTestApp, type TestApp } from './app.ts'

/** A database of its own on a busy machine. */
const BUSY_MS = 30_000
let app: TestApp
let document: ApiDocument
beforeAll(async () => {
  app = await createTestApp({ setUp: false })
  document = (await app.api<ApiDocument>('GET', '/openapi.json', undefined, null)).body
}, BUSY_MS)
afterAll(() => app.close())

test('the reference page can read, type and write out every operation of the real document', () => {
  const operations = operationsOf(document)
  expect(operations.length).toBeGreaterThan(app.app.endpoints.length)
  expect(new Set(operations.map(({ id }) => id)).size).toBe(operations.length)
  for (const operation of operations) {
    expect(operation.id).toMatch(/^\w{1,120}$/)
    const body = exampleBody(document, operation, 'm')
    const filled = { params: Object.fromEntries(operation.parameters.map(({ name }) => [name, 'x'])), body: JSON.stringify(body) }
    expect(addressOf(operation, filled.params)).not.toContain('{')
    expect(curlOf('http://h', operation, filled, 'T')).toStartWith('curl ')
    for (const content of [operation.body, operation.answer])
      for (const { schema } of Object.values(content ?? {})) if (schema) expect(typeOf(document, schema)).not.toBe('')
  }
})

test('every gateway operation that takes JSON has an example of its own', () => {
  const bare = operationsOf(document).filter(
    (operation) => operation.caller === 'gateway' && JSON.stringify(exampleBody(document, operation, 'm')) === '{}',
  )
  expect(bare.map(({ path }) => path)).toEqual([])
})

test('a search takes words in any order; a shell takes any text; a model name keeps its slashes', () => {
  const operations = operationsOf(document)
  expect(search(operations, 'groups GET /api').map(({ id }) => id)).toContain('GET_api_groups')
  const [put] = search(operations, 'PUT /api/groups/{id}')
  if (!put) throw new Error('not found')
  expect(curlOf('http://h', put, { params: { id: '1' }, body: `{"name":"it's"}` }, undefined)).toBe(
    `curl -X PUT 'http://h/api/groups/1' \\\n  -H 'Content-Type: application/json' \\\n  -d '{"name":"it'\\''s"}'`,
  )
  const [generate] = operations.filter(({ path }) => path === '/v1beta/models/{model}:generateContent')
  if (!generate) throw new Error('not found')
  expect(addressOf(generate, { model: 'maker/name:free' })).toBe('/v1beta/models/maker/name%3Afree:generateContent')
})
