import { expect, test } from 'bun:test'
import { receive } from './grammar.ts'
import { canonical, md5Sign } from './signing.ts'
import { readNotification, yipay } from './yipay.ts'
import { LiveSettings } from '../../lib/live-settings.ts'
import type { SettingKey } from '../../../contract/settings.ts'

const KEY = 'K'
const PID = '1001'
const ORDER = `PAY20261122120000${'0123456789ABCDEF'.repeat(2)}`

/** Repeatable randomness (mulberry32). */
function random(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (state + 0x6d2b79f5) | 0
    let value = Math.imul(state ^ (state >>> 15), 1 | state)
    value = (value + Math.imul(value ^ (value >>> 7), 61 | value)) ^ value
    return ((value ^ (value >>> 14)) >>> 0) % below
  }
}

const received = (pairs: [string, string][]) =>
  receive(
    new Request(`http://localhost/?${pairs.map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`).join('&')}`),
  )

test("the signature is the contract's: its own vector (A.9)", () => {
  const fields = new Map(
    Object.entries({
      money: '7.20',
      name: 'Balance recharge PAY1',
      notify_url: 'https://s/n',
      out_trade_no: 'PAY1',
      pid: '1001',
      return_url: 'https://s/r',
      sitename: 'flai',
      type: 'alipay',
      sign_type: 'MD5',
      blank: ' ',
    }),
  )
  expect(md5Sign(canonical(fields), KEY)).toBe('f4cd56975f103f8c9147299ca3c51e99')
})

test('M5: of 100,000 generated parameter maps no two that are accepted share a signed string', async () => {
  const pick = random(5)
  const pieces = ['1', '7.20', 'a', '&', '=', '&money=9.99', '&name=x', ' ', '%26', 'é', '\n', ORDER, PID, 'TRADE_SUCCESS', 'T1']
  const names = ['pid', 'trade_no', 'out_trade_no', 'type', 'name', 'money', 'trade_status', 'Money', 'param', 'notify_url']
  const seen = new Map<string, string>()
  let accepted = 0
  for (let index = 0; index < 100_000; index += 1) {
    const pairs: [string, string][] = [
      ['pid', PID],
      ['trade_no', `T${pick(5)}`],
      ['out_trade_no', ORDER],
      ['type', 'alipay'],
      ['name', `n${pick(5)}`],
      ['money', `${pick(20)}.20`],
      ['trade_status', 'TRADE_SUCCESS'],
    ]
    for (let changes = pick(3); changes > 0; changes -= 1) {
      const name = names[pick(names.length)] ?? ''
      const value = Array.from({ length: pick(3) }, () => pieces[pick(pieces.length)]).join('')
      const at = pick(pairs.length + 2)
      if (at < pairs.length) pairs[at] = [pairs[at]?.[0] ?? name, value]
      else pairs.push([name, value])
    }
    // The same signed string, cut at another place: "name=n1&out_trade_no=A" is one field or two.
    if (pick(4) === 0) {
      const sorted = pairs.sort(([a], [b]) => (a < b ? -1 : 1))
      const at = pick(sorted.length - 1)
      const [left, right] = [sorted[at], sorted[at + 1]]
      if (left && right) {
        const early = pick(2) === 0
        sorted[at] = [left[0], early ? `${left[1]}&${right[0]}=${right[1]}` : left[1]]
        sorted[at + 1] = [right[0], early ? right[1] : `${right[1]}&${right[0]}=${right[1]}`]
      }
    }
    const text = canonical(new Map(pairs))
    const message = await received([...pairs, ['sign', md5Sign(text, KEY)], ['sign_type', 'MD5']])
    if (!message.ok || !readNotification(message.fields, { pid: PID, key: KEY }).ok) continue
    accepted += 1
    const meaning = JSON.stringify([...pairs].sort(([a], [b]) => (a < b ? -1 : 1)))
    expect(seen.get(text) ?? meaning).toBe(meaning)
    seen.set(text, meaning)
  }
  expect(accepted).toBeGreaterThan(10_000)
}, 60_000)

test('M5: 10,000 outgoing maps with hostile names never verify as a notification', async () => {
  const pick = random(6)
  const hostile = ['Shop', 'a&trade_status=TRADE_SUCCESS', 'x=1&y', '&&', 'trade_no=1', '店', '\u0000']
  const settings = new LiveSettings()
  const deps = { settings, fetch: () => Promise.reject(new Error('not in this test')) }
  for (let index = 0; index < 10_000; index += 1) {
    settings.replace(
      new Map<SettingKey, string>([
        ['base_url', `https://shop${pick(9)}.example/${'p'.repeat(pick(4))}`],
        ['site_name', Array.from({ length: 3 }, () => hostile[pick(hostile.length)]).join('')],
        ['payment_yipay_gateway_url', `https://pay.example/submit.php${pick(2) === 0 ? '?trade_status=TRADE_SUCCESS&trade_no=1' : ''}`],
        ['payment_yipay_pid', PID],
        ['payment_yipay_key', KEY],
      ]),
    )
    const provider = yipay(deps)
    provider.requireReady()
    const { url } = await provider.open({ orderNo: ORDER, cents: 720, method: 'alipay', ip: '192.0.2.1', expiresAt: 0 })
    const fields = new URL(url).searchParams
    expect(readNotification(new Map(fields), { pid: PID, key: KEY }).ok).toBe(false)
    fields.delete('notify_url')
    fields.delete('return_url')
    fields.delete('sitename')
    expect(readNotification(new Map(fields), { pid: PID, key: KEY }).ok).toBe(false)
  }
})

test('M5: repeated, mixed, odd, long and foreign fields are refused before any signature is looked at', async () => {
  const form = (body: string, path = '/') =>
    receive(
      new Request(`http://localhost${path}`, { method: 'POST', headers: { 'content-type': 'application/x-www-form-urlencoded' }, body }),
    )
  const json = (body: string) =>
    receive(new Request('http://localhost/', { method: 'POST', headers: { 'content-type': 'application/json' }, body }))
  const refused = await Promise.all([
    form('a=1&a=2'),
    form('a=1&A=2'),
    form('a=1', '/?b=2'),
    form('a=%26'),
    form('a=%3D'),
    form('a=%0a'),
    form('a='),
    form('a=%E5%BA%97'),
    form('a=%ff'),
    form(`a=${'x'.repeat(257)}`),
    form(`a=${'x'.repeat(20_000)}`),
    form('a%20b=1'),
    form(''),
    json('{"a":"1","a":"2"}'),
    json('{"a":"1","\\u0061":"2"}'),
    json('{"a":{"b":"1"}}'),
    json('{"a":true}'),
    json('[]'),
    json('{"a":"1"'),
    json('{"a":"1"} {"b":"2"}'),
  ])
  expect(refused.filter(({ ok }) => ok)).toEqual([])
  expect(await json('{"a": "1", "b": 7.20}')).toEqual({
    ok: true,
    fields: new Map([
      ['a', '1'],
      ['b', '7.20'],
    ]),
  })
})

test('an empty merchant key accepts nothing', async () => {
  const pairs: [string, string][] = [
    ['pid', PID],
    ['trade_no', 'T1'],
    ['out_trade_no', ORDER],
    ['type', 'alipay'],
    ['name', 'n'],
    ['money', '7.20'],
    ['trade_status', 'TRADE_SUCCESS'],
  ]
  const fields = new Map([...pairs, ['sign', md5Sign(canonical(new Map(pairs)), '')], ['sign_type', 'MD5']] as [string, string][])
  expect(readNotification(fields, { pid: PID, key: '' })).toEqual({ ok: false, reason: 'the gateway is not configured' })
})
