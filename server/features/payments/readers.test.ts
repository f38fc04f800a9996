import { describe, expect, test } from 'bun:test'
import { sign } from '../../../test/payments/gateway.ts'
import type { Deps } from '../../http/deps.ts'
import { DiscoveryCache, type Discovery } from './discovery.ts'
import { receive } from './grammar.ts'
import { openPayment, readMessage } from './openpayment.ts'
import { NOW, ORDER, reasonOf, settingsOf } from './test-kit.ts'

/* What each reader of a gateway's words believes, and with which reason it refuses the rest. */

const KEY = 'merchant-key'

type Words = Record<string, string>

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
    expect(Object.fromEntries(plain)).toMatchObject({
      pid: 'm',
      out_trade_no: ORDER,
      name: `Balance recharge ${ORDER}`,
      money: '7.20',
      clientip: '192.0.2.1',
      notify_url: 'https://shop.example/api/payment/openpayment/notify',
      return_url: 'https://shop.example/api/payment/openpayment/return',
    })
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

test('the document of a gateway is kept for its time, asked for again after it, and sooner where it could not be had', async () => {
  let at = 0
  let down = false
  let asked = 0
  const cache = new DiscoveryCache({
    settings: settingsOf({ payment_openpayment_config_url: 'https://pay.example/document' }),
    fetch: () => {
      asked += 1
      return down
        ? Promise.reject(new Error('down'))
        : Promise.resolve(Response.json({ endpoints: { submit: 'https://pay.example/submit' } }))
    },
    clock: { now: () => NOW, monotonic: () => at },
  })
  const after = async (ms: number): Promise<number> => {
    at += ms
    await cache.refresh()
    return asked
  }
  expect([await after(0), await after(299_999), await after(1)]).toEqual([1, 1, 2])
  down = true
  expect([await after(300_000), await after(29_999), await after(1)]).toEqual([3, 3, 4])
  expect(cache.known()?.endpoints.submit).toBe('https://pay.example/submit')
  down = false
  expect([await after(30_000), await after(30_000)]).toEqual([5, 5])
})
