import { afterAll, beforeAll, expect, test } from 'bun:test'
import type { JsonObject } from '../../../contract/json.ts'
import { isObject } from '../../../contract/json.ts'
import { errors } from '../../../contract/errors.ts'
import { createTestApp, type TestApp } from '../../../test/app.ts'
import { openapiPath, type OpenapiDocument } from './document.ts'

let app: TestApp
let document: OpenapiDocument
let operations: { path: string; method: string; operation: JsonObject }[]
beforeAll(async () => {
  app = await createTestApp()
  document = (await app.api<OpenapiDocument>('GET', '/openapi.json', undefined, null)).body
  operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, operation: operation as JsonObject })),
  )
})
afterAll(() => app.close())

test('the document is public, cached for minutes and has the members that OpenAPI 3.1 asks for', async () => {
  const { status, headers } = await app.api('GET', '/openapi.json', undefined, null)
  expect([status, headers.get('cache-control')]).toEqual([200, 'public, max-age=300'])
  expect(document.openapi).toBe('3.1.1')
  expect(document.info).toMatchObject({ title: 'Tollgate', version: expect.any(String) })
  for (const path of Object.keys(document.paths)) expect(path).toStartWith('/')
})

test('browsers get it packed, and it is the same', async () => {
  const response = await app.app.fetch(
    new Request('http://localhost/openapi.json', { headers: { 'accept-encoding': 'br, gzip' } }),
    '127.0.0.1',
  )
  expect([response.headers.get('content-encoding'), response.headers.get('vary')]).toEqual(['gzip', 'accept-encoding'])
  const bytes = new Uint8Array(await response.arrayBuffer())
  const text = new TextDecoder().decode(Bun.gunzipSync(bytes))
  expect(JSON.parse(text)).toEqual(document)
  expect(bytes.length).toBeLessThan(text.length / 10)
})

test('every operation has an id of its own, a summary, its path parameters and a described answer', () => {
  const ids = operations.map(({ operation }) => operation['operationId'])
  expect(new Set(ids).size).toBe(ids.length)
  for (const { path, method, operation } of operations) {
    const name = `${method} ${path}`
    const inPath = (operation['parameters'] as { in: string; name: string; required: boolean }[]).filter((one) => one.in === 'path')
    expect({ name, names: inPath.map((one) => one.name) }).toEqual({
      name,
      names: [...path.matchAll(/\{(\w+)\}/g)].map(([, one = '']) => one),
    })
    expect(inPath.every(({ required }) => required)).toBe(true)
    expect({ name, summary: operation['summary'] }).toEqual({ name, summary: expect.stringMatching(/\S/) })
    for (const [status, response] of Object.entries(operation['responses'] as Record<string, JsonObject>)) {
      expect(status).toMatch(/^([1-5]\d\d|[1-5]XX)$/)
      expect(response['description']).toEqual(expect.stringMatching(/\S/))
    }
    // A body of GET has no meaning (RFC 9110).
    if (method === 'get') expect(operation['requestBody']).toBeUndefined()
  }
})

test('every served operation is in it, with who may call it', () => {
  for (const { method, path, access } of app.app.endpoints) {
    const operation = document.paths[openapiPath(path)]?.[method.toLowerCase()] as JsonObject | undefined
    expect({ path, access: operation?.['x-access'] }).toEqual({ path, access })
    const open = access === 'public'
    expect({ path, security: operation?.['security'] }).toEqual({ path, security: open ? [] : expect.arrayContaining([{ session: [] }]) })
  }
})

test('every reference and every named security scheme exists', () => {
  const names = new Set(Object.keys(document.components['securitySchemes'] as JsonObject))
  for (const { operation } of operations)
    for (const scheme of operation['security'] as JsonObject[]) for (const name of Object.keys(scheme)) expect(names.has(name)).toBe(true)
  let references = 0
  const visit = (value: unknown): void => {
    if (Array.isArray(value)) return value.forEach(visit)
    if (!isObject(value)) return
    const { $ref } = value
    if (typeof $ref === 'string') {
      references += 1
      expect(resolve($ref)).toBeDefined()
    }
    Object.values(value).forEach(visit)
  }
  visit(document)
  expect(references).toBeGreaterThan(100)
})

test('the table of errors is the one the server answers from', () => {
  expect(document['x-errors']).toHaveLength(Object.keys(errors).length)
})

/** What `#/components/schemas/Error` points at. */
function resolve(reference: string): unknown {
  let at: unknown = document
  for (const part of reference.replace(/^#\//, '').split('/'))
    at = isObject(at) ? at[part.replaceAll('~1', '/').replaceAll('~0', '~')] : undefined
  return at
}
