import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { parseBody } from '../../server/http/body.ts'
import { receive } from '../../server/features/payments/grammar.ts'
import { readExpression } from '../../server/features/sync/formats/expression.ts'
import { readPrices } from '../../server/features/sync/formats/prices.ts'
import type { Json } from '../../contract/json.ts'
import { AppError } from '../../contract/errors.ts'
import { EventTooLarge, parseSse } from '../../server/relay/protocols/sse.ts'
import { createTestApp, type TestApp } from '../app.ts'
import { Authenticator } from '../authenticator.ts'
import { ORIGIN, PASSKEY_SETTINGS, passkeyBrowser } from '../passkeys.ts'
import { hostile, mutate, TEXTS } from './hostile.ts'
import { Random } from './random.ts'

/** S4: what reads foreign bytes never throws what it does not say, and says the same twice. A million cases each in the campaign. */
const CASES = Number(process.env['TEST_FUZZ_PARSERS'] ?? 3_000)
const TIMEOUT_MS = 60_000 + CASES
const SEED = Number(process.env['TEST_FUZZ_SEED'] ?? 4)
const encoder = new TextEncoder()

/** Runs the cases; the seed of a case that fails is in what is thrown. */
async function each(name: string, run: (random: Random) => void | Promise<void>, cases = CASES): Promise<void> {
  for (let count = 0; count < cases; count += 1) {
    const seed = SEED * 1_000_003 + count
    try {
      // Not awaited where there is nothing to await: a million turns of the loop cost more than the cases.
      const done = run(new Random(seed))
      if (done) await done
    } catch (cause) {
      throw new Error(`${name}, seed ${seed}: ${String(cause)}`, { cause })
    }
  }
}

test(
  'server-sent events: any bytes, cut anywhere, are the same frames',
  () =>
    each('sse', (random) => {
      const lines = [
        'data: {"a":1}',
        'data:',
        'event: x',
        ': comment',
        'id: 1',
        'retry: x',
        'data: [DONE]',
        '\ufeffdata: y',
        random.pick(TEXTS),
      ]
      const text = Array.from(
        { length: random.below(12) },
        () => random.pick(lines) + random.pick(['\n', '\r', '\r\n', '\n\n', '\r\n\r\n']),
      ).join('')
      const bytes = encoder.encode(random.chance(0.5) ? mutate(text, random) : text)
      if (random.chance(0.3) && bytes.length > 0) bytes[random.below(bytes.length)] = random.below(256)
      const whole = parseSse()
      const expected = [...whole.push(bytes), ...whole.end()]
      const cut = parseSse()
      const frames = []
      for (let at = 0; at < bytes.length;) {
        const length = 1 + random.below(9)
        frames.push(...cut.push(bytes.subarray(at, at + length)))
        at += length
      }
      frames.push(...cut.end())
      expect(frames).toEqual(expected)
    }),
  TIMEOUT_MS,
)

test('an event without an end is given up', () => {
  const parser = parseSse()
  const piece = encoder.encode(`data: ${'x'.repeat(1_000_000)}`)
  expect(() => {
    for (let count = 0; count < 40; count += 1) parser.push(piece)
  }).toThrow(EventTooLarge)
})

test(
  'JSON: what is read is what JSON.parse reads, what is not read is refused as such',
  () =>
    each('json', (random) => {
      const value = { model: 'm', messages: [hostile(random), hostile(random)], text: random.pick(TEXTS) }
      const text = random.chance(0.6) ? mutate(JSON.stringify(value), random) : JSON.stringify(value)
      const padded = random.chance(0.5) ? `${' '.repeat(400)}${text}` : text
      const bytes = encoder.encode(padded)
      const plain = new TextDecoder().decode(bytes)
      let expected: unknown
      let refused = false
      try {
        expected = JSON.parse(plain)
      } catch {
        refused = true
      }
      try {
        const read = parseBody(bytes)
        if (refused) throw new TypeError('read though it is no JSON')
        if (JSON.stringify(read) !== JSON.stringify(expected)) throw new TypeError('read as something else')
      } catch (error) {
        if (!(error instanceof AppError) || error.code !== 'bad_json') throw error
        if (!refused) throw new TypeError('refused though it is JSON', { cause: error })
      }
    }),
  TIMEOUT_MS,
)

