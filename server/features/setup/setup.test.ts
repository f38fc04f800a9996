import { afterEach, describe, expect, test } from 'bun:test'
import { createTestApp, type TestApp } from '../../../test/app.ts'
import { OWNER } from '../../../test/site.ts'

let apps: TestApp[] = []
afterEach(async () => {
  await Promise.all(apps.map((app) => app.close()))
  apps = []
})

async function fresh(): Promise<TestApp> {
  const app = await createTestApp({ setUp: false })
  apps.push(app)
  return app
}

const post = (app: TestApp, headers: Record<string, string> = {}, from?: string, base = ''): Promise<Response> =>
  app.fetch(
    `${base}/api/setup`,
    { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify(OWNER) },
    from,
  )

describe('the first start (S14)', () => {
  test('200 parallel setups make one owner; the others are told 409', async () => {
    const app = await fresh()
    const body = (n: number) => JSON.stringify({ ...OWNER, username: `owner${n}`, email: `owner${n}@example.test` })
    const answers = await Promise.all(Array.from({ length: 200 }, (_, n) => app.fetch('/api/setup', { method: 'POST', body: body(n) })))
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
    expect(answers.filter(({ status }) => status === 409)).toHaveLength(199)
    const winner = answers.find(({ status }) => status === 200) ?? new Response('{}')
    const { token } = (await winner.json()) as { token: string }
    const { body: users } = await app.api<{ role: string }[]>('GET', '/api/users', undefined, token)
    expect(users.map(({ role }) => role)).toEqual(['owner'])
  }, 20_000)

  test('two processes that race past the first check still make one owner', async () => {
    const app = await fresh()
    const { setUp } = await import('./service.ts')
    const browser = { ip: '127.0.0.1', userAgent: '' }
    const tries = await Promise.allSettled(
      Array.from({ length: 8 }, (_, n) => setUp(app.deps, { ...OWNER, username: `owner${n}`, email: `owner${n}@example.test` }, browser)),
    )
    expect(tries.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    for (const attempt of tries) if (attempt.status === 'rejected') expect(attempt.reason).toMatchObject({ code: 'setup_complete' })
  }, 20_000)

  test('stays closed for ever, also when no administrator is left', async () => {
    const app = await fresh()
    await post(app)
    await app.deps.db.query.updateTable('users').set({ role: 'user' }).execute()
    expect((await app.api('GET', '/api/setup/status', undefined, null)).body).toEqual({ required: false })
    const again = await post(app)
    expect([again.status, ((await again.json()) as { error: string }).error]).toEqual([409, 'Initial setup is already complete'])
  })

  test('from another host it needs the one-time link', async () => {
    const app = await fresh()
    expect((await post(app, {}, '203.0.113.9')).status).toBe(403)
    const wrong = await app.fetch('/setup?token=wrong', {}, '203.0.113.9')
    expect(wrong.headers.get('set-cookie')).toBeNull()
    const link = await app.app.setupLink()
    const right = await app.fetch(link ?? '', {}, '203.0.113.9')
    expect([right.status, right.headers.get('location')]).toEqual([303, '/setup'])
    const cookie = right.headers.get('set-cookie') ?? ''
    expect(cookie).toContain('HttpOnly')
    expect(cookie).toContain('SameSite=Strict')
    expect((await post(app, { cookie: cookie.split(';')[0] ?? '' }, '203.0.113.9')).status).toBe(200)
    expect(await app.app.setupLink()).toBeUndefined()
  })

  test('a proxy on this machine, a foreign page and a foreign host name do not count as this machine', async () => {
    const app = await fresh()
    expect((await post(app, { 'x-forwarded-for': '203.0.113.9' })).status).toBe(403)
    expect((await post(app, { origin: 'https://evil.example' })).status).toBe(403)
    expect((await post(app, {}, '127.0.0.1', 'http://evil.example')).status).toBe(403)
    expect((await post(app, { origin: 'http://localhost' })).status).toBe(200)
  })

  test.each([
    [{ site_name: ' ' }, 'site name is required'],
    [{ site_name: 'x'.repeat(81) }, 'site name is too long'],
    [{ username: '' }, 'username is required'],
    [{ username: 'ab' }, 'username is too short'],
    [{ email: 'nobody' }, 'valid email is required'],
    [{ email: `${'x'.repeat(100)}@a` }, 'email is too long'],
    [{ password: '1234567' }, 'password must be at least 8 characters'],
  ])('refuses %j with the text of the contract', async (change, text) => {
    const app = await fresh()
    const { status, body } = await app.api<{ error: string }>('POST', '/api/setup', { ...OWNER, ...change }, null)
    expect([status, body.error]).toEqual([400, text])
    expect((await app.api('GET', '/api/setup/status', undefined, null)).body).toEqual({ required: true })
  })
})
