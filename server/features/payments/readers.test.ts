// long file: a table a reader, read as a list
import { describe, expect, test } from 'bun:test'
import type { SettingKey } from '../../../contract/settings.ts'
import { sign } from '../../../test/payments/gateway.ts'
import type { Deps } from '../../http/deps.ts'
import { LiveSettings } from '../../lib/live-settings.ts'
import { DiscoveryCache, type Discovery } from './discovery.ts'
import { receive } from './grammar.ts'
import { openPayment, readMessage } from './openpayment.ts'
import { stripe } from './stripe.ts'
import { stripeSignatureFault } from './stripe-signature.ts'
import { readNotification, yipay } from './yipay.ts'

/* What each reader of a gateway's words believes, and with which reason it refuses the rest. */

const KEY = 'merchant-key'
const ORDER = `PAY20261122120000${'0123456789ABCDEF'.repeat(2)}`
const NOW = Date.UTC(2026, 10, 22)

type Words = Record<string, string>
const settingsOf = (values: Partial<Record<SettingKey, string>>): LiveSettings => {
  const settings = new LiveSettings()
  settings.replace(new Map(Object.entries(values) as [SettingKey, string][]))
  return settings
}
const noFetch = () => Promise.reject(new Error('not in this test'))
const reasonOf = (message: { ok: true } | { ok: false; reason: string } | undefined): string | undefined =>
  message === undefined || message.ok ? undefined : message.reason

describe('what a request carries', () => {
  const post = (body: BodyInit, type: string) =>
    receive(new Request('http://localhost/', { method: 'POST', headers: type === '' ? {} : { 'content-type': type }, body }))
  const multipart = (name: string, value: string): string => `--b\r\ncontent-disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`

  test('a form in parts is read like any other', async () => {
    const type = 'multipart/form-data; boundary=b'
    expect(await post(`${multipart('a', '1')}${multipart('b', '2')}--b--\r\n`, type)).toEqual({
      ok: true,
      fields: new Map([
        ['a', '1'],
        ['b', '2'],
      ]),
    })
    expect(reasonOf(await post(`${multipart('a', '1')}${multipart('a', '2')}--b--\r\n`, type))).toBe('repeated field a')
    const file = '--b\r\ncontent-disposition: form-data; name="a"; filename="a.txt"\r\n\r\n1\r\n--b--\r\n'
    expect(reasonOf(await post(file, type))).toBe('the body cannot be read')
    expect(reasonOf(await post('--b\r\nnothing of a form', type))).toBe('the body cannot be read')
  })

  test.each<[string, string, string]>([
    ['a=1', '', 'the body cannot be read'],
    ['a=1', 'text/plain', 'the body cannot be read'],
    ['{"a":"1",}', 'application/json', 'the body cannot be read'],
    ['{"a":"1" "b":"2"}', 'application/json', 'the body cannot be read'],
    ['{"a":"\\u00zz"}', 'application/json', 'the body cannot be read'],
    ['{}', 'application/json', 'no fields'],
    ['', 'application/x-www-form-urlencoded', 'no fields'],
    [Array.from({ length: 33 }, (_, n) => `f${n}=1`).join('&'), 'application/x-www-form-urlencoded', 'too many fields'],
    ['1a=1', 'application/x-www-form-urlencoded', 'a field name that no gateway sends'],
  ])('%s of %s: %s', async (body, type, reason) => {
    const bytes = new TextEncoder().encode(body)
    expect(reasonOf(await post(bytes, type))).toBe(reason)
  })
})

