import { describe, expect, test } from 'bun:test'
import { requirePlain, siteAddress } from './addresses.ts'
import { centsOf, centsText, isOrderNo, isTradeNo, plain, receive } from './grammar.ts'
import { readSmallJson } from './outside.ts'
import { canonical, hmacSign, md5Sign, sameText } from './signing.ts'
import { stripeSignatureFault } from './stripe-signature.ts'
import { ORDER, settingsOf } from './test-kit.ts'

/* The borders of what is taken from outside, and of what is sent there. */

const reasonOf = async (request: Request) => {
  const received = await receive(request)
  return received.ok ? 'read' : received.reason
}
const get = (pairs: [string, string][]) => reasonOf(new Request(`http://localhost/?${new URLSearchParams(pairs).toString()}`))
const post = (body: string, type: string) =>
  reasonOf(new Request('http://localhost/', { method: 'POST', headers: { 'content-type': type }, body }))
const FORM = 'application/x-www-form-urlencoded'
const JSON_TYPE = 'application/json; charset=utf-8'

describe('fields', () => {
  test('are at most 32, with names of at most 40 letters, digits and lines, and values of at most 256', async () => {
    const fields = (count: number) => Array.from({ length: count }, (_, n): [string, string] => [`f${n}`, '1'])
    expect([await get(fields(32)), await get(fields(33)), await get([])]).toEqual(['read', 'too many fields', 'no fields'])
    const odd = 'a field name that no gateway sends'
    for (const [name, expected] of [
      ['a'.repeat(40), 'read'],
      ['a'.repeat(41), odd],
      ['A_9z', 'read'],
      ['_a', odd],
      ['9a', odd],
      ['a-b', odd],
      ['', odd],
      ['a\n', odd],
    ] as const)
      expect([name, await get([[name, '1']])]).toEqual([name, expected])
    expect(await get([['a', 'v'.repeat(256)]])).toBe('read')
    expect(await get([['a', 'v'.repeat(257)]])).toBe('field a is too long')
  })

  test('have values of printable ASCII without what could be read as another field', async () => {
    const refused = 'field a is blank or has a forbidden character'
    for (const value of ['', ' ', '1&b=2', '1=2', 'é', '店', '1\n', '1\0', '1\x7f', '\x1f1'])
      expect([value, await get([['a', value]])]).toEqual([value, refused])
    for (const value of ['7.20', ' 1 ', '!"#$%', "'()*+,-./:;<", '>?@[\\]^_`{|}~'])
      expect([value, await get([['a', value]])]).toEqual([value, 'read'])
  })

  test('have each name once, in whatever case', async () => {
    expect(
      await get([
        ['money', '1'],
        ['Money', '2'],
      ]),
    ).toBe('repeated field Money')
    expect(await post('{"money":"1","money":"2"}', JSON_TYPE)).toBe('repeated field money')
  })

  test('come in a body of at most 16 KiB', async () => {
    const body = (bytes: number) => `a=1&b=${'v'.repeat(bytes - 6)}`
    expect(await post(body(16 * 1024), FORM)).toBe('field b is too long')
    expect(await post(body(16 * 1024 + 1), FORM)).toBe('the body cannot be read')
  })

  test.each<[string, string]>([
    ['{"a":"1"}', 'read'],
    [' \n{ "a" : "1" , "b" : -2.50 } \n', 'read'],
    ['{"a":"\\u0031"}', 'read'],
    ['{"a":"1\\"2"}', 'read'],
    ['{ }', 'no fields'],
    ['{"a":null}', 'the body cannot be read'],
    ['{"a":true}', 'the body cannot be read'],
    ['{"a":{"b":"1"}}', 'the body cannot be read'],
    ['{"a":["1"]}', 'the body cannot be read'],
    ['{"a":1e3}', 'the body cannot be read'],
    ['{"a":"1"}{"b":"2"}', 'the body cannot be read'],
    ['{"a":"1"} x', 'the body cannot be read'],
    ['x {"a":"1"}', 'the body cannot be read'],
    ['{a:"1"}', 'the body cannot be read'],
    ['[]', 'the body cannot be read'],
    ['"a"', 'the body cannot be read'],
    ['', 'the body cannot be read'],
  ])('of the JSON %j', async (body, expected) => expect(await post(body, JSON_TYPE)).toBe(expected))

  test('of JSON are what they say', async () => {
    const request = new Request('http://localhost/', {
      method: 'POST',
      headers: { 'content-type': 'Application/JSON' },
      body: '{"a" : "\\u0031\\\\", "b":-2.50,"c":"x"}',
    })
    expect(await receive(request)).toEqual({
      ok: true,
      fields: new Map([
        ['a', '1\\'],
        ['b', '-2.50'],
        ['c', 'x'],
      ]),
    })
  })
})

