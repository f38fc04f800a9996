import { afterAll, beforeAll, expect, test } from 'bun:test'
import { serve, type Served } from '../served.ts'

const MODELS = ['alpha', 'beta', 'maker/gamma:free']
let served: Served
let narrow: string

beforeAll(async () => {
  served = await serve()
  const channel = await served.site.addChannel({ baseUrl: 'http://127.0.0.1:1/v1' })
  for (const model of MODELS) await served.site.sell(channel, model)
  await served.site.api('POST', '/api/models', { model_name: 'unserved', input_price: '1' })
  await served.site.api('POST', '/api/models', { model_name: 'capped', input_price: '1', output_price: '1', max_output_tokens: 4096 })
  await served.site.sell(channel, 'capped')
  narrow = (await served.site.addKey({ allowedModels: ['beta', 'maker/*'] })).secret
})
afterAll(() => served.close())

const get = async (path: string, headers: Record<string, string>): Promise<{ status: number; body: Record<string, unknown> }> => {
  const answer = await fetch(served.url + path, { headers })
  return { status: answer.status, body: (await answer.json()) as Record<string, unknown> }
}

test("OpenAI's client lists and gets what its key can call, names with / and : too", async () => {
  const all = await served.openai().models.list()
  expect(all.data.map(({ id }) => id)).toEqual(['alpha', 'beta', 'capped', 'maker/gamma:free'])
  expect(await served.openai().models.retrieve('maker/gamma:free')).toMatchObject({ id: 'maker/gamma:free', object: 'model' })
  expect((await get('/v1/models/maker/gamma:free', { authorization: `Bearer ${served.key}` })).body.id).toBe('maker/gamma:free')
  const few = await served.openai(narrow).models.list()
  expect(few.data.map(({ id }) => id)).toEqual(['beta', 'maker/gamma:free'])
})

test("a model that cannot be called is not there, in each protocol's words", async () => {
  for (const id of ['alpha', 'unserved', 'nothing']) {
    expect(await get(`/v1/models/${id}`, { authorization: `Bearer ${narrow}` })).toMatchObject({
      status: 404,
      body: { error: { code: 'model_not_found' } },
    })
  }
  expect(await get('/v1/models/alpha', { 'x-api-key': narrow, 'anthropic-version': '2023-06-01' })).toMatchObject({
    status: 404,
    body: { type: 'error', error: { type: 'not_found_error' } },
  })
  expect(await get('/v1beta/models/alpha', { 'x-goog-api-key': narrow })).toMatchObject({
    status: 404,
    body: { error: { status: 'NOT_FOUND' } },
  })
  expect((await get('/v1/models', {})).status).toBe(401)
  expect((await get(`/v1/models?key=${narrow}`, {})).status).toBe(401)
  expect((await get(`/v1beta/models?key=${narrow}`, {})).status).toBe(200)
})

test("Anthropic's client pages through the same list in its own form", async () => {
  const ids: string[] = []
  for await (const model of served.anthropic().models.list({ limit: 2 })) {
    expect(model).toMatchObject({ type: 'model', display_name: model.id, created_at: '1970-01-01T00:00:00Z' })
    ids.push(model.id)
  }
  expect(ids).toEqual(['alpha', 'beta', 'capped', 'maker/gamma:free'])
  const back = await served.anthropic().models.list({ limit: 2, before_id: 'maker/gamma:free' })
  expect([back.data.map(({ id }) => id), back.has_more, back.first_id, back.last_id]).toEqual([['beta', 'capped'], true, 'beta', 'capped'])
  expect(await served.anthropic().models.retrieve('beta')).toMatchObject({ type: 'model', id: 'beta' })
})

test("Google's client pages through it in its own form", async () => {
  const names: (string | undefined)[] = []
  for await (const model of await served.google().models.list({ config: { pageSize: 3 } })) names.push(model.name)
  expect(names).toEqual(['models/alpha', 'models/beta', 'models/capped', 'models/maker/gamma:free'])
  expect(await served.google().models.get({ model: 'capped' })).toMatchObject({ name: 'models/capped', outputTokenLimit: 4096 })
})