test(
  'notifications of payments: any form, JSON, multipart or address is read or refused with a reason',
  () =>
    each('notify', async (random) => {
      const fields = [
        ['out_trade_no', `PAY20261122120000${'A'.repeat(32)}`],
        ['money', '1.00'],
        ['trade_status', 'TRADE_SUCCESS'],
        ['sign', 'a'.repeat(32)],
        [random.pick(TEXTS), random.pick(TEXTS)],
      ] as const
      const chosen = Array.from({ length: 1 + random.below(6) }, () => random.pick(fields))
      const type = random.pick([
        'application/x-www-form-urlencoded',
        'application/json',
        'multipart/form-data; boundary=b',
        'text/plain',
        'multipart/form-data',
      ])
      const plain = chosen
        .map(([name, value]) => `${encodeURIComponent(name.toWellFormed())}=${encodeURIComponent(value.toWellFormed())}`)
        .join('&')
      const json = `{${chosen.map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`).join(',')}}`
      const parts = `${chosen.map(([name, value]) => `--b\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`).join('')}--b--\r\n`
      const text = type.includes('json') ? json : type.includes('multipart') ? parts : plain
      const body = random.chance(0.5) ? mutate(text, random) : text
      const get = random.chance(0.2)
      const request = get
        ? new Request(`http://x/?${encodeURI(body.toWellFormed())}`)
        : new Request('http://x/', { method: 'POST', headers: { 'content-type': type }, body })
      const received = await receive(request)
      if (received.ok)
        for (const [name, value] of received.fields) if (/[&=\0\n]/.test(name + value)) throw new TypeError(`took ${name}=${value}`)
    }),
  TIMEOUT_MS,
)

test(
  'lists of prices and their tiers: anything is read as prices that are none below zero, or refused',
  () =>
    each('prices', (random) => {
      const item = {
        id: 'm',
        model_name: 'm',
        model: 'm',
        mode: 'chat',
        input_cost_per_token: '0.000001',
        pricing: { prompt: '0.000001', completion: '0.000002' },
        cost: { input: 1, output: 2 },
        quota_type: 0,
        model_ratio: 1.25,
        billing_expr: 'v1:tier("base", p * 1.5 + c * 3)',
      }
      const spoiled = Object.fromEntries(
        Object.entries(item).map(([name, value]) => [
          random.chance(0.1) ? random.pick(TEXTS) : name,
          random.chance(0.3) ? hostile(random) : value,
        ]),
      )
      const payload = random.pick<unknown>([
        [spoiled],
        { data: [spoiled] },
        { data: spoiled },
        { m: spoiled },
        { provider: { models: { m: spoiled } } },
        spoiled,
        hostile(random),
      ])
      let feed: ReturnType<typeof readPrices> | undefined
      try {
        feed = readPrices(payload as Json)
      } catch (error) {
        if (!(error instanceof AppError)) throw error
      }
      if (
        feed &&
        /:"?-\d*[1-9]/.test(
          JSON.stringify(feed, (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value)).replaceAll(/"scale":-?\d+/g, ''),
        )
      )
        throw new TypeError('a price below zero')
      const expression = mutate('v1:tier("base", p * 1.5 + c * 3) ? len <= 200000 : cr * 0.1', random)
      try {
        readExpression(expression)
      } catch (error) {
        if (!(error instanceof Error) || error instanceof TypeError || error instanceof RangeError) throw error
      }
    }),
  TIMEOUT_MS,
)

describe('passkeys', () => {
  let app: TestApp
  beforeAll(async () => {
    app = await createTestApp({ settings: PASSKEY_SETTINGS })
  })
  afterAll(() => app.close())

  test(
    'CBOR of an authenticator: any bytes are refused or read, none is a fault of ours',
    async () => {
      const browser = passkeyBrowser(() => app)
      const who = await app.user('somebody')
      const authenticator = new Authenticator(ORIGIN)
      const heads = [0x00, 0x1b, 0x38, 0x58, 0x5f, 0x78, 0x7f, 0x80, 0x9a, 0x9b, 0x9f, 0xa3, 0xbb, 0xbf, 0xc0, 0xd9, 0xf7, 0xfb, 0xff]
      await each(
        'cbor',
        async (random) => {
          const made = authenticator.create(await browser.createOptions(who))
          const honest = Buffer.from(made.response.attestationObject, 'base64url')
          const bytes = random.chance(0.3)
            ? Buffer.alloc(random.below(200))
            : honest.subarray(0, random.chance(0.8) ? honest.length : random.below(honest.length))
          for (let times = 1 + random.below(5); times > 0 && bytes.length > 0; times -= 1)
            bytes[random.below(bytes.length)] = random.chance(0.5) ? random.pick(heads) : random.below(256)
          made.response.attestationObject = bytes.toString('base64url')
          const { status, body } = await browser.register(who, made)
          if (status >= 500) throw new TypeError(`answered ${status} ${JSON.stringify(body)}`)
          // Some bytes mean nothing (the maker's id): then it is a passkey like any other, and one more would be too many.
          if (status === 200) await app.api('DELETE', `/api/user/passkeys/${body.id}`, undefined, who.token)
        },
        CASES / 10,
      )
    },
    TIMEOUT_MS * 5,
  )
})
