import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { createTestApp, type TestApp } from '../../../test/app.ts'

type Settings = Record<string, unknown>

let app: TestApp
beforeAll(async () => {
  app = await createTestApp()
})
afterAll(() => app.close())

const get = async (): Promise<Settings> => (await app.api<Settings>('GET', '/api/settings')).body
const put = (body: Settings) => app.api<Settings & { error: string }>('PUT', '/api/settings', body)

describe('settings', () => {
  test('the public object has the contract’s defaults and discloses no protection switch (W14)', async () => {
    const { body } = await app.api<Settings>('GET', '/api/public/settings', undefined, null)
    expect(body).toMatchObject({
      site_name: 'Test site',
      edition: 'community',
      payment_usd_to_rmb_rate: '7.20',
      password_login_enabled: true,
      checkin_streak_rewards: '{}',
    })
    for (const hidden of [
      'rate_limit_enabled',
      'ssrf_protection_enabled',
      'ssrf_allow_private_networks',
      'sensitive_filter_scope',
      'smtp_host',
      'hcaptcha_secret',
    ]) {
      expect(body).not.toHaveProperty(hidden)
    }
  })

  test('what was read can be sent back whole and changes nothing', async () => {
    const before = await get()
    expect((await put({ ...before, unknown: 1, edition: 'premium' })).body).toEqual(before as never)
    const rows = await app.deps.db.query.selectFrom('audit_log').select('id').where('object_type', '=', 'settings').execute()
    expect(rows).toEqual([])
  })

  test('a change is in force at once, audited, and can be cleared (W37)', async () => {
    await put({ footer_text: '  hello ', checkin_enabled: 'yes', rate_limit_requests_per_minute: 5 })
    expect(await get()).toMatchObject({ footer_text: 'hello', checkin_enabled: true, rate_limit_requests_per_minute: '5' })
    expect(app.deps.settings.integer('rate_limit_requests_per_minute')).toBe(5)
    await put({ footer_text: '', rate_limit_requests_per_minute: '' })
    expect(await get()).toMatchObject({ footer_text: '', rate_limit_requests_per_minute: '60' })
    const audit = await app.deps.db.query.selectFrom('audit_log').selectAll().where('object_type', '=', 'settings').orderBy('id').execute()
    expect(JSON.parse(audit[0]?.after ?? '')).toEqual({
      footer_text: 'hello',
      checkin_enabled: 'true',
      rate_limit_requests_per_minute: '5',
    })
  })

  test.each([
    [{ footer_text: 'lost?', checkin_timezone: 'Mars/Olympus' }, 'checkin_timezone'],
    [{ footer_text: 'lost?', payment_usd_to_rmb_rate: '0' }, 'payment_usd_to_rmb_rate'],
    [{ footer_text: 'lost?', smtp_port: '70000' }, 'smtp_port'],
    [{ footer_text: 'lost?', checkin_enabled: 'perhaps' }, 'checkin_enabled'],
    [{ footer_text: 'lost?', terms: { html: 1 } }, 'terms'],
    [{ footer_text: 'lost?', base_url: 'javascript:alert(1)' }, 'base_url'],
  ])('one bad value and nothing is stored (W38): %j', async (body, key) => {
    const answer = await put(body)
    expect([answer.status, answer.body.error.startsWith(`${key}: `)]).toEqual([400, true])
    expect(await get()).toMatchObject({ footer_text: '' })
  })

  test('the site keeps a name of at most 80 characters', async () => {
    expect((await put({ site_name: ' ' })).body.error).toBe('Site name is required')
    expect((await put({ site_name: 'x'.repeat(81) })).body.error).toBe('Site name is too long')
  })

  test('secrets are sealed at rest, masked on the wire, kept by the mask or "", cleared by null (W36)', async () => {
    const secret = 'smtp-secret-123456'
    expect((await put({ smtp_password: secret, hcaptcha_secret: 'short' })).body).toMatchObject({
      smtp_password: '********3456',
      hcaptcha_secret: '********',
    })
    const rows = JSON.stringify(await app.deps.db.query.selectFrom('settings').selectAll().execute())
    const audit = JSON.stringify(await app.deps.db.query.selectFrom('audit_log').selectAll().execute())
    for (const text of [rows, audit]) expect(text).not.toContain(secret)
    await put({ smtp_password: '********3456', hcaptcha_secret: '' })
    expect([app.deps.settings.stored('smtp_password'), app.deps.settings.stored('hcaptcha_secret')]).toEqual([secret, 'short'])
    await put({ smtp_password: null })
    expect(app.deps.settings.stored('smtp_password')).toBe('')
    expect(await get()).not.toHaveProperty('smtp_password')
  })

  test('the gateway’s name is normalised and its URLs are computed from the base URL', async () => {
    const { body } = await put({ payment_gateway_provider: 'open-payment', base_url: 'https://example.test/' })
    expect(body).toMatchObject({
      payment_gateway_provider: 'openpayment',
      payment_openpayment_notify_url: 'https://example.test/api/payment/openpayment/notify',
      payment_openpayment_return_url: 'https://example.test/api/payment/openpayment/return',
    })
    expect((await put({ payment_openpayment_notify_url: 'https://evil.test' })).body['payment_openpayment_notify_url']).toBe(
      'https://example.test/api/payment/openpayment/notify',
    )
  })
})
