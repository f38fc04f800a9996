import { afterAll, beforeAll, expect, test } from 'bun:test'
import type { ReconciliationDetail } from '../../contract/api/reconciliations.ts'
import { formatMoney, money, type Money } from '../../contract/money.ts'
import { addUpCalls } from '../../server/features/reports/totals.ts'
import { createTestApp, login, type TestApp, type TestUser } from '../app.ts'
import { charge, give } from '../charge.ts'

const DAY = 86_400_000

/** The upstream's own bill, kept apart from ours. */
interface Bill {
  day: string
  model: string
  requests: number
  input: number
  cached: number
  written: number
  output: number
  cost: bigint
}

let app: TestApp
let user: TestUser
let channelId: number
const bill: Bill[] = []

beforeAll(async () => {
  app = await createTestApp()
  const made = await app.api<{ id: number }>('POST', '/api/channels', {
    name: 'up',
    type: 'openai',
    base_url: 'https://up.example',
    api_key: 'secret',
    enabled: true,
  })
  channelId = made.body.id
  user = await app.user('caller')
  await give(app, user.id, '1000')
  for (let index = 0; index < 48; index += 1) {
    if (index % 16 === 0) app.clock.advance(DAY)
    const upstreamModel = index % 2 === 0 ? 'big-2026-01-01' : 'small'
    const usage = { input: 100 + index, cachedInput: index % 5, cacheWrite: index % 3, cacheWrite1h: index % 2, output: 7 * index }
    const cost = money(BigInt(index) * 1_111n)
    await charge(app, user.id, { usage, model: index % 2 === 0 ? 'big' : 'small', channelId, upstreamModel, upstreamCost: cost })
    const day = new Date(app.clock.now()).toISOString().slice(0, 10)
    const written = usage.cacheWrite + usage.cacheWrite1h
    const line = bill.find((one) => one.day === day && one.model === upstreamModel) ?? { day, model: upstreamModel, ...zero() }
    if (line.requests === 0) bill.push(line)
    line.requests += 1
    line.input += usage.input + usage.cachedInput + written
    line.cached += usage.cachedInput
    line.written += written
    line.output += usage.output
    line.cost += cost
    if (index === 20) {
      app.clock.advance(60_000)
      await addUpCalls(app.deps)
    }
  }
})
afterAll(() => app.close())

function zero() {
  return { requests: 0, input: 0, cached: 0, written: 0, output: 0, cost: 0n }
}

let session = { at: -Infinity, token: '' }
/** The owner's token; a new one before the week of the old is over. */
async function owner(): Promise<string> {
  if (app.clock.now() - session.at > 5 * DAY) session = { at: app.clock.now(), token: await login(app, 'owner', 'correct horse battery') }
  return session.token
}
const COLUMNS = 'day,model,requests,input_tokens,cached_input_tokens,cache_write_input_tokens,output_tokens,cost'
const lineOf = (one: Bill): string =>
  [one.day, one.model, one.requests, one.input, one.cached, one.written, one.output, formatMoney(one.cost as Money)].join(',')
const plain = (rows: readonly Bill[]): string => [COLUMNS, ...rows.map(lineOf)].join('\n')
const send = async (format: string, content: string, rest: Record<string, unknown> = {}) =>
  app.api<ReconciliationDetail & { error: string }>(
    'POST',
    '/api/reconciliations',
    { channel_id: channelId, format, content, ...rest },
    await owner(),
  )

test("the upstream's own bill and ours are equal, in every format it comes in, split by whatever it is split by", async () => {
  expect((await send('plain', plain(bill))).body).toMatchObject({ status: 'equal', difference_count: 0, differences: [], rows: 6 })
  const renamed = plain(bill).replace('day,model,requests', 'Date,"The ""model""",requests').replaceAll('\n', '\r\n')
  const columns = { day: 'Date', model: 'The "model"' }
  expect((await send('plain', `\ufeff${renamed}\r\n`, { columns })).body).toMatchObject({ status: 'equal' })
  const openai = {
    object: 'page',
    data: bill.flatMap((one) => {
      const result = {
        object: 'organization.usage.completions.result',
        model: one.model,
        input_tokens: one.input - 10,
        input_cached_tokens: one.cached,
        output_tokens: one.output,
        num_model_requests: one.requests - 1,
      }
      const rest = { ...result, api_key_id: 'key_2', input_tokens: 10, input_cached_tokens: 0, output_tokens: 0, num_model_requests: 1 }
      return [{ object: 'bucket', start_time: Date.parse(one.day) / 1000, end_time: 0, results: [result, rest] }]
    }),
    has_more: false,
  }
  expect((await send('openai', JSON.stringify(openai))).body).toMatchObject({ status: 'equal', rows: 6 })
  const anthropic = [
    'usage_date_utc,model_version,api_key,usage_input_tokens_no_cache,usage_input_tokens_cache_write_5m,usage_input_tokens_cache_write_1h,usage_input_tokens_cache_read,usage_output_tokens,web_search_count',
    ...bill.map((one) =>
      [one.day, one.model, 'k', one.input - one.cached - one.written, one.written, 0, one.cached, one.output, 0].join(','),
    ),
  ].join('\n')
  expect((await send('anthropic', anthropic)).body).toMatchObject({ status: 'equal', rows: 6 })
  const api = {
    data: bill.map((one) => ({
      starting_at: `${one.day}T00:00:00Z`,
      ending_at: '',
      results: [
        {
          model: one.model,
          uncached_input_tokens: one.input - one.cached - one.written,
          cache_creation: { ephemeral_5m_input_tokens: 0, ephemeral_1h_input_tokens: one.written },
          cache_read_input_tokens: one.cached,
          output_tokens: one.output,
          server_tool_use: { web_search_requests: 0 },
        },
      ],
    })),
  }
  expect((await send('anthropic', JSON.stringify(api))).body).toMatchObject({ status: 'equal' })
})

