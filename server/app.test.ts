import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { createTestApp, type TestApp } from '../test/app.ts'
import { parseRange } from './lib/client-ip.ts'

let app: TestApp
let consoleDir: string
beforeAll(async () => {
  consoleDir = mkdtempSync(join(tmpdir(), 'tollgate-page-'))
  mkdirSync(join(consoleDir, 'assets'))
  writeFileSync(join(consoleDir, 'index.html'), '<meta content="__CSP_NONCE__"><script type="application/json" id="boot">__BOOT__</script>')
  writeFileSync(join(consoleDir, 'assets', 'main-abc.js'), 'console.log(1)')
  writeFileSync(join(consoleDir, 'favicon.svg'), '<svg/>')
  const proxy = parseRange('10.0.0.0/8')
  app = await createTestApp({ consoleDir, config: { trustedProxies: proxy ? [proxy] : [] } })
})
afterAll(async () => {
  await app.close()
  rmSync(consoleDir, { recursive: true, force: true })
})

const bootOf = async (response: Response): Promise<Record<string, Record<string, unknown>>> => {
  const text = await response.text()
  return JSON.parse(/id="boot">(.*?)<\/script>/s.exec(text)?.[1] ?? '') as Record<string, Record<string, unknown>>
}

describe('addresses', () => {
  test.each([
    ['GET', '/api'],
    ['GET', '/api/nope'],
    ['GET', '/auth/nope'],
    ['GET', '/v1/nope'],
    ['GET', '/v1beta'],
    ['PATCH', '/api/settings'],
    ['OPTIONS', '/api/settings'],
    ['GET', '/api/'],
  ])('%s %s is 404 {"error":"Not found"}', async (method, path) => {
    const response = await app.fetch(path, { method })
    expect([response.status, await response.json()]).toEqual([404, { error: 'Not found' }])
  })

  test('a trailing slash is redirected: 301 for GET, else 307, with the query', async () => {
    const get = await app.fetch('/api/logs/?page=2')
    expect([get.status, get.headers.get('location')]).toEqual([301, '/api/logs?page=2'])
    const post = await app.fetch('/auth/password/login/', { method: 'POST' })
    expect([post.status, post.headers.get('location')]).toEqual([307, '/auth/password/login'])
  })

  test('every answer has a request id of its own and the security headers', async () => {
    const answers = await Promise.all(['/health', '/api/nope', '/', '/api/user/me', '/assets/none.js'].map((path) => app.fetch(path)))
    const ids = answers.map(({ headers }) => headers.get('x-tollgate-request-id'))
    expect(new Set(ids).size).toBe(answers.length)
    for (const { headers } of answers) {
      expect(headers.get('x-content-type-options')).toBe('nosniff')
      expect(headers.get('x-frame-options')).toBe('DENY')
      expect(headers.get('content-security-policy')).toContain("default-src 'none'")
    }
  })

  test('errors say code and request id, and nothing of the inside', async () => {
    const { status, body } = await app.api<Record<string, string>>('GET', '/api/user/me', undefined, null)
    expect([status, body]).toEqual([
      401,
      { error: 'Authorization is required', code: 'credential_missing', request_id: expect.stringMatching(/^req_/) as never },
    ])
    const broken = await app.fetch('/api/settings', { method: 'PUT', headers: { authorization: `Bearer ${await app.admin()}` }, body: '{' })
    expect(broken.status).toBe(400)
  })

  test('a body over 32 MiB is 413', async () => {
    const response = await app.fetch('/auth/password/login', { method: 'POST', body: 'x'.repeat(32 * 1024 * 1024 + 1) })
    expect(response.status).toBe(413)
  })

  test('the client is the last hop that is no trusted proxy (W02)', async () => {
    const seen = async (from: string, forwarded: string): Promise<string | undefined> => {
      app.clock.advance(61_000)
      const body = JSON.stringify({ identifier: 'owner', password: 'correct horse battery' })
      const response = await app.fetch('/auth/password/login', { method: 'POST', body, headers: { 'x-forwarded-for': forwarded } }, from)
      const { token } = (await response.json()) as { token: string }
      const sessions = (await app.api<{ ip: string; current: boolean }[]>('GET', '/api/user/sessions', undefined, token)).body
      return sessions.find(({ current }) => current)?.ip
    }
    expect(await seen('203.0.113.5', '198.51.100.1')).toBe('203.0.113.5')
    expect(await seen('10.0.0.1', '198.51.100.1, 203.0.113.7, 10.1.1.1')).toBe('203.0.113.7')
  })

  test('/ready is 503 while stopping, /health stays', async () => {
    const other = await createTestApp()
    expect((await other.fetch('/ready')).status).toBe(200)
    other.app.drain()
    expect([(await other.fetch('/ready')).status, (await other.fetch('/health')).status]).toEqual([503, 200])
    await other.close()
  })
})

