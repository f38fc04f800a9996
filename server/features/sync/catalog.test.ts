import { afterAll, beforeAll, expect, test } from 'bun:test'
import { calcPrice } from '@pydantic/genai-prices'
import type { Suggestion } from '../../../contract/api/price-catalog.ts'
import { EMPTY_USAGE, totalInput, totalOutput, type Usage } from '../../../contract/meters.ts'
import { formatMoney } from '../../../contract/money.ts'
import { NO_MULTIPLIERS, quote, type PriceCard } from '../../../contract/quote.ts'
import { cardInput, cardOf } from '../../../contract/prices.ts'
import { z } from 'zod'
import { createTestApp, type TestApp } from '../../../test/app.ts'
import { suggest } from './catalog.ts'

const NOW = Date.UTC(2026, 10, 23, 12)
const cardOfWire = (wire: Suggestion): PriceCard => cardOf(z.object(cardInput).parse(wire), 0)

test('known models by their own name, by another name of them, and not at all', async () => {
  expect(await suggest('gpt-4o', NOW)).toMatchObject({
    match: 'exact',
    catalog_provider: 'openai',
    input_price: '2.5',
    cached_input_price: '1.25',
    output_price: '10',
  })
  expect(await suggest('claude-opus-4-20250514', NOW)).toMatchObject({
    match: 'alias',
    catalog_model: 'claude-opus-4-0',
    input_price: '15',
    cache_write_input_price: '18.75',
    cache_write_1h_input_price: '30',
  })
  expect(await suggest('openai/gpt-4o', NOW)).toMatchObject({ match: 'alias', catalog_model: 'gpt-4o', input_price: '2.5' })
  expect(await suggest('no-such-model-anywhere', NOW)).toMatchObject({ match: null, input_price: '0', catalog_model: '' })
})

test('a price that depends on the hour is taken at its dearest, whatever the hour', async () => {
  const [noon, night] = [await suggest('deepseek-chat', NOW), await suggest('deepseek-chat', Date.UTC(2026, 10, 23, 20))]
  expect(noon).toEqual(night)
  expect(noon).toMatchObject({ input_price: '0.27', output_price: '1.1', notes: expect.arrayContaining(['varies_by_hour']) })
})

test('a call costs by the card what it costs by the catalog, on both sides of a step', async () => {
  const names = [
    'gpt-4o',
    'gpt-5',
    'o3',
    'claude-sonnet-4-5',
    'claude-opus-4-0',
    'claude-3-5-haiku-latest',
    'gemini-2.5-pro',
    'gemini-2.5-flash',
    'grok-4',
    'gpt-realtime',
  ]
  const usages: Partial<Usage>[] = [
    { input: 1_000, output: 500 },
    { input: 150_000, cachedInput: 50_000, output: 2_000 },
    { input: 150_000, cachedInput: 50_001, output: 2_000 },
    { input: 10_000, cachedInput: 5_000, cacheWrite: 3_000, output: 700 },
    { input: 10_000, cacheWrite: 300, cacheWrite1h: 200_000, output: 7 },
  ]
  let compared = 0
  for (const name of names) {
    const found = await suggest(name, NOW)
    if (found.match === null) throw new Error(`${name} is not in the catalog`)
    for (const part of usages) {
      const usage = { ...EMPTY_USAGE, ...part }
      const theirs = calcPrice(
        {
          input_tokens: totalInput(usage),
          output_tokens: totalOutput(usage),
          cache_read_tokens: usage.cachedInput,
          cache_write_tokens: usage.cacheWrite + usage.cacheWrite1h,
          cache_write_1h_tokens: usage.cacheWrite1h,
        },
        found.catalog_model,
        { providerId: found.catalog_provider, timestamp: new Date(NOW) },
      )
      const ours = Number(formatMoney(quote(usage, cardOfWire(found), NO_MULTIPLIERS).total))
      expect([name, part, Math.abs(ours - (theirs?.total_price ?? -1)) < 1e-9]).toEqual([name, part, true])
      compared += 1
    }
  }
  expect(compared).toBe(50)
})

let app: TestApp
beforeAll(async () => {
  app = await createTestApp()
})
afterAll(() => app.close())

test('a fresh site prices what it knows without any network, and only when somebody says so', async () => {
  await app.api('POST', '/api/models', { model_name: 'gpt-4o' })
  await app.api('POST', '/api/models', { model_name: 'house-model' })
  await app.api('POST', '/api/models', { model_name: 'gpt-5', input_price: 1, output_price: 2 })
  const { body } = await app.api<{ suggestions: Suggestion[] }>('POST', '/api/price-catalog/suggest')
  expect(body.suggestions.map(({ model_name: name, match }) => [name, match])).toEqual([
    ['gpt-4o', 'exact'],
    ['house-model', null],
  ])
  expect((await app.api<{ priced: boolean }[]>('GET', '/api/models')).body.filter(({ priced }) => priced)).toHaveLength(1)
  const channel = await app.api<{ id: number }>('POST', '/api/channels', { name: 'up', base_url: 'https://api.openai.com/v1' })
  const priced = body.suggestions.filter(({ match }) => match !== null)
  expect(await app.api('POST', '/api/models/prices/sync/apply', { channel_id: channel.body.id, models: priced })).toMatchObject({
    body: { results: [{ created: 0, updated: 1 }] },
  })
  expect((await app.api<Suggestion>('GET', '/api/price-catalog?model=gemini-2.5-pro')).body.input_price_tiers).toEqual([
    { min_tokens: 200001, price: '2.5', condition: 'full_input_tokens' },
  ])
  expect(await app.api('GET', '/api/price-catalog')).toMatchObject({ status: 400, body: { error: 'Model is required' } })
})
