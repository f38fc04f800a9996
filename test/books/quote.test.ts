import { afterAll, beforeAll, expect, test } from 'bun:test'
import type { QuoteWire } from '../../contract/api/quotes.ts'
import { createTestApp, type TestApp, type TestUser } from '../app.ts'
import { siteOf } from '../site.ts'

let app: TestApp
let user: TestUser
let channels: number[]
let vip: number
const usage = { input_tokens: 1_500_000, cached_input_tokens: 400_000, output_tokens: 10 }

beforeAll(async () => {
  app = await createTestApp({ settings: { ssrf_allowed_hosts: '127.0.0.1' } })
  const site = siteOf('http://localhost', await app.admin(), 1, app.request)
  channels = [await site.addChannel({ baseUrl: 'http://127.0.0.1:1', name: 'first', priority: 2 })]
  channels.push(await site.addChannel({ baseUrl: 'http://127.0.0.1:2', name: 'second' }))
  for (const id of channels) await site.sell(id, 'big', { input_price: '2', output_price: '10', cached_input_price: '0.5' })
  const { id } = (await app.api<{ id: number; model_name: string }[]>('GET', '/api/models')).body[0] ?? { id: 0 }
  const tiers = { input_price_tiers: [{ min_tokens: 1_000_000, price: '1', condition: '' }] }
  expect(
    (
      await app.api('PUT', `/api/models/${id}`, {
        model_name: 'big',
        input_price: '2',
        output_price: '10',
        cached_input_price: '0.5',
        ...tiers,
      })
    ).status,
  ).toBe(200)
  await app.api('POST', '/api/models', { model_name: 'picture', output_price: '0.04', quota_type: 1 })
  await app.api('POST', '/api/models', { model_name: 'unpriced' })
  for (const model of ['picture', 'unpriced'])
    await app.api('POST', `/api/channels/${channels[0]}/models`, {
      channel_id: channels[0],
      model_id: 0,
      model_name: model,
      upstream_model_name: model,
    })
  const group = await app.api<{ id: number }>('POST', '/api/groups', { name: 'vip', multiplier: '0.8' })
  vip = group.body.id
  user = await app.user('buyer')
})
afterAll(() => app.close())

const ask = (body: Record<string, unknown>, token: string | null = null) =>
  app.api<QuoteWire & { code: string }>('POST', token === null ? '/api/public/quote' : '/api/user/quote', body, token)

test('a quote has the lines, tiers and total of the bill, to the last digit, without anybody’s multiplier when nobody asks', async () => {
  const { status, body } = await ask({ model: 'big', ...usage })
  expect(status).toBe(200)
  expect(body.base).toBe('2.3001')
  expect(body.offers).toHaveLength(1)
  expect(body.offers[0]).toMatchObject({ group_multiplier: '1', total: '2.3001', highest_total: '2.3001', rounding: '0' })
  expect(body.offers[0]?.lines.map(({ meter, tokens, unit_price: price, amount }) => [meter, tokens, price, amount])).toEqual(
    [
      ['input', 1_000_000, '2', '2'],
      ['input', 100_000, '1', '0.1'],
      ['output', 10, '10', '0.0001'],
      ['cachedInput', 400_000, '0.5', '0.2'],
    ].toSorted(
      (a, b) => ['input', 'output', 'cachedInput'].indexOf(String(a[0])) - ['input', 'output', 'cachedInput'].indexOf(String(b[0])),
    ),
  )
  expect((await ask({ model: 'picture', items: 3 })).body).toMatchObject({ quota_type: 1, offers: [{ total: '0.12' }] })
})

test("a caller's quote takes his groups by min or max, overridden by channel and by channel model, and names where it came from", async () => {
  const quote = async () => {
    const { body } = await ask({ model: 'big', ...usage }, user.token)
    const [offer] = body.offers
    return [offer?.group_multiplier, offer?.group_source, offer?.total, offer?.highest_total]
  }
  expect(await quote()).toEqual(['1', 'group', '2.3001', '2.3001'])
  await app.deps.db.query
    .insertInto('memberships')
    .values({ user_id: user.id, group_id: vip, expires_at: null, created_at: 0, updated_at: 0 })
    .execute()
  await app.deps.changes.publish({ type: 'user', userId: user.id })
  expect(await quote()).toEqual(['0.8', 'group', '1.84008', '1.84008'])
  expect((await app.api('PUT', `/api/channels/${channels[0]}/group-multipliers`, [{ group_id: vip, multiplier: '0.5' }])).status).toBe(200)
  // The second upstream has no override: if it answers, it costs more.
  expect(await quote()).toEqual(['0.5', 'channel', '1.15005', '1.84008'])
  await app.api('PUT', '/api/settings', { group_multiplier_mode: 'max' })
  expect(await quote()).toEqual(['1', 'group', '2.3001', '2.3001'])
  await app.api('PUT', '/api/settings', { group_multiplier_mode: 'min' })
})

test('what has no price, is not known or makes no sense is refused', async () => {
  const table: [Record<string, unknown>, number][] = [
    [{ model: 'nothing' }, 404],
    [{ model: 'unpriced' }, 503],
    [{ model: 'big', input_tokens: 1, cached_input_tokens: 2 }, 400],
    [{ model: 'big', input_tokens: -1 }, 400],
    [{ model: 'big', input_tokens: 1e12 }, 400],
    [{ model: 'big', input_tokens: 1.5 }, 400],
    [{}, 400],
  ]
  for (const [body, status] of table) expect([body, (await ask(body)).status]).toEqual([body, status])
  expect((await ask({ model: 'big', user_channel_id: 99 })).body.offers).toEqual([])
})

test('npm run quote prints the same from the database, beside the running server', async () => {
  const run = async (...args: string[]) => {
    const env = {
      ...process.env,
      APP_ENV: 'test',
      DB_PATH: app.database.path,
      ...(app.database.url === undefined ? { DATABASE_URL: '' } : { DATABASE_URL: app.database.url }),
    }
    const child = Bun.spawn([process.execPath, 'server/quote.ts', ...args], { env, stdout: 'pipe', stderr: 'pipe' })
    const [out, error] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()])
    return { code: await child.exited, out, error }
  }
  const priced = await run('--model', 'big', '--input', '1500000', '--cached-input', '400000', '--output', '10', '--group', 'vip')
  expect(priced.error).toBe('')
  expect(priced.out).toContain('big: 2.3001 without multipliers')
  expect(priced.out).toContain('x 0.5 (channel) x 1 (channel)')
  expect(priced.out).toContain('total    1.15005 (at most 1.84008)')
  expect(await run('--model', 'nothing')).toMatchObject({ code: 1, error: 'The model does not exist\n' })
  expect((await run('--model', 'big', '--group', 'none')).code).toBe(1)
  expect((await run('--model', 'big', '--bogus', '1')).code).toBe(1)
}, 20_000)
