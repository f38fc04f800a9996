import { afterAll, beforeAll, expect, test } from 'bun:test'
import type { Browser } from 'playwright-core'
import { startBrowser, startServer, type RunningServer } from './console.ts'
import { payloads, walk } from './xss.ts'

/** S11: stored text never becomes script. 30 texts here, 150 in the full lane. */
const JOURNEY_MS = 120_000
let server: RunningServer
let browser: Browser
beforeAll(async () => {
  server = await startServer()
  browser = await startBrowser()
}, JOURNEY_MS)
afterAll(async () => {
  await browser?.close()
  await server?.stop()
})

test(
  'thirty texts in every stored field: no page runs one, opens a dialog or asks anybody',
  async () => {
    const { ran, asked, pages } = await walk(server, browser, 30)
    expect({ ran, asked, pages }).toEqual({ ran: [], asked: [], pages: 16 })
  },
  JOURNEY_MS,
)

test('the frame of the home page goes to http and https only', async () => {
  const login = await fetch(`${server.url}/auth/password/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ identifier: 'owner', password: 'correct horse battery' }),
  })
  const { token } = (await login.json()) as { token: string }
  const put = async (address: string): Promise<number> => {
    const headers = { 'content-type': 'application/json', authorization: `Bearer ${token}` }
    const answer = await fetch(`${server.url}/api/settings`, { method: 'PUT', headers, body: JSON.stringify({ home_iframe_url: address }) })
    await answer.text()
    return answer.status
  }
  for (const address of [
    'javascript:alert(1)',
    ' javascript:alert(1)',
    'JaVaScRiPt:alert(1)',
    'data:text/html,x',
    'file:///etc/passwd',
    'blob:x',
    'vbscript:x',
    '//x',
    'x',
    'java\tscript:x',
  ])
    expect([address, await put(address)]).toEqual([address, 400])
  expect(await put('https://home.example.test/')).toBe(200)
})

test('the texts are 150, all different', () => {
  expect(new Set(payloads(150, 'http://x')).size).toBe(150)
})
