import { describe, expect, test } from 'bun:test'
import type { SettingKey } from '../../../contract/settings.ts'
import { sign } from '../../../test/payments/gateway.ts'
import { noFetch, ORDER, reasonOf, settingsOf } from './test-kit.ts'
import { readNotification, yipay } from './yipay.ts'

const KEY = 'merchant-key'

type Words = Record<string, string>

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

  test('an order is sent with our own addresses, or those the owner has set, under the name of the site', async () => {
    const open = async (change: Partial<Record<SettingKey, string>> = {}) => {
      const settings = settingsOf({
        base_url: 'https://shop.example',
        site_name: 'Shop & Co',
        payment_yipay_gateway_url: 'https://pay.example/submit.php',
        payment_yipay_pid: '1001',
        payment_yipay_key: KEY,
        ...change,
      })
      const order = { orderNo: ORDER, cents: 720, method: 'alipay', ip: '192.0.2.1', expiresAt: 0 }
      const { url, reference } = await yipay({ settings, fetch: noFetch }).open(order)
      expect([url.split('?')[0], reference]).toEqual(['https://pay.example/submit.php', ''])
      return Object.fromEntries(new URL(url).searchParams)
    }
    const sent = await open()
    expect(sent).toEqual({
      pid: '1001',
      type: 'alipay',
      out_trade_no: ORDER,
      notify_url: 'https://shop.example/api/payment/yipay/notify',
      return_url: 'https://shop.example/api/payment/yipay/return',
      name: `Balance recharge ${ORDER}`,
      money: '7.20',
      sitename: 'Shop   Co',
      sign: sign(sent, KEY),
      sign_type: 'MD5',
    })
    const own = { payment_yipay_notify_url: 'https://n.example/n', payment_yipay_return_url: 'https://r.example/r' }
    expect(await open(own)).toMatchObject({ notify_url: 'https://n.example/n', return_url: 'https://r.example/r' })
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
