import { afterAll, beforeAll, expect, test } from 'bun:test'
import type { ChangedMetaModel, MetaModelWire, SimulatedWire } from '../../../contract/api/meta-models.ts'
import { createTestApp, type TestApp } from '../../../test/app.ts'

let app: TestApp
beforeAll(async () => {
  app = await createTestApp()
  const channels = (await app.api<{ id: number }[]>('GET', '/api/user-channels')).body
  const { body: channel } = await app.api<{ id: number }>('POST', '/api/channels', {
    name: 'up',
    type: 'openai',
    base_url: 'http://127.0.0.1:1',
    api_key: 'k',
    user_channel_id: channels[0]?.id,
  })
  for (const [name, input, output] of [
    ['small', '1', '2'],
    ['large', '10', '20'],
  ]) {
    await app.api('POST', '/api/models', { model_name: name, input_price: input, output_price: output })
    await app.api('POST', `/api/channels/${channel.id}/models`, { model_name: name })
  }
})
afterAll(() => app.close())

const base = { name: 'auto', dsl: 'call "small"', billing_mode: 'actual', input_price: 0, output_price: 0, cached_input_price: 0 }
const post = <T = ChangedMetaModel>(body: unknown) => app.api<T & { error: string; diagnostics: unknown }>('POST', '/api/meta-models', body)
const audits = () => app.deps.db.query.selectFrom('audit_log').selectAll().where('object_type', '=', 'meta_model').orderBy('id').execute()

test('a meta model is made, listed, changed and deleted, and each leaves an audit row', async () => {
  const { status, body } = await post({ ...base, dsl: ' call "small"\n', description: ' d ', input_price: 3 })
  expect(status).toBe(200)
  expect(body.plan).toEqual({ options: null, root: { kind: 'call', model: 'small' } })
  const made = body.meta_model
  expect(made).toMatchObject({
    name: 'auto',
    description: 'd',
    dsl: 'call "small"',
    billing_mode: 'actual',
    input_price: '0',
    provider: 'meta',
    provider_name: 'Meta Module',
    provider_icon_url: '',
    expose_referenced_models: true,
    enabled: true,
  })
  const second = await post({
    ...base,
    name: 'second',
    enabled: false,
    billing_mode: 'meta',
    cache_write_input_price: '0.5',
    output_price_tiers: [{ min_tokens: 10, price: 4 }],
  })
  expect(second.body.meta_model).toMatchObject({
    enabled: false,
    cache_write_input_price: '0.5',
    output_price_tiers: [{ min_tokens: 10, price: '4' }],
  })
  const list = await app.api<MetaModelWire[]>('GET', '/api/meta-models')
  expect(list.body.map(({ name }) => name)).toEqual(['second', 'auto'])
  expect((await app.api('GET', '/api/meta-models?page=2&page_size=1')).body).toMatchObject({ items: [{ name: 'auto' }], total: 2 })

  const changed = await app.api<ChangedMetaModel>('PUT', `/api/meta-models/${second.body.meta_model.id}`, {
    ...base,
    name: 'renamed',
    dsl: 'call "large"',
  })
  expect(changed.body).toMatchObject({
    meta_model: { name: 'renamed', enabled: false, billing_mode: 'actual' },
    plan: { root: { model: 'large' } },
  })
  for (const id of [made.id, changed.body.meta_model.id])
    expect((await app.api('DELETE', `/api/meta-models/${id}`)).body).toEqual({ message: 'Meta model deleted' })
  expect((await app.api('GET', '/api/meta-models')).body).toEqual([])
  expect((await app.api('PUT', `/api/meta-models/${made.id}`, base)).status).toBe(404)
  expect((await audits()).map(({ action }) => action)).toEqual(['create', 'create', 'update', 'delete', 'delete'])
})