describe('words', () => {
  test('an order number is ours whole and in its case', () => {
    expect(isOrderNo(ORDER)).toBe(true)
    for (const odd of [`${ORDER}0`, `x${ORDER}`, ORDER.slice(0, -1), ORDER.toLowerCase(), `${ORDER}\n`, ORDER.replace('2026', 'year'), ''])
      expect([odd, isOrderNo(odd)]).toEqual([odd, false])
  })

  test('a trade number has 1 to 64 letters, digits, lines and dots', () => {
    for (const good of ['T', 'a.b-c_9', 'T'.repeat(64)]) expect([good, isTradeNo(good)]).toEqual([good, true])
    for (const odd of ['', 'T'.repeat(65), 'T 1', '<T>', 'T\n', 'ö']) expect([odd, isTradeNo(odd)]).toEqual([odd, false])
  })

  test.each<[string, number | undefined]>([
    ['72', 7_200],
    ['72.0', 7_200],
    ['72.05', 7_205],
    ['0.5', 50],
    ['0', 0],
    ['007.20', 720],
    ['999999999.99', 99_999_999_999],
    ['1000000000', undefined],
    ['72.', undefined],
    ['.5', undefined],
    ['72.005', undefined],
    ['72,00', undefined],
    ['+72', undefined],
    ['-72', undefined],
    [' 72', undefined],
    ['72\n', undefined],
    ['7e2', undefined],
    ['', undefined],
  ])('an amount of %p is %p hundredths', (text, cents) => expect(centsOf(text)).toBe(cents))

  test('hundredths are written with two decimals', () => {
    expect([0, 5, 50, 720, 7_200, 99_999_999_999].map(centsText)).toEqual(['0.00', '0.05', '0.50', '7.20', '72.00', '999999999.99'])
  })

  test('free text of ours is signed without what could be read as another field, and at most 64 characters of it', () => {
    expect(plain(' a&b=c\td\u0000e ')).toBe('a b c d e')
    expect(plain('x'.repeat(65))).toBe('x'.repeat(64))
    expect(plain('店 7')).toBe('店 7')
  })
})

