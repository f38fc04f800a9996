import { describe, expect, test } from 'bun:test'
import type { SettingKey } from '../../../contract/settings.ts'
import { stripe } from './stripe.ts'
import { stripeSignatureFault } from './stripe-signature.ts'
import { NOW, noFetch, ORDER, reasonOf, settingsOf } from './test-kit.ts'

describe("Stripe's words", () => {
  const session = {
    object: 'checkout.session',
    id: 'cs_1',
    client_reference_id: ORDER,
    mode: 'payment',
    payment_status: 'paid',
    status: 'complete',
    amount_total: 720,
    currency: 'eur',
    payment_intent: 'pi_1',
    livemode: true,
  }
  const stripeThat = (answer: unknown, key = 'sk_live_x', status = 200) =>
    stripe({
      settings: settingsOf({
        payment_stripe_secret_key: key,
        payment_stripe_webhook_secret: 's',
        payment_stripe_api_url: 'https://api.example',
      }),
      fetch: () => Promise.resolve(Response.json(answer, { status })),
      clock: { now: () => NOW, monotonic: () => NOW },
    })
  const ask = (answer: unknown, reference = 'cs_1', key = 'sk_live_x', status = 200) =>
    stripeThat(answer, key, status).query({ orderNo: ORDER, reference })

  test('a session is believed when it is whole, paid and real', async () => {
    expect(await ask(session)).toEqual({ ok: true, orderNo: ORDER, cents: 720, currency: 'EUR', tradeNo: 'pi_1', reference: 'cs_1' })
    expect(await ask({ ...session, payment_intent: { id: 'pi_2' } })).toMatchObject({ tradeNo: 'pi_2' })
    // A session without an intent is known by its own number.
    expect(await ask({ ...session, payment_intent: null })).toMatchObject({ tradeNo: 'cs_1' })
    // A key of the test mode believes tests.
    expect(await ask({ ...session, livemode: false }, 'cs_1', 'sk_test_x')).toMatchObject({ ok: true })
  })

  test.each<[Record<string, unknown>, string]>([
    [{ livemode: false }, 'a payment of the test mode'],
    [{ mode: 'subscription' }, 'not a payment: subscription'],
    [{ payment_status: 'no_payment_required' }, 'not paid: no_payment_required'],
    [{ status: null }, 'not complete: '],
    [{ client_reference_id: null }, 'not an order number of ours'],
    [{ amount_total: null }, 'no amount'],
    [{ amount_total: -720 }, 'no amount'],
    [{ payment_intent: 'pi 1' }, 'the trade number is odd'],
    [{ client_reference_id: ORDER.replace('0123', '3210') }, 'the answer is about another order'],
  ])('with %j: %s', async (change, reason) => expect(reasonOf(await ask({ ...session, ...change }))).toBe(reason))

  test.each<[string, string | null, string | null]>([
    ['alipay', 'alipay', null],
    ['card', 'card', null],
    ['wxpay', 'wechat_pay', 'web'],
    // A way of paying we have no word for is left to the account's own settings.
    ['klarna', null, null],
    ['constructor', null, null],
  ])('a payer who chose %s is offered %p', async (method, offered, client) => {
    let form = new URLSearchParams()
    const gateway = stripe({
      settings: settingsOf({
        base_url: 'https://shop.example',
        payment_stripe_secret_key: 'sk',
        payment_stripe_currency: 'eur',
        payment_stripe_api_url: 'https://api.example/',
      }),
      fetch: (url, request) => {
        expect(url).toBe('https://api.example/v1/checkout/sessions')
        expect(request).toMatchObject({
          method: 'POST',
          headers: {
            authorization: 'Bearer sk',
            'content-type': 'application/x-www-form-urlencoded',
            'idempotency-key': ORDER,
            'stripe-version': '2025-02-24.acacia',
          },
        })
        form = new URLSearchParams(String(request?.body))
        return Promise.resolve(Response.json({ ...session, url: 'https://checkout.example/cs_1' }))
      },
      clock: { now: () => NOW, monotonic: () => NOW },
    })
    const order = { orderNo: ORDER, cents: 720, method, ip: '192.0.2.1', expiresAt: NOW + 7_200_000 }
    expect(await gateway.open(order)).toEqual({ url: 'https://checkout.example/cs_1', reference: 'cs_1' })
    expect(form.get('payment_method_types[0]')).toBe(offered)
    expect(form.get('payment_method_options[wechat_pay][client]')).toBe(client)
    expect(form.get('expires_at')).toBe(String((NOW + 7_200_000) / 1_000))
  })

  test('no order is opened where Stripe answers none, another one, or an address nobody should be sent to; the cause is told', async () => {
    const good = { ...session, url: 'https://checkout.example/cs_1' }
    const open = (answer: unknown) => {
      const deps = { fetch: () => Promise.resolve(Response.json(answer)), clock: { now: () => NOW, monotonic: () => NOW } }
      const own = settingsOf({
        base_url: 'https://shop.example',
        payment_stripe_secret_key: 'sk',
        payment_stripe_currency: 'eur',
        payment_stripe_api_url: 'https://api.example',
      })
      const order = { orderNo: ORDER, cents: 720, method: 'card', ip: '192.0.2.1', expiresAt: NOW }
      return stripe({ ...deps, settings: own })
        .open(order)
        .then(
          ({ url }) => url,
          (error: unknown) => [(error as { code: string }).code, ((error as Error).cause as Error).message],
        )
    }
    expect(await open(good)).toBe(good.url)
    const { url: _, ...without } = good
    for (const answer of [{}, without, { ...good, object: 'charge' }])
      expect(await open(answer)).toEqual(['payment_url_failed', 'Stripe opened no session'])
    for (const change of [{ client_reference_id: 'PAY1' }, { amount_total: 719 }, { currency: 'usd' }, { url: 'http://checkout.example/' }])
      expect(await open({ ...good, ...change })).toEqual(['payment_url_failed', 'Stripe opened another session'])
  })

  test('a session without a currency is in none, so it fits no order', async () => {
    expect(await ask({ ...session, currency: null })).toMatchObject({ ok: true, currency: '' })
  })

  test('nobody is asked without a key or a session, and what is no session says nothing', async () => {
    expect(await ask(session, '')).toBeUndefined()
    expect(await ask(session, 'cs_1', '')).toBeUndefined()
    expect(await ask({ object: 'charge' })).toBeUndefined()
    expect(await ask(session, 'cs_1', 'sk_live_x', 404)).toBeUndefined()
  })

  const sent = async (text: string) => {
    const time = Math.floor(NOW / 1_000)
    const signature = new Bun.CryptoHasher('sha256', 's').update(`${time}.${text}`).digest('hex')
    const headers = { 'stripe-signature': `t=${time},v1=${signature}` }
    return stripeThat({}).hear(new Request('http://localhost/', { method: 'POST', headers, body: text }))
  }
  test('an event is heard when it is one, and kept without its customer', async () => {
    expect((await sent('not json')).message).toEqual({ ok: false, reason: 'not an event' })
    expect((await sent('{"object":"charge"}')).message).toEqual({ ok: false, reason: 'not an event' })
    const event = (type: string, object: unknown) => sent(JSON.stringify({ object: 'event', id: 'evt_1', type, data: { object } }))
    expect(reasonOf((await event('checkout.session.completed', 'x')).message)).toBe('not a session')
    const other = await event('customer.created', { email: 'payer@example.test' })
    expect(other).toMatchObject({ orderNo: '', message: { ok: false, ignored: true } })
    expect(other.payload).not.toContain('payer@example.test')
    // Another object of the kind that has no number of an order at all.
    expect(await event('checkout.session.expired', { ...session, client_reference_id: null })).toMatchObject({ orderNo: '' })
    const whole = await event('checkout.session.completed', { ...session, customer_details: { email: 'payer@example.test' } })
    expect(whole).toMatchObject({ orderNo: ORDER, message: { ok: true, cents: 720 } })
    expect(whole.payload).not.toContain('payer@example.test')
    expect((await event('checkout.session.completed', { ...session, client_reference_id: 'PAY1' })).orderNo).toBe('')
    expect(reasonOf((await sent('x'.repeat(300_000))).message)).toBe('the body is too large')
  })

  test('a signature header without one time and one to five signatures is none', () => {
    const body = new TextEncoder().encode('{}')
    const time = Math.floor(NOW / 1_000)
    const good = new Bun.CryptoHasher('sha256', 's').update(`${time}.{}`).digest('hex')
    const fault = (header: string, secret = 's') => stripeSignatureFault(header, body, secret, NOW)
    expect(fault(`t=${time},v1=${good}`)).toBeUndefined()
    expect(fault(`t=${time}, v0=x, v1=${'0'.repeat(64)}, v1=${good}`)).toBeUndefined()
    for (const header of ['', `v1=${good}`, `t,v1=${good}`, `t=${time},t=${time},v1=${good}`, `t=${time}`, `t=${time}${',v1=x'.repeat(6)}`])
      expect([header, fault(header)]).toEqual([header, 'no signature'])
    expect(fault(`t=${time},v1`)).toBe('wrong signature')
    expect(fault(`t=${time},v1=${good}`, ' ')).toBe('the gateway is not configured')
  })

  test('nothing is sold without both secrets and the address of the site', () => {
    const ready = (values: Partial<Record<SettingKey, string>>) => () =>
      stripe({ settings: settingsOf(values), fetch: noFetch, clock: { now: () => NOW, monotonic: () => NOW } }).requireReady()
    const whole = { base_url: 'https://shop.example', payment_stripe_secret_key: 'sk', payment_stripe_webhook_secret: 'wh' }
    expect(ready(whole)).not.toThrow()
    for (const missing of Object.keys(whole)) expect(ready({ ...whole, [missing]: '' })).toThrow()
  })
})