describe('the console', () => {
  test('any other path is the page, never stored, with a nonce of its own', async () => {
    const [one, two] = [await app.fetch('/'), await app.fetch('/dashboard/anything')]
    const nonces = [one, two].map(({ headers }) => /'nonce-([^']+)'/.exec(headers.get('content-security-policy') ?? '')?.[1])
    expect(new Set(nonces).size).toBe(2)
    expect([one.status, two.status, one.headers.get('cache-control')]).toEqual([200, 200, 'no-store'])
    expect(await two.clone().text()).toContain(`content="${nonces[1]}"`)
    expect(one.headers.get('content-security-policy')).not.toContain('unsafe')
    expect(await bootOf(one)).toMatchObject({ settings: { site_name: 'Test site', edition: 'community' }, setup_required: false as never })
  })

  test('no setting can break out of the boot data', async () => {
    const evil = '</script><script>alert(1)</script><!-- $& \u2028 __CSP_NONCE__'
    await app.api('PUT', '/api/settings', { footer_text: evil })
    const response = await app.fetch('/')
    expect(await response.clone().text()).not.toContain('<script>alert')
    expect((await bootOf(response)).settings?.['footer_text']).toBe(evil)
    await app.api('PUT', '/api/settings', { footer_text: '' })
  })

  test('only the owner’s frame and, when it is on, the captcha may be loaded from elsewhere', async () => {
    const policy = async (): Promise<string> => (await app.fetch('/')).headers.get('content-security-policy') ?? ''
    expect(await policy()).toContain("frame-src 'self';")
    await app.api('PUT', '/api/settings', {
      home_iframe_url: 'https://home.example.test/page?x=1;script-src *',
      password_hcaptcha_enabled: true,
    })
    expect(await policy()).toContain("frame-src 'self' https://home.example.test https://hcaptcha.com")
    expect(await policy()).toContain("script-src 'self' https://hcaptcha.com")
    await app.api('PUT', '/api/settings', { home_iframe_url: '', password_hcaptcha_enabled: false })
  })

  test('assets are immutable, a missing one is a real 404, no path leaves the folder', async () => {
    const asset = await app.fetch('/assets/main-abc.js', { headers: { 'accept-encoding': 'gzip' } })
    expect([asset.status, asset.headers.get('cache-control'), asset.headers.get('content-encoding')]).toEqual([
      200,
      'public, max-age=31536000, immutable',
      'gzip',
    ])
    expect((await app.fetch('/assets/old.js')).status).toBe(404)
    const icon = await app.fetch('/favicon.svg')
    expect([icon.headers.get('content-type'), icon.headers.get('cache-control')]).toEqual(['image/svg+xml', 'public, max-age=300'])
    expect((await app.fetch('/favicon.svg', { headers: { 'if-none-match': icon.headers.get('etag') ?? '' } })).status).toBe(304)
    for (const path of ['/assets/../../etc/passwd', '/assets/%2e%2e/index.html', '/%2e%2e/%2e%2e/etc/passwd', '/assets//etc/passwd']) {
      expect(await (await app.fetch(path)).text()).not.toContain('root:')
    }
  })

  test('without a built console the page says so, and the API works', async () => {
    const other = await createTestApp()
    const page = await other.fetch('/')
    expect([page.status, await page.text()]).toEqual([503, expect.stringContaining('npm run build') as never])
    expect((await other.fetch('/health')).status).toBe(200)
    await other.close()
  })
})
