import { afterAll, beforeAll, beforeEach, expect, test } from 'bun:test'
import { createTestApp, type TestApp } from '../../../test/app.ts'
import { realProvider, type RealProvider } from '../../../test/oidc/real-provider.ts'
import { MERCHANT, startGateway } from '../../../test/payments/gateway.ts'

const REDIRECT = 'https://shop.example/auth/callback'
const SECRET = 'the stored secret'

interface Answer {
  ok: boolean
  steps: { name: string; ok: boolean; message: string }[]
}

let app: TestApp
let provider: RealProvider
const gateway = startGateway()
/** Everything the captcha service and Stripe were told. */
let told: string[] = []
let verdict: object = { success: false, 'error-codes': ['invalid-input-response'] }
const service = Bun.serve({
  port: 0,
  hostname: '127.0.0.1',
  async fetch(request) {
    told.push(`${request.headers.get('authorization') ?? ''}${await request.text()}`)
    if (new URL(request.url).pathname === '/v1/balance') {
      const known = request.headers.get('authorization') === `Bearer ${SECRET}`
      return Response.json({ object: 'balance' }, { status: known ? 200 : 401 })
    }
    return Response.json(verdict)
  },
})
const url = `http://127.0.0.1:${service.port}`

beforeAll(async () => {
  provider = await realProvider(REDIRECT)
  app = await createTestApp({ settings: { ssrf_allowed_hosts: '127.0.0.1', base_url: 'https://shop.example' } })
})
beforeEach(() => {
  told = []
  app.clock.advance(600_000)
})
afterAll(async () => {
  await app.close()
  await provider.close()
  await service.stop(true)
  gateway.stop()
})

const tried = async (target: string, body: object): Promise<Answer> => {
  const { status, body: answer } = await app.api<Answer>('POST', `/api/settings/test/${target}`, body)
  expect(status).toBe(200)
  return answer
}
const last = async (target: string, body: object) => (await tried(target, body)).steps.at(-1)

test('an identity provider is read with settings that are not saved; what is wrong is said', async () => {
  const { oidc_enabled: _, ssrf_allowed_hosts: __, ...form } = provider.settings(REDIRECT)
  const answer = await tried('oidc', form)
  expect(answer).toMatchObject({
    ok: true,
    steps: [{ name: 'settings' }, { name: 'discovery', message: provider.issuer }, { name: 'keys' }],
  })
  expect(answer.steps[0]?.message).toContain(REDIRECT)
  expect(app.deps.settings.stored('oidc_issuer')).toBe('')
  expect(app.deps.settings.bool('oidc_enabled')).toBe(false)
  expect(await last('oidc', { ...form, oidc_issuer: 'no address' })).toMatchObject({
    name: 'settings',
    ok: false,
    message: expect.stringContaining('oidc_issuer'),
  })
  expect(await last('oidc', { ...form, oidc_client_id: '' })).toMatchObject({ name: 'settings', ok: false })
  expect(await last('oidc', { ...form, oidc_issuer: url })).toMatchObject({ name: 'discovery', ok: false })
  expect(await last('oidc', { ...form, oidc_issuer: 'https://10.0.0.1' })).toMatchObject({
    name: 'discovery',
    ok: false,
    message: expect.stringContaining('ssrf_allowed_hosts'),
  })
})

test('a captcha service is asked whether it knows the secret, with a token whether it is solved', async () => {
  const form = { hcaptcha_site_key: 'site', hcaptcha_secret: 'typed', hcaptcha_verify_url: `${url}/siteverify` }
  expect(await tried('captcha', form)).toMatchObject({ ok: true, steps: [{ name: 'settings' }, { name: 'service' }] })
  expect(told[0]).toContain('secret=typed')
  expect(await last('captcha', { ...form, captcha_token: 'x' })).toMatchObject({
    name: 'captcha',
    ok: false,
    message: 'invalid-input-response',
  })
  verdict = { success: true, hostname: 'shop.example' }
  expect(await last('captcha', { ...form, captcha_token: 'x' })).toMatchObject({ name: 'captcha', ok: true, message: 'shop.example' })
  verdict = { success: false, 'error-codes': ['invalid-input-secret'] }
  expect(await last('captcha', form)).toMatchObject({ name: 'service', ok: false, message: 'invalid-input-secret' })
  expect(await last('captcha', { ...form, hcaptcha_site_key: '' })).toMatchObject({ name: 'settings', ok: false })
})

