import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'bun:test'
import { createTestApp, type TestApp } from '../../../test/app.ts'
import { OWNER } from '../../../test/site.ts'
import { smtpSink, type SmtpSink } from '../../../test/smtp.ts'
import { deliverMails } from '../mail/service.ts'

/** A captcha service on this machine; it says what the test wants. */
const asked: Record<string, string>[] = []
let verdict: () => Response = () => Response.json({ success: true, hostname: 'localhost' })
const service = Bun.serve({
  port: 0,
  hostname: '127.0.0.1',
  async fetch(request) {
    asked.push(Object.fromEntries(new URLSearchParams(await request.text())))
    return verdict()
  },
})

let app: TestApp
let sink: SmtpSink
beforeAll(async () => {
  sink = await smtpSink()
  app = await createTestApp({
    settings: {
      ...sink.settings,
      password_hcaptcha_enabled: true,
      hcaptcha_site_key: 'site-key',
      hcaptcha_secret: 'the secret',
      hcaptcha_verify_url: `http://127.0.0.1:${service.port}/siteverify`,
    },
  })
})
beforeEach(() => {
  app.clock.advance(61_000)
  asked.length = 0
  verdict = () => Response.json({ success: true, hostname: 'localhost' })
})
afterAll(async () => {
  await app.close()
  await sink.close()
  await service.stop(true)
})

let tokens = 0
const fresh = (): string => `token-${(tokens += 1)}`
const login = (captcha_token?: string) =>
  app.api<{ error?: string; code?: string }>(
    'POST',
    '/auth/password/login',
    { identifier: OWNER.username, password: OWNER.password, captcha_token },
    null,
  )

describe('the captcha', () => {
  test('is asked for, verified with the secret, and let through', async () => {
    expect(await login()).toMatchObject({ status: 400, body: { error: 'hCaptcha token is required' } })
    expect(asked).toEqual([])
    const token = fresh()
    expect((await login(token)).status).toBe(200)
    expect(asked).toEqual([{ secret: 'the secret', response: token, sitekey: 'site-key' }])
  })

  test('each token is verified once, also when it comes fifty times at once', async () => {
    const token = fresh()
    const body = JSON.stringify({ identifier: OWNER.username, password: OWNER.password, captcha_token: token })
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, n) => app.fetch('/auth/password/reset-code', { method: 'POST', body }, `10.2.0.${n}`)),
    )
    expect(asked).toHaveLength(1)
    expect(answers.filter(({ status }) => status === 400)).toHaveLength(50)
    expect((await login(token)).body.error).toBe('hCaptcha verification failed')
    expect(asked).toHaveLength(1)
  })

  test('a token longer than any is refused unasked; the name of the site counts in any case, and need not be said', async () => {
    expect((await login('x'.repeat(20_001))).body.error).toBe('hCaptcha verification failed')
    expect(asked).toEqual([])
    expect((await login('x'.repeat(20_000))).status).toBe(200)
    verdict = () => Response.json({ success: true, hostname: 'LOCALHOST' })
    expect((await login(`  ${fresh()} `)).status).toBe(200)
    verdict = () => Response.json({ success: true })
    expect((await login(fresh())).status).toBe(200)
    expect(asked.at(-1)?.['response']).toBe(`token-${tokens}`)
  })

  test('the configured address of the site decides where it must be solved, not the one a request came to', async () => {
    await app.api('PUT', '/api/settings', { base_url: 'https://gate.example/base' })
    expect((await login(fresh())).body.error).toBe('hCaptcha verification failed')
    verdict = () => Response.json({ success: true, hostname: 'gate.example' })
    expect((await login(fresh())).status).toBe(200)
    await app.api('PUT', '/api/settings', { base_url: '' })
  })

  test('one that failed, or was solved on another site, is refused', async () => {
    verdict = () => Response.json({ success: false, 'error-codes': ['invalid-input-response'] })
    expect((await login(fresh())).body.error).toBe('hCaptcha verification failed')
    verdict = () => Response.json({ success: true, hostname: 'evil.test' })
    expect((await login(fresh())).body.error).toBe('hCaptcha verification failed')
  })

  test('a service that is down, breaks off, redirects or talks without end is said to be down', async () => {
    const faults: (() => Response)[] = [
      () => new Response('down', { status: 503 }),
      () => new Response('not json'),
      () => Response.json({ hello: true }),
      () => new Response(null, { status: 302, headers: { location: '/' } }),
      () => new Response('x'.repeat(200_000)),
    ]
    for (const fault of faults) {
      verdict = fault
      expect(await login(fresh())).toMatchObject({ status: 400, body: { code: 'captcha_unavailable' } })
      app.clock.advance(61_000)
    }
    expect(asked).toHaveLength(faults.length)
  })

  test('without keys nothing is let through', async () => {
    await app.api('PUT', '/api/settings', { hcaptcha_secret: null })
    expect((await login(fresh())).body.error).toBe('hCaptcha is not configured')
    await app.api('PUT', '/api/settings', { hcaptcha_secret: 'the secret' })
  })

  test('is solved once for code and registration together (W23)', async () => {
    await app.api('PUT', '/api/settings', { email_verification_required: true })
    const token = fresh()
    const email = 'solver@example.test'
    expect((await app.api('POST', '/auth/password/email-code', { email, captcha_token: token }, null)).status).toBe(200)
    await deliverMails(app.deps)
    const form = { username: 'solver', email, password: 'a long enough password', email_code: sink.codeFor(email) }
    expect((await app.api('POST', '/auth/password/register', { ...form, captcha_token: token }, null)).status).toBe(200)
    expect(asked).toHaveLength(1)
    const without = await app.api<{ error: string }>('POST', '/auth/password/register', { ...form, email_code: '' }, null)
    expect(without.body.error).toBe('hCaptcha token is required')
  })
})