test.each([
  [{ name: ' ' }, 'Meta model name is required'],
  [{ name: undefined }, 'Meta model name is required'],
  [{ billing_mode: 'own' }, 'Invalid billing mode'],
  [{ input_price: -1 }, 'Prices must not be negative'],
  [{ audio_output_price: '-0.1' }, 'Prices must not be negative'],
  [{ dsl: '  ' }, 'DSL is required'],
  [{ dsl: undefined }, 'DSL is required'],
  [{ dsl: 'route {' }, 'line 1:8: unterminated route block'],
  [{ dsl: 'call "auto"' }, 'Meta model cannot reference itself'],
  [{ dsl: 'call "nope"' }, 'Referenced model not found: nope'],
])('%p is refused: %s', async (part, error) => {
  const answer = await post({ ...base, ...part })
  expect([answer.status, answer.body.error]).toEqual([400, error])
})

test('an empty billing mode is actual', async () => {
  const { body } = await post({ ...base, name: 'empty-mode', billing_mode: '' })
  expect(body.meta_model.billing_mode).toBe('actual')
  await app.api('DELETE', `/api/meta-models/${body.meta_model.id}`)
})

test('names are unique over models and meta models, whoever comes second', async () => {
  const { body } = await post({ ...base, name: 'taken' })
  expect((await post({ ...base, name: 'taken' })).status).toBe(409)
  expect((await post({ ...base, name: 'large' })).status).toBe(409)
  expect((await post({ ...base, name: 'over', dsl: 'call "taken"' })).body.error).toBe(
    'Meta model cannot reference another meta model yet: taken',
  )
  expect((await app.api('POST', '/api/models', { model_name: 'taken', input_price: 1 })).status).toBe(409)
  const models = (await app.api<{ id: number; model_name: string }[]>('GET', '/api/models')).body
  expect((await app.api('PUT', `/api/models/${models[0]?.id}`, { model_name: 'taken', input_price: 1 })).status).toBe(409)
  expect((await app.api('DELETE', `/api/meta-models/${body.meta_model.id}`)).status).toBe(200)
})

test('a refused program has all its findings with their places', async () => {
  const { status, body } = await app.api('POST', '/api/meta-models/validate', {
    dsl: 'route {\n  when user.idd == 1 => call "smal"\n  otherwise => call "large"\n}',
  })
  expect(status).toBe(400)
  expect(body).toMatchObject({
    error: 'line 2:8: Unknown variable: user.idd; did you mean user.id?',
    code: 'meta_program_invalid',
    diagnostics: [
      { line: 2, column: 8, length: 8, suggestion: 'user.id' },
      { line: 2, column: 30, length: 6, message: 'Referenced model not found: smal', suggestion: 'small' },
    ],
  })
})

test('a program is checked without a name; the answer has its plan and its one form', async () => {
  const { status, body } = await app.api('POST', '/api/meta-models/validate', { dsl: 'fallback{call "small",call "large"}' })
  expect([status, body]).toEqual([
    200,
    {
      plan: {
        root: {
          kind: 'fallback',
          calls: [
            { kind: 'call', model: 'small' },
            { kind: 'call', model: 'large' },
          ],
        },
        options: null,
      },
      formatted: 'fallback {\n  call "small"\n  call "large"\n}\n',
      diagnostics: [],
    },
  ])
  expect((await app.api('POST', '/api/meta-models/validate', { dsl: '' })).body).toMatchObject({ error: 'DSL is required' })
})

const simulate = async (dsl: string, cases: unknown[], more: object = {}) =>
  app.api<{ results: SimulatedWire[]; error?: string }>('POST', '/api/meta-models/simulate', { dsl, cases, ...more })

test('a simulation tells way, model and cost of each case, and calls nobody', async () => {
  const dsl = 'route { when request.input_tokens > 1000 => call "large" otherwise => call "small" }'
  const { body } = await simulate(dsl, [
    { variables: { 'request.input_tokens': 10, 'request.max_output_tokens': 100 } },
    { variables: { 'request.input_tokens': 2000, 'request.max_output_tokens': 100 } },
    {},
  ])
  expect(body.results.map(({ model, estimated_cost: cost }) => [model, cost])).toEqual([
    ['small', '0.00021'],
    ['large', '0.022'],
    ['small', '0.008192'],
  ])
  expect(body.results[0]?.path).toEqual([
    { line: 1, column: 9, kind: 'when', text: 'request.input_tokens > 1000', taken: false, values: { 'request.input_tokens': 10 } },
    { line: 1, column: 58, kind: 'otherwise', text: 'otherwise', taken: true },
    { line: 1, column: 71, kind: 'call', text: 'small', taken: true },
  ])
})