describe('what is signed', () => {
  const fields = new Map([
    ['b', '2'],
    ['sign_type', 'MD5'],
    ['a', '1'],
    ['B', '3'],
    ['blank', ' '],
    ['Sign', 'x'],
    ['Sign_Type', 'y'],
  ])
  test('is every field but signature and blank ones, by the bytes of its name; the kind of signature only where asked for', () => {
    expect(canonical(fields)).toBe('B=3&a=1&b=2')
    expect(canonical(fields, true)).toBe('B=3&Sign_Type=y&a=1&b=2&sign_type=MD5')
    expect(canonical(new Map())).toBe('')
  })

  test('is signed as others do: known answers', () => {
    expect(md5Sign('a', 'bc')).toBe('900150983cd24fb0d6963f7d28e17f72')
    // RFC 4231, test case 2.
    const mac = '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843'
    expect(hmacSign('what do ya want for nothing?', 'Jefe', 'hex')).toBe(mac)
    expect(hmacSign('what do ya want for nothing?', 'Jefe', 'base64')).toBe(Buffer.from(mac, 'hex').toString('base64'))
    expect([sameText('a', 'a'), sameText('', ''), sameText('a', 'b'), sameText('a', 'aa'), sameText('a', '')]).toEqual([
      true,
      true,
      false,
      false,
      false,
    ])
  })

  test('a time of Stripe is good for 300 seconds both ways, and up to five signatures are looked at', () => {
    const now = Date.UTC(2026, 10, 22)
    const fault = (offset: number, before = 0) => {
      const time = now / 1_000 + offset
      const good = new Bun.CryptoHasher('sha256', 's').update(`${time}.{}`).digest('hex')
      return stripeSignatureFault(`t=${time}${',v1=x'.repeat(before)},v1=${good}`, new TextEncoder().encode('{}'), 's', now)
    }
    expect([fault(300), fault(-300), fault(0, 4)]).toEqual([undefined, undefined, undefined])
    const late = 'the signature is too old or from the future'
    expect([fault(301), fault(-301), fault(0, 5)]).toEqual([late, late, 'no signature'])
  })
})

describe('addresses', () => {
  const at = (base: string) => siteAddress(settingsOf({ base_url: base }), '/n')
  test('of this site are below its base, however that is written', () => {
    expect(at('https://shop.example')).toBe('https://shop.example/n')
    expect(at('https://shop.example//')).toBe('https://shop.example/n')
    expect(at('https://shop.example:8443/pay/?x#y')).toBe('https://shop.example:8443/pay/n')
    expect(() => at('')).toThrow('The base URL of this site must be set before it can take payments')
    expect(() => at('shop.example/pay')).toThrow('The base URL of this site must be set before it can take payments')
  })

  test('that are signed are absolute, and cannot be read as more than one field', () => {
    for (const good of ['https://a', 'http://a/b?c', 'https://a/%26']) expect(requirePlain(good)).toBe(good)
    for (const odd of [
      '',
      '/n',
      'ftp://a',
      'https://',
      'https://a?b=c',
      'https://a?b&c',
      'https://a/ b',
      'xhttps://a',
      'https://a\n',
      'https://ä',
    ])
      expect(() => requirePlain(odd)).toThrow('The callback addresses must be absolute and without "&" or "="')
  })
})

describe('what a gateway answers', () => {
  const read = (response: () => Response | Promise<Response>) => readSmallJson(async () => response(), 'https://pay.example')
  test('is JSON of a 200, of at most a megabyte; anything else is no answer', async () => {
    expect(await read(() => Response.json({ a: 1 }))).toEqual({ a: 1 })
    expect(await read(() => new Response(`"${'x'.repeat(1024 * 1024 - 2)}"`))).toHaveLength(1024 * 1024 - 2)
    expect(await read(() => new Response(`"${'x'.repeat(1024 * 1024 - 1)}"`))).toBeUndefined()
    for (const status of [201, 302, 400, 500])
      expect([status, await read(() => Response.json({ a: 1 }, { status }))]).toEqual([status, undefined])
    expect(await read(() => new Response(null))).toBeUndefined()
    expect(await read(() => new Response('<html>'))).toBeUndefined()
    expect(await read(() => Promise.reject(new Error('refused')))).toBeUndefined()
  })

  test('is asked for as JSON, in our name, with what is given', async () => {
    const sent: unknown[] = []
    const headers = { authorization: 'Bearer x' }
    const fetch = (url: string, request: object | undefined) => {
      sent.push([url, { ...request, signal: undefined }])
      return Promise.resolve(Response.json({}))
    }
    await readSmallJson(fetch, 'https://pay.example', { method: 'POST', body: 'a=1', headers })
    const ours = { accept: 'application/json', 'user-agent': 'tollgate-open-payment/1.0' }
    expect(sent).toEqual([['https://pay.example', { method: 'POST', body: 'a=1', headers: { ...ours, ...headers }, signal: undefined }]])
  })
})
