import { afterAll, beforeAll, expect, test } from 'bun:test'
import { createTestApp, type TestApp } from '../../../test/app.ts'

/** A database of its own on a busy machine. */
const BUSY_MS = 30_000
let app: TestApp
beforeAll(async () => {
  app = await createTestApp({ settings: { about_html: '<h1>Us</h1>', terms: 'One & two\n1 < 2' } })
}, BUSY_MS)
afterAll(() => app.close())

const get = async (path: string) => {
  const response = await app.fetch(path)
  return { status: response.status, text: await response.text(), headers: response.headers }
}

test("the owner's HTML is a document without rights that only this site frames", async () => {
  const { status, text, headers } = await get('/content/about?theme=dark')
  expect([status, headers.get('content-type'), headers.get('x-frame-options')]).toEqual([200, 'text/html; charset=utf-8', 'SAMEORIGIN'])
  expect(text).toContain('<h1>Us</h1>')
  expect(text).toContain('color-scheme: dark')
  const policy = headers.get('content-security-policy') ?? ''
  for (const part of ["default-src 'none'", "frame-ancestors 'self'", "base-uri 'none'", "form-action 'none'"])
    expect(policy).toContain(part)
  expect(policy).toContain('sandbox')
  expect(policy).not.toMatch(/allow-scripts|allow-same-origin|https:/)
})

test('a plain text keeps its lines and is no HTML; a theme that is none is light', async () => {
  const { text } = await get('/content/terms?theme=pink')
  expect(text).toContain('<div class="plain">One &amp; two\n1 &lt; 2</div>')
  expect(text).toContain('color-scheme: light')
})

test('a page that is empty or unknown is not there, and it is there as soon as it is written', async () => {
  expect([(await get('/content/privacy')).status, (await get('/content/settings')).status]).toEqual([404, 404])
  await app.api('PUT', '/api/settings', { privacy_policy: 'None of your data.' })
  expect((await get('/content/privacy')).status).toBe(200)
})
