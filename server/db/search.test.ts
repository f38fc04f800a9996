import { afterAll, beforeAll, expect, test } from 'bun:test'
import { createTestApp, type TestApp } from '../../test/app.ts'

let app: TestApp
beforeAll(async () => {
  app = await createTestApp()
  for (const name of ['gpt_4', 'gpt-4', 'GPT-5%off', "o'brien"]) {
    await app.api('POST', '/api/models', { model_name: name })
    await app.api('POST', '/api/groups', { name })
    await app.api('POST', '/api/user-channels', { name, description: 'sold' })
    await app.api('POST', '/api/channels', { name, base_url: 'https://up.example' })
  }
})
afterAll(() => app.close())

const lists = { models: 'model_name', groups: 'name', 'user-channels': 'name', channels: 'name' } as const
const found = async (list: keyof typeof lists, query: string): Promise<unknown[]> => {
  const { body } = await app.api<Record<string, unknown>[]>('GET', `/api/${list}?${query}`)
  return body.map((row) => row[lists[list]])
}

test('lists are searched by a part of the name, whatever its case; wildcards and quotes are letters', async () => {
  for (const list of Object.keys(lists) as (keyof typeof lists)[]) {
    expect(new Set(await found(list, 'q=gPt'))).toEqual(new Set(['GPT-5%off', 'gpt-4', 'gpt_4']))
    expect(await found(list, 'q=t_4')).toEqual(['gpt_4'])
    expect(await found(list, `q=${encodeURIComponent('5%')}`)).toEqual(['GPT-5%off'])
    expect(await found(list, `q=${encodeURIComponent("O'B")}`)).toEqual(["o'brien"])
    expect(await found(list, `q=${encodeURIComponent('\\')}`)).toEqual([])
  }
})

test('a page of a search counts what was found', async () => {
  const { body } = await app.api('GET', '/api/models?q=gpt&page=2&page_size=2')
  expect(body).toMatchObject({ total: 3, page: 2, page_size: 2, items: [{ model_name: 'gpt_4' }] })
  for (const list of Object.keys(lists)) expect((await app.api('GET', `/api/${list}?page=1000`)).body).toMatchObject({ items: [] })
})
