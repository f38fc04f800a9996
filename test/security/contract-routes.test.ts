import { afterAll, beforeAll, expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import type { OpenapiDocument } from '../../server/features/openapi/document.ts'
import { createTestApp, type TestApp } from '../app.ts'
import { CONTRACT } from '../contract/routes.ts'

let app: TestApp
let document: OpenapiDocument
let served: string[]
beforeAll(async () => {
  app = await createTestApp()
  document = (await app.api<OpenapiDocument>('GET', '/openapi.json', undefined, null)).body
  served = Object.entries(document.paths).flatMap(([path, operations]) =>
    Object.keys(operations).map((method) => `${method.toUpperCase()} ${path}`),
  )
})
afterAll(() => app.close())

test('every address of the contract is served', () => {
  expect(new Set(CONTRACT).size).toBe(CONTRACT.length)
  expect(CONTRACT.filter((name) => !served.includes(name))).toEqual([])
})

test('docs/api.md lists every added address, and no other', () => {
  const text = readFileSync(new URL('../../docs/api.md', import.meta.url), 'utf8')
  const listed = [...text.matchAll(/^- `((?:GET|POST|PUT|DELETE) [^`]+)`/gm)].map(([, name]) => name)
  const contract = new Set(CONTRACT)
  expect(new Set(listed)).toEqual(new Set(served.filter((name) => !contract.has(name))))
  expect(new Set(listed).size).toBe(listed.length)
})