describe('an OpenPayment notification', () => {
  const usual: Discovery = {
    spec: '',
    endpoints: { submit: 'https://pay.example/submit' },
    transports: {},
    signing: { supported: [], default: '', include_sign_type: false, hmac: { output: 'hex' } },
    payment_methods: [],
    fields: {},
    callbacks: { notify_success_body: 'success' },
    compatibility: {},
  }
  const told: Words = { pid: 'm', trade_no: 'T1', out_trade_no: ORDER, money: '7.20', trade_status: 'TRADE_SUCCESS' }
  const read = (words: Words, document: Partial<Discovery> = {}, merchant = { id: 'm', key: KEY }) =>
    readMessage(new Map(Object.entries(words)), { ...usual, ...document }, merchant)
  const signed = (words: Words, hmac = false): Words => ({ ...words, sign: sign(words, KEY, hmac) })
  const paid = { ok: true, orderNo: ORDER, cents: 720, currency: 'CNY', tradeNo: 'T1' } as const
  const signing = (supported: string[], by = ''): Partial<Discovery> => ({ signing: { ...usual.signing, supported, default: by } })

  test('is believed over the kind of signature that the document names, and over no other', () => {
    expect(read(signed(told))).toEqual(paid)
    expect(read(signed(told, true), signing(['HMAC-SHA256']))).toEqual(paid)
    expect(read(signed(told, true), signing(['md5', 'hmac-sha256'], 'hmac-sha256'))).toEqual(paid)
    expect(read(signed(told, true), signing([], 'HMAC-SHA256'))).toEqual(paid)
    // The preferred one is not among those it supports; the first that we know is.
    expect(read(signed(told), signing(['SM2', 'MD5'], 'HMAC-SHA256'))).toEqual(paid)
    expect(reasonOf(read(signed(told), signing(['HMAC-SHA256'])))).toBe('wrong signature')
    expect(reasonOf(read(signed(told), signing(['SM2'])))).toBe('another kind of signature')
    expect(reasonOf(read({ ...signed(told), sign_type: 'HMAC-SHA256' }))).toBe('another kind of signature')
    expect(read({ ...signed(told), sign_type: 'md5' })).toEqual(paid)
  })

  test('may have its HMAC in base64 too', () => {
    const hex = sign(told, KEY, true)
    expect(read({ ...told, sign: Buffer.from(hex, 'hex').toString('base64') }, signing(['HMAC-SHA256']))).toEqual(paid)
    expect(reasonOf(read({ ...told, sign: Buffer.from(hex, 'hex').toString('base64').toLowerCase() }, signing(['HMAC-SHA256'])))).toBe(
      'wrong signature',
    )
  })

  test('has its fields under the names of the document, or the usual ones where it names none', () => {
    const fields = { amount: ['total'], status: [] }
    const { money, ...rest } = told
    expect(read(signed({ ...rest, total: money ?? '' }), { fields })).toEqual(paid)
    expect(reasonOf(read(signed(told), { fields }))).toBe('unexpected field money')
  })

  test('counts as paid by the words of the document, in any case', () => {
    const compatibility = { success_status_values: ['Paid'] }
    expect(read(signed({ ...told, trade_status: 'PAID' }), { compatibility })).toEqual(paid)
    expect(reasonOf(read(signed(told), { compatibility }))).toBe('not paid: trade_success')
    expect(read(signed({ ...told, trade_status: 'trade_finished' }))).toEqual(paid)
  })

  test.each<[Words, string]>([
    [{ pid: 'other' }, 'another merchant'],
    [{ out_trade_no: 'PAY1' }, 'not an order number of ours'],
    [{ money: '7.200' }, 'the amount is no plain decimal'],
    [{ money: '-7.20' }, 'the amount is no plain decimal'],
    [{ trade_no: 'T 1' }, 'the trade number is odd'],
    [{ trade_status: 'WAIT' }, 'not paid: wait'],
    [{ notify_url: 'https://shop.example' }, 'unexpected field notify_url'],
    [{ mch_id: 'm' }, 'field merchant_id under two names'],
  ])('with %j: %s', (change, reason) => {
    expect(reasonOf(read(signed({ ...told, ...change })))).toBe(reason)
  })

  test.each(Object.keys(told))('without %s is refused', (name) => {
    const { [name]: _, ...rest } = told
    expect(reasonOf(read(signed(rest)))).toContain('is missing')
  })

  test('is refused unsigned, and where the merchant or his key is not set', () => {
    expect(reasonOf(read(told))).toBe('wrong signature')
    for (const merchant of [
      { id: '', key: KEY },
      { id: 'm', key: '' },
    ])
      expect(reasonOf(read({ ...told, sign: sign(told, merchant.key) }, {}, merchant))).toBe('the gateway is not configured')
  })

  test('no order is opened with a gateway that signs in no way we know, or does not have the method', async () => {
    const settings = settingsOf({
      base_url: 'https://shop.example',
      payment_openpayment_base_url: 'https://pay.example',
      payment_openpayment_merchant_id: 'm',
      payment_openpayment_key: KEY,
    })
    const clock = { now: () => NOW, monotonic: () => NOW }
    const open = async (change: object, method = 'alipay') => {
      const fetch = () => Promise.resolve(Response.json({ endpoints: { submit: 'https://pay.example/submit' }, ...change }))
      const deps = { settings, fetch, clock, jwtSecret: 's'.repeat(32) } as unknown as Deps
      const { url } = await openPayment(deps, new DiscoveryCache(deps)).open({
        orderNo: ORDER,
        cents: 720,
        method,
        ip: '192.0.2.1',
        expiresAt: 0,
      })
      return new URL(url).searchParams
    }
    // A document that says no more than where to go: MD5, our own word for the method.
    const plain = await open({})
    expect([plain.get('sign_type'), plain.get('type')]).toEqual(['MD5', 'alipay'])
    expect([...plain.keys()]).toEqual([...plain.keys()].toSorted())
    expect(plain.get('sign')).toBe(sign(Object.fromEntries(plain), KEY))
    const hmac = await open({ signing: { default: 'HMAC-SHA256' } })
    expect([hmac.get('sign_type'), hmac.get('sign')]).toEqual(['HMAC-SHA256', sign(Object.fromEntries(hmac), KEY, true)])
    const base64 = await open({ signing: { default: 'HMAC-SHA256', hmac: { output: 'base64' } } })
    expect(base64.get('sign')).toBe(Buffer.from(sign(Object.fromEntries(base64), KEY, true), 'hex').toString('base64'))
    const failed = (error: unknown): unknown => (error as { code: string }).code
    expect(await open({ signing: { supported: ['SM2'] } }).catch(failed)).toBe('payment_url_failed')
    const methods = {
      payment_methods: [{ code: 'ALI', aliases: ['alipay'] }, { code: 'wx', aliases: ['wxpay'], enabled: false }, { code: 'card' }],
    }
    expect((await open(methods)).get('type')).toBe('alipay')
    expect((await open(methods, 'card')).get('type')).toBe('card')
    expect(await open(methods, 'wxpay').catch(failed)).toBe('payment_url_failed')
  })

  test('no document is asked for where no address of one is set', async () => {
    let asked = 0
    const fetch = () => Promise.reject(new Error(String((asked += 1))))
    const clock = { now: () => NOW, monotonic: () => NOW }
    const none = new DiscoveryCache({ settings: settingsOf({}), fetch, clock })
    await none.refresh()
    expect([asked, none.known()]).toEqual([0, undefined])
    const both = new DiscoveryCache({ settings: settingsOf({ payment_openpayment_base_url: 'https://pay.example/' }), fetch, clock })
    await Promise.all([both.refresh(), both.refresh()])
    expect([asked, both.known()]).toEqual([2, undefined])
  })
})