test('a simulation counts every part: the judge, the candidates with their drafts, the first of a fallback', async () => {
  const dsl = `judge "small" { route {
    when judge.output == "hard" => parallel { call "small" call "large" } synthesize "large"
    otherwise => fallback { call "small" call "large" } } }`
  const facts = { 'request.input_tokens': 1000, 'request.max_output_tokens': 1000 }
  const { body } = await simulate(dsl, [{ variables: { ...facts, 'judge.output': 'hard' } }, { variables: facts }])
  expect(body.results.map(({ model, estimated_cost: cost, parts }) => [model, cost, parts])).toEqual([
    [
      'large',
      '0.084512',
      [
        { role: 'judge', model: 'small', estimated_cost: '0.001512' },
        { role: 'candidate', model: 'small', estimated_cost: '0.003' },
        { role: 'candidate', model: 'large', estimated_cost: '0.03' },
        { role: 'answer', model: 'large', estimated_cost: '0.05' },
      ],
    ],
    [
      'small',
      '0.004512',
      [
        { role: 'judge', model: 'small', estimated_cost: '0.001512' },
        { role: 'answer', model: 'small', estimated_cost: '0.003' },
        { role: 'fallback', model: 'large', estimated_cost: '0.03' },
      ],
    ],
  ])
})

test('a simulation takes own prices, groups and chance; wrong facts are refused with their case', async () => {
  await app.api('POST', '/api/groups', { name: 'half', multiplier: '0.5' })
  const facts = { 'request.input_tokens': 1_000_000, 'request.max_output_tokens': 1 }
  const grouped = await simulate('call "small"', [{ variables: { ...facts, 'user.group': 'half' } }], {
    billing_mode: 'meta',
    input_price: '8',
  })
  expect(grouped.body.results[0]?.estimated_cost).toBe('4')
  const drawn = await simulate('switch { weight 1 => call "small" weight 1 => call "large" }', [{ random: 0.1 }, { random: 0.9 }])
  expect(drawn.body.results.map(({ model }) => model)).toEqual(['small', 'large'])
  const quota = 'route { when api_key.quota_remaining < 1 => call "small" otherwise => call "large" }'
  const unlimited = await simulate(quota, [
    {},
    { variables: { 'api_key.quota_remaining': 0 } },
    { variables: { 'api_key.quota_remaining': 'unlimited' } },
  ])
  expect(unlimited.body.results.map(({ model }) => model)).toEqual(['large', 'small', 'large'])
  expect(unlimited.body.results[0]?.path[0]?.values).toEqual({ 'api_key.quota_remaining': 'unlimited' })
  expect((await simulate('call "small"', [{}, { variables: { 'user.idd': 1 } }])).body.error).toBe(
    'case 2: Unknown variable: user.idd; did you mean user.id?',
  )
  expect((await simulate('call "small"', [{ variables: { 'user.id': true } }])).body.error).toBe('case 1: user.id must be a number')
  expect((await simulate('call "smal"', [{}])).status).toBe(400)
})

test('support may read and try, admins only may change', async () => {
  const support = await app.user('support', 'support')
  expect((await app.api('GET', '/api/meta-models', undefined, support.token)).status).toBe(200)
  expect((await app.api('POST', '/api/meta-models/validate', { dsl: 'call "small"' }, support.token)).status).toBe(200)
  expect((await app.api('POST', '/api/meta-models', base, support.token)).status).toBe(403)
  const user = await app.user('nobody')
  expect((await app.api('GET', '/api/meta-models', undefined, user.token)).status).toBe(403)
})