test('10 of 10 errors planted between the two bills are found, each at its day, model and field, and nothing else', async () => {
  const at = (index: number): Bill => bill[index] ?? { day: '', model: '', ...zero() }
  const changed = (index: number, change: Partial<Bill>): Bill[] =>
    bill.map((one, which) => (which === index ? { ...one, ...change } : one))
  const without = (index: number): Bill[] => bill.filter((_, which) => which !== index)
  const stranger: Bill = { ...at(0), model: 'stranger', ...zero(), output: 5 }
  const all = ['requests', 'input_tokens', 'cached_input_tokens', 'cache_write_input_tokens', 'output_tokens', 'upstream_cost']
  const planted: [Bill[], number, string[]][] = [
    [changed(0, { input: at(0).input + 1 }), 0, ['input_tokens']],
    [changed(1, { output: at(1).output - 1 }), 1, ['output_tokens']],
    [changed(2, { cached: at(2).cached + 3 }), 2, ['cached_input_tokens']],
    [changed(3, { written: at(3).written - 2 }), 3, ['cache_write_input_tokens']],
    [changed(4, { cost: at(4).cost + 1n }), 4, ['upstream_cost']],
    [changed(5, { requests: at(5).requests + 1 }), 5, ['requests']],
    [without(0), 0, all],
    [[...bill, at(3)], 3, all],
    [[...bill, stranger], -1, ['output_tokens']],
    [changed(2, { model: 'renamed' }), 2, [...all, ...all]],
  ]
  for (const [rows, index, fields] of planted) {
    const { body } = await send('plain', plain(rows))
    expect(body.status).toBe('different')
    expect(body.differences.map(({ field }) => field)).toEqual(fields)
    if (index >= 0) expect(body.differences.some(({ day, subject }) => day === at(index).day && subject === at(index).model)).toBe(true)
    expect(body.differences.every(({ rule }) => rule === '')).toBe(true)
  }
})

test('a call that ran over midnight, a failed call and the date of a snapshot are explained by their rule', async () => {
  const moved = bill.map((one) => ({ ...one }))
  const [first, next] = moved.filter(({ model }) => model === 'small')
  if (!first || !next) throw new Error('no bill')
  first.output += 9
  next.output -= 9
  next.requests -= 1
  const { body } = await send('plain', plain(moved))
  expect(body.differences.map(({ field, rule }) => [field, rule])).toEqual(
    [
      ['output_tokens', 'made up on the neighbouring day: calls that ran over midnight'],
      ['output_tokens', 'made up on the neighbouring day: calls that ran over midnight'],
    ].toSpliced(1, 0, ['requests', '']),
  )
  const failed = bill.map((one, index) => (index === 0 ? { ...one, requests: one.requests - 1 } : one))
  expect((await send('plain', plain(failed))).body).toMatchObject({
    status: 'equal',
    differences: [{ field: 'requests', rule: 'calls that failed without using anything are counted here' }],
  })
  const dated = bill.map((one) => (one.model === 'small' ? { ...one, model: 'small-20260101' } : one))
  expect((await send('plain', plain(dated))).body.status).toBe('equal')
})

test('a file that cannot be read is refused, saying where; a list shows every run', async () => {
  const refused: [string, string, string][] = [
    ['plain', 'day,model\n2026-01-01', 'row 2: 1 cells instead of 2'],
    ['plain', 'day,model\n"2026', 'row 2: a quote that is not closed'],
    ['plain', `${COLUMNS}\n2026-01-01,m,1,-5,0,0,1,0`, '"-5" is no count'],
    ['plain', `${COLUMNS}\n2026-01-01,m,1,1e9,0,0,1,0`, '"1e9" is no count'],
    ['plain', `${COLUMNS}\nyesterday,m,1,5,0,0,1,0`, 'row 1: no day'],
    ['plain', `${COLUMNS}\n2026-01-01,m,1,5,0,0,1,-1`, 'the cost is no plain decimal'],
    ['plain', COLUMNS, 'it has no rows'],
    ['openai', '{"data":[{"start_time":1,"results":[]}', 'it is not JSON'],
    ['openai', '{"data":[{"start_time":1730419200,"results":[{"model":null,"input_tokens":1}]}]}', 'must be grouped by model'],
    ['openai', '{"__proto__":{}}', 'neither a list nor an answer'],
    ['anthropic', '[{"usage_date_utc":"2026-01-01","model":"m"}]', 'no uncached input tokens'],
  ]
  for (const [format, content, text] of refused) {
    const { status, body } = await send(format, content)
    expect([status, body.error]).toEqual([400, expect.stringContaining(text)])
  }
  expect((await send('plain', plain(bill), { channel_id: 99 })).status).toBe(404)
  const token = await owner()
  const list = await app.api<{ total: number; items: { id: number }[] }>('GET', '/api/reconciliations?page_size=2', undefined, token)
  expect(list.body.total).toBe(18)
  expect(list.body.items).toHaveLength(2)
  const again = await app.api<ReconciliationDetail>('POST', `/api/reconciliations/${list.body.items[1]?.id}/check`, undefined, token)
  expect(again.body).toMatchObject({ kind: 'upstream', channel_name: 'up' })
  expect((await app.api('GET', '/api/reconciliations/999', undefined, token)).status).toBe(404)
  const nobody = await login(app, user.username, user.password)
  expect((await app.api('GET', '/api/reconciliations', undefined, nobody)).status).toBe(403)
})