describe('a 易支付 notification', () => {
  const told: Words = {
    pid: '1001',
    trade_no: 'T1',
    out_trade_no: ORDER,
    type: 'alipay',
    name: 'n',
    money: '7.20',
    trade_status: 'TRADE_SUCCESS',
  }
  const read = (words: Words) =>
    readNotification(new Map(Object.entries({ sign_type: 'MD5', ...words, sign: sign(words, KEY) })), { pid: '1001', key: KEY })

  test('is believed as it is', () => expect(read(told)).toMatchObject({ ok: true, orderNo: ORDER, cents: 720, tradeNo: 'T1' }))

  test.each<[Words, string]>([
    [{ pid: '1002' }, 'another merchant (pid)'],
    [{ out_trade_no: 'PAY1' }, 'not an order number of ours'],
    [{ money: '7,20' }, 'the amount is no plain decimal'],
    [{ trade_no: '<T>' }, 'the trade number is odd'],
    [{ trade_status: 'WAIT_BUYER_PAY' }, 'not paid: WAIT_BUYER_PAY'],
    [{ sign_type: 'SHA' }, 'another kind of signature'],
    [{ notify_url: 'https://shop.example' }, 'unexpected field notify_url'],
  ])('with %j: %s', (change, reason) => expect(reasonOf(read({ ...told, ...change }))).toBe(reason))

  test('an order is asked about at the standard address only, with a key, and over an open line only at a host the owner lists', async () => {
    const asked: string[] = []
    const answers = (body: unknown) => (url: string) => {
      const { origin, pathname, searchParams } = new URL(url)
      asked.push(origin)
      expect([pathname, Object.fromEntries(searchParams)]).toEqual([
        '/api.php',
        { act: 'order', pid: '1001', key: KEY, out_trade_no: ORDER },
      ])
      return Promise.resolve(Response.json(body))
    }
    const truth = { code: 1, pid: 1001, out_trade_no: ORDER, trade_no: 'T1', money: '7.20', status: 1 }
    const ask = (values: Partial<Record<SettingKey, string>>, body: unknown = truth) =>
      yipay({
        settings: settingsOf({
          payment_yipay_gateway_url: 'https://pay.example/submit.php',
          payment_yipay_pid: '1001',
          payment_yipay_key: KEY,
          ...values,
        }),
        fetch: answers(body),
      }).query({ orderNo: ORDER, reference: '' })
    const open = { payment_yipay_gateway_url: 'http://pay.example/submit.php' }
    expect(await ask({ payment_yipay_gateway_url: 'https://pay.example/pay' })).toBeUndefined()
    expect(await ask({ payment_yipay_key: '' })).toBeUndefined()
    expect(await ask(open)).toBeUndefined()
    expect(await ask({ ...open, ssrf_allowed_hosts: 'other.example' })).toBeUndefined()
    expect(asked).toEqual([])
    expect(await ask({})).toMatchObject({ ok: true, cents: 720 })
    expect(await ask({ ...open, ssrf_allowed_hosts: 'other.example, pay.example' })).toMatchObject({ ok: true })
    expect(asked).toEqual(['https://pay.example', 'http://pay.example'])
    expect(await ask({}, 'no answer')).toBeUndefined()
    expect(reasonOf(await ask({}, { ...truth, code: -1 }))).toBe('the gateway does not know the order')
    expect(reasonOf(await ask({}, { ...truth, status: 0 }))).toBe('not paid: 0')
  })

  test('nothing is sold over a gateway that is not wholly set up', () => {
    const whole = {
      base_url: 'https://shop.example',
      payment_yipay_gateway_url: 'https://pay.example/submit.php',
      payment_yipay_pid: '1001',
      payment_yipay_key: KEY,
    }
    const ready = (change: Partial<Record<SettingKey, string>>) => () =>
      yipay({ settings: settingsOf({ ...whole, ...change }), fetch: noFetch }).requireReady()
    expect(ready({})).not.toThrow()
    for (const missing of Object.keys(whole)) expect(ready({ [missing]: '' })).toThrow()
    // It would be signed as two fields.
    expect(ready({ payment_yipay_pid: '1001&money=1' })).toThrow()
  })
})

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