test('each payment gateway is asked in a way that opens no order', async () => {
  const open = {
    payment_gateway_provider: 'openpayment',
    payment_openpayment_base_url: gateway.url,
    payment_openpayment_merchant_id: MERCHANT.id,
  }
  expect(await last('payment', open)).toMatchObject({ name: 'settings', ok: false })
  expect(await tried('payment', { ...open, payment_openpayment_key: 'typed' })).toMatchObject({
    ok: true,
    steps: [{ message: 'openpayment' }, { name: 'gateway' }],
  })
  expect(
    await last('payment', { ...open, payment_openpayment_key: 'typed', payment_openpayment_config_url: `${gateway.url}/none` }),
  ).toMatchObject({
    name: 'gateway',
    ok: false,
  })
  const yipay = {
    payment_gateway_provider: 'yipay',
    payment_yipay_gateway_url: `${gateway.url}/submit.php`,
    payment_yipay_pid: '1',
    payment_yipay_key: 'typed',
  }
  expect(await tried('payment', yipay)).toMatchObject({ ok: true })
  const stripe = { payment_gateway_provider: 'stripe', payment_stripe_api_url: url, payment_stripe_webhook_secret: 'typed' }
  expect(await tried('payment', { ...stripe, payment_stripe_secret_key: SECRET })).toMatchObject({ ok: true })
  expect(await last('payment', { ...stripe, payment_stripe_secret_key: 'sk_other' })).toMatchObject({
    message: 'Stripe does not know the key',
  })
  expect((await app.api('GET', '/api/payment/orders')).body).toMatchObject({ total: 0 })
})

test('a stored secret is sent nowhere but where it belongs', async () => {
  await app.api('PUT', '/api/settings', {
    hcaptcha_site_key: 'site',
    hcaptcha_secret: SECRET,
    hcaptcha_verify_url: `${url}/siteverify`,
    payment_gateway_provider: 'stripe',
    payment_stripe_secret_key: SECRET,
    payment_stripe_webhook_secret: 'hook',
    payment_stripe_api_url: url,
  })
  verdict = { success: false, 'error-codes': ['invalid-input-response'] }
  expect((await tried('captcha', { hcaptcha_secret: '********' })).ok).toBe(true)
  expect((await tried('payment', {})).ok).toBe(true)
  expect(told).toHaveLength(2)
  told = []
  const elsewhere = `${url}/elsewhere`
  for (const secret of [{}, { hcaptcha_secret: '********' }, { hcaptcha_secret: '' }])
    expect(await last('captcha', { hcaptcha_verify_url: elsewhere, ...secret })).toMatchObject({ name: 'settings', ok: false })
  expect(await last('payment', { payment_stripe_api_url: elsewhere })).toMatchObject({ name: 'settings', ok: false })
  expect(told).toEqual([])
})

test('is for administrators, counted, and in the audit', async () => {
  const { token } = await app.user('no-admin')
  for (const target of ['oidc', 'captcha', 'payment']) {
    expect((await app.api('POST', `/api/settings/test/${target}`, {}, token)).status).toBe(403)
    for (let count = 0; count < 20; count += 1) await tried(target, {})
    expect((await app.api('POST', `/api/settings/test/${target}`, {})).status).toBe(429)
  }
  const rows = await app.deps.db.query.selectFrom('audit_log').selectAll().where('action', '=', 'test').execute()
  expect(new Set(rows.map(({ object_id: id }) => id))).toEqual(new Set(['oidc', 'captcha', 'payment']))
  expect(JSON.stringify(rows)).not.toContain(SECRET)
}, 60_000)
