// long file: one table, the shapes of real sources
import { expect, test } from 'bun:test'
import type { Json } from '../../../../contract/json.ts'
import { cardWire } from '../../../../contract/prices.ts'
import { EMPTY_USAGE } from '../../../../contract/meters.ts'
import { NO_MULTIPLIERS, quote } from '../../../../contract/quote.ts'
import { formatMoney } from '../../../../contract/money.ts'
import { readNames } from './names.ts'
import { readPrices } from './prices.ts'
import type { FeedItem } from '../feed.ts'

const item = (payload: Json, name: string): FeedItem => {
  const found = readPrices(payload).items.get(name)
  if (!found) throw new Error(`${name} is not in the feed`)
  return found
}
const card = (payload: Json, name: string) => cardWire(item(payload, name).card)

/** Shape of `GET /v1/models` (platform.openai.com/docs/api-reference/models/list). */
const openai = {
  object: 'list',
  data: [
    { id: 'gpt-4o-mini', object: 'model', created: 1721172741, owned_by: 'system' },
    { id: 'gpt-4o', object: 'model', created: 1715367049, owned_by: 'system' },
    { id: 'gpt-4o', object: 'model', created: 1715367049, owned_by: 'system' },
  ],
}

/** Shape of new-api's `GET /api/pricing` (github.com/QuantumNous/new-api, controller/pricing.go). */
const newApi = {
  success: true,
  auto_groups: ['default'],
  data: [
    {
      model_name: 'gpt-4o',
      vendor_id: 1,
      quota_type: 0,
      model_ratio: 1.25,
      model_price: 0,
      owner_by: '',
      completion_ratio: 4,
      cache_ratio: 0.5,
      enable_groups: ['default'],
      supported_endpoint_types: ['openai'],
    },
    {
      model_name: 'claude-sonnet-4',
      quota_type: 0,
      model_ratio: 1.5,
      model_price: 0,
      completion_ratio: 5,
      cache_ratio: 0.1,
      create_cache_ratio: 1.25,
    },
    {
      model_name: 'gpt-4o-audio-preview',
      quota_type: 0,
      model_ratio: 1.25,
      completion_ratio: 4,
      audio_ratio: 16,
      audio_completion_ratio: 2,
    },
    { model_name: 'mj_imagine', quota_type: 1, model_ratio: 0, model_price: 0.1, completion_ratio: 0 },
    {
      model_name: 'gpt-5.4',
      quota_type: 0,
      model_ratio: 37.5,
      completion_ratio: 1,
      billing_mode: 'tiered_expr',
      billing_expr: 'p <= 272000 ? tier("base", p*5 + c*30 + cr*0.5) : tier("long", p*10 + c*45 + cr*1)',
    },
    {
      model_name: 'three-steps',
      quota_type: 0,
      billing_mode: 'tiered_expr',
      billing_expr:
        'v1:len < 32000 ? tier("s", p * 1 + c * 2) : (len < 128000 ? tier("m", p * 3 + c * 4) : tier("l", p * 5 + c * 6 + cc * 7))',
    },
    { model_name: 'by-call', quota_type: 0, billing_mode: 'tiered_expr', billing_expr: 'tier("request", fixed(0.01))' },
    {
      model_name: 'by-hour',
      quota_type: 0,
      billing_mode: 'tiered_expr',
      billing_expr: 'hour("UTC") < 8 ? tier("night", p*1) : tier("day", p*2)',
    },
    {
      model_name: 'by-header',
      quota_type: 0,
      billing_mode: 'tiered_expr',
      billing_expr: 'tier("base", p * 5 + c * 25)|||when(header("anthropic-beta") has "fast-mode") * 6',
    },
  ],
  group_ratio: { default: 1 },
  usable_group: { default: 'default' },
  vendors: [{ id: 1, name: 'OpenAI', icon: 'OpenAI' }],
}

/** one-api's options (github.com/songquanpeng/one-api, relay/billing/ratio/model.go): ratio 1 = 0.002 USD per 1,000 tokens. */
const oneApi = {
  success: true,
  message: '',
  data: [
    { key: 'ModelRatio', value: '{"gpt-4o":1.25,"gpt-4":15,"deepseek-chat":0.135}' },
    { key: 'CompletionRatio', value: '{"gpt-4o":4,"gpt-4":2,"deepseek-chat":4}' },
    { key: 'GroupRatio', value: '{"default":1,"vip":1}' },
    { key: 'Theme', value: 'default' },
  ],
}

/** Shape of `GET https://openrouter.ai/api/v1/models` (openrouter.ai/docs/api-reference/list-available-models). */
const openRouter = {
  data: [
    {
      id: 'anthropic/claude-sonnet-4',
      name: 'Anthropic: Claude Sonnet 4',
      created: 1747930371,
      context_length: 1000000,
      architecture: { modality: 'text+image->text', tokenizer: 'Claude' },
      pricing: {
        prompt: '0.000003',
        completion: '0.000015',
        request: '0',
        image: '0.0048',
        web_search: '0',
        internal_reasoning: '0',
        input_cache_read: '0.0000003',
        input_cache_write: '0.00000375',
      },
      supported_parameters: ['tools'],
    },
    { id: 'openrouter/auto', name: 'Auto Router', pricing: { prompt: '-1', completion: '-1' } },
    { id: 'meta-llama/llama-3.3-70b-instruct:free', name: 'free', pricing: { prompt: '0', completion: '0', request: '0', image: '0' } },
  ],
}

/** Shape of LiteLLM's `model_prices_and_context_window.json` (docs.litellm.ai/docs/provider_registration/add_model_pricing). */
const liteLlm = {
  sample_spec: {
    input_cost_per_token: 0,
    output_cost_per_token: 0,
    litellm_provider: 'one of https://docs.litellm.ai/docs/providers',
    mode: 'chat',
  },
  'gpt-4o': {
    cache_read_input_token_cost: 1.25e-6,
    input_cost_per_token: 2.5e-6,
    input_cost_per_token_batches: 1.25e-6,
    litellm_provider: 'openai',
    max_input_tokens: 128000,
    mode: 'chat',
    output_cost_per_token: 1e-5,
    supports_vision: true,
  },
  'claude-sonnet-4-5': {
    cache_creation_input_token_cost: 3.75e-6,
    cache_creation_input_token_cost_above_1hr: 6e-6,
    cache_creation_input_token_cost_above_200k_tokens: 7.5e-6,
    cache_read_input_token_cost: 3e-7,
    cache_read_input_token_cost_above_200k_tokens: 6e-7,
    input_cost_per_token: 3e-6,
    input_cost_per_token_above_200k_tokens: 6e-6,
    litellm_provider: 'anthropic',
    mode: 'chat',
    output_cost_per_token: 1.5e-5,
    output_cost_per_token_above_200k_tokens: 2.25e-5,
    search_context_cost_per_query: { search_context_size_high: 0.01 },
  },
  '1024-x-1024/dall-e-2': { input_cost_per_pixel: 1.9e-8, litellm_provider: 'openai', mode: 'image_generation', output_cost_per_pixel: 0 },
  'gpt-image-x': { output_cost_per_image: 0.04, litellm_provider: 'openai', mode: 'image_generation' },
  'whisper-1': { input_cost_per_second: 0.0001, litellm_provider: 'openai', mode: 'audio_transcription', output_cost_per_second: 0.0001 },
}

test("OpenAI's list: names once, sorted", () => {
  expect(readNames(openai)).toEqual(['gpt-4o', 'gpt-4o-mini'])
})

test("Gemini's, Claude's, one-api's and plain lists are read too", () => {
  expect(readNames({ models: [{ name: 'models/gemini-2.5-pro', displayName: 'Gemini 2.5 Pro' }], nextPageToken: 'x' })).toEqual([
    'gemini-2.5-pro',
  ])
  expect(readNames({ data: [{ type: 'model', id: 'claude-opus-4-1', display_name: 'Claude' }], has_more: false })).toEqual([
    'claude-opus-4-1',
  ])
  expect(readNames({ success: true, data: { '1': ['gpt-4', 'gpt-4o'], '14': ['claude-3-opus'] } })).toEqual([
    'claude-3-opus',
    'gpt-4',
    'gpt-4o',
  ])
  expect(readNames(['b', 'a', '', 7])).toEqual(['a', 'b'])
  expect(readNames({ hello: 'world' })).toEqual([])
})

test('new-api: ratio 1 is 2 USD per million, the others are factors of the input', () => {
  expect(card(newApi, 'gpt-4o')).toMatchObject({ input_price: '2.5', output_price: '10', cached_input_price: '1.25' })
  expect(card(newApi, 'claude-sonnet-4')).toMatchObject({
    input_price: '3',
    output_price: '15',
    cached_input_price: '0.3',
    cache_write_input_price: '3.75',
    cache_write_1h_input_price: '6',
  })
  expect(card(newApi, 'gpt-4o-audio-preview')).toMatchObject({ input_price: '2.5', audio_input_price: '40', audio_output_price: '80' })
})

test('new-api: a price per call is one, by quota_type and by fixed()', () => {
  expect(item(newApi, 'mj_imagine').card).toMatchObject({ quotaType: 1 })
  expect(card(newApi, 'mj_imagine').output_price).toBe('0.1')
  expect(item(newApi, 'by-call').card).toMatchObject({ quotaType: 1 })
  expect(card(newApi, 'by-call').output_price).toBe('0.01')
})

test('new-api: the steps of an expression begin with the first token that costs more (W98)', () => {
  expect(card(newApi, 'gpt-5.4')).toMatchObject({
    input_price: '5',
    output_price: '30',
    cached_input_price: '0.5',
    input_price_tiers: [{ min_tokens: 272001, price: '10', condition: 'full_input_tokens' }],
    output_price_tiers: [{ min_tokens: 272001, price: '45', condition: 'full_input_tokens' }],
    cached_input_price_tiers: [{ min_tokens: 272001, price: '1', condition: 'full_input_tokens' }],
  })
  const { card: tiered } = item(newApi, 'gpt-5.4')
  const cost = (input: number) => formatMoney(quote({ ...EMPTY_USAGE, input, output: 1_000 }, tiered, NO_MULTIPLIERS).total)
  expect(cost(272_000)).toBe('1.39')
  expect(cost(272_001)).toBe('2.76501')
})

test('new-api: more than two steps are all read; a meter of one step costs nothing in the others', () => {
  expect(card(newApi, 'three-steps')).toMatchObject({
    input_price: '1',
    input_price_tiers: [
      { min_tokens: 32000, price: '3', condition: 'full_input_tokens' },
      { min_tokens: 128000, price: '5', condition: 'full_input_tokens' },
    ],
    output_price: '2',
    cache_write_input_price: '0',
    cache_write_input_price_tiers: [
      { min_tokens: 32000, price: '0', condition: 'full_input_tokens' },
      { min_tokens: 128000, price: '7', condition: 'full_input_tokens' },
    ],
  })
})

test('new-api: an expression that says more than a price card can is refused, not cut short', () => {
  for (const name of ['by-hour', 'by-header']) expect(item(newApi, name).problem).toBe('expression')
  for (const text of [
    'tier("a", p*1) + tier("b", c*2)',
    'len < 5 ? tier("a", p*1) : c < 5 ? tier("b", p*2) : tier("c", p*3)',
    'tier("a", p*1) extra',
    'tier("a", p*-1)',
    'tier("a", q*1)',
    'tier("a", p*1 + p*2)',
    `${'('.repeat(40)}tier("a", p*1)${')'.repeat(40)}`,
    '',
  ].filter((each) => each !== ''))
    expect([text, item({ data: [{ model_name: 'x', quota_type: 0, billing_expr: text }] }, 'x').problem]).toEqual([text, 'expression'])
})

test('one-api: ratios from its options', () => {
  expect([...readPrices(oneApi).items.keys()].sort()).toEqual(['deepseek-chat', 'gpt-4', 'gpt-4o'])
  expect(card(oneApi, 'gpt-4')).toMatchObject({ input_price: '30', output_price: '60' })
  expect(card(oneApi, 'deepseek-chat')).toMatchObject({ input_price: '0.27', output_price: '1.08' })
})

test('new-api ratio_config: ratios, and prices per call beside them', () => {
  const config = {
    success: true,
    data: {
      model_ratio: { 'gpt-4o': 1.25 },
      completion_ratio: { 'gpt-4o': 4 },
      cache_ratio: { 'gpt-4o': 0.5 },
      model_price: { 'dall-e-3': 0.04 },
    },
  }
  expect(card(config, 'gpt-4o')).toMatchObject({ input_price: '2.5', output_price: '10', cached_input_price: '1.25' })
  expect(item(config, 'dall-e-3').card).toMatchObject({ quotaType: 1 })
})

test('OpenRouter: USD per token; what depends is refused, what has no meter is named', () => {
  expect(card(openRouter, 'anthropic/claude-sonnet-4')).toMatchObject({
    input_price: '3',
    output_price: '15',
    cached_input_price: '0.3',
    cache_write_input_price: '3.75',
  })
  expect(item(openRouter, 'anthropic/claude-sonnet-4').notes).toEqual(['unmapped:image'])
  expect(item(openRouter, 'openrouter/auto').problem).toBe('negative')
  expect(card(openRouter, 'meta-llama/llama-3.3-70b-instruct:free')).toMatchObject({ input_price: '0', output_price: '0' })
})

test("LiteLLM's file: USD per token, steps above the whole input, pictures by the piece", () => {
  expect(readPrices(liteLlm).items.has('sample_spec')).toBe(false)
  expect(card(liteLlm, 'gpt-4o')).toMatchObject({ input_price: '2.5', output_price: '10', cached_input_price: '1.25' })
  expect(card(liteLlm, 'claude-sonnet-4-5')).toMatchObject({
    input_price: '3',
    cache_write_input_price: '3.75',
    cache_write_1h_input_price: '6',
    input_price_tiers: [{ min_tokens: 200001, price: '6', condition: 'full_input_tokens' }],
    output_price_tiers: [{ min_tokens: 200001, price: '22.5', condition: 'full_input_tokens' }],
    cached_input_price_tiers: [{ min_tokens: 200001, price: '0.6', condition: 'full_input_tokens' }],
    cache_write_input_price_tiers: [{ min_tokens: 200001, price: '7.5', condition: 'full_input_tokens' }],
  })
  expect(item(liteLlm, 'gpt-image-x').card).toMatchObject({ quotaType: 1 })
  for (const name of ['1024-x-1024/dall-e-2', 'whisper-1']) expect(item(liteLlm, name).problem).toBe('unit')
})

test('models.dev: the price of its maker, not of who resells it', () => {
  const list = {
    reseller: { id: 'reseller', env: ['KEY'], models: { 'gpt-4o': { id: 'gpt-4o', cost: { input: 99, output: 99 } } } },
    openai: {
      id: 'openai',
      env: ['OPENAI_API_KEY'],
      npm: '@ai-sdk/openai',
      models: { 'gpt-4o': { id: 'gpt-4o', cost: { input: 2.5, output: 10, cache_read: 1.25 } } },
    },
    google: {
      id: 'google',
      env: ['KEY'],
      models: {
        'gemini-2.5-pro': { id: 'gemini-2.5-pro', cost: { input: 1.25, output: 10, context_over_200k: { input: 2.5, output: 15 } } },
      },
    },
  }
  expect(card(list, 'gpt-4o')).toMatchObject({ input_price: '2.5', cached_input_price: '1.25' })
  expect(card(list, 'gemini-2.5-pro')).toMatchObject({
    input_price_tiers: [{ min_tokens: 200001, price: '2.5', condition: 'full_input_tokens' }],
    cached_input_price: '1.25',
  })
})

test('the generic lists of contract.md 10.3', () => {
  expect(card({ 'gpt-x': 5 }, 'gpt-x')).toMatchObject({ input_price: '5', output_price: '5', cached_input_price: '5' })
  expect(card({ data: [{ id: 'gpt-x', input_price: '2', cache_price: 1 }] }, 'gpt-x')).toMatchObject({
    input_price: '2',
    output_price: '2',
    cached_input_price: '1',
  })
  expect(card({ models: [{ name: 'gpt-x', promptPrice: 2, completionPrice: 8 }] }, 'gpt-x')).toMatchObject({
    input_price: '2',
    output_price: '8',
  })
  expect(card({ data: { input_prices: { a: 1, b: '2' }, output_prices: { a: 3 } } }, 'a')).toMatchObject({
    input_price: '1',
    output_price: '3',
  })
  expect(card(['plain-name'], 'plain-name')).toMatchObject({ input_price: '0' })
  expect(
    card(
      {
        data: [
          { model: 'm', input_price: 1, output_price: 2, input_price_tiers: [[1000, 0.5, 'prompt_tokens']], output_tiers: { '500': 1 } },
        ],
      },
      'm',
    ),
  ).toMatchObject({
    input_price_tiers: [{ min_tokens: 1000, price: '0.5', condition: 'full_input_tokens' }],
    output_price_tiers: [{ min_tokens: 500, price: '1' }],
  })
})

test('a hostile feed: no number is guessed, nothing of the others is lost, names stay names', () => {
  const wild: [Json, string][] = [
    ['NaN', 'not_a_number'],
    [-1, 'negative'],
    ['-0.5', 'negative'],
    [1e308, 'too_large'],
    ['1e999', 'too_large'],
    ['1e-999', 'too_small'],
    ['9'.repeat(400), 'not_a_number'],
    ['0x10', 'not_a_number'],
    ['1,5', 'not_a_number'],
    [{ deep: 1 }, 'not_a_number'],
    [true, 'not_a_number'],
    [1e-30, 'too_small'],
  ]
  for (const [value, problem] of wild) {
    const feed = readPrices({
      data: [
        { model_name: 'bad', quota_type: 0, model_ratio: value },
        { model_name: 'good', quota_type: 0, model_ratio: 1, completion_ratio: 2 },
      ],
    })
    expect([value, feed.items.get('bad')?.problem]).toEqual([value, problem as never])
    expect(feed.items.get('good')?.problem).toBeUndefined()
  }
  const odd = readPrices(JSON.parse('{"__proto__": 5, "constructor": 6, "toString": 7}') as Json)
  expect([...odd.items.keys()].sort()).toEqual(['__proto__', 'constructor', 'toString'])
  expect(({} as Record<string, unknown>)['5']).toBeUndefined()
  const names = readPrices({
    data: [
      { id: 'x'.repeat(101), price: 1 },
      { id: 'a\nb', price: 1 },
      { id: ' ', price: 1 },
      { id: 'ok', price: 1 },
    ],
  })
  expect([...names.items.keys()]).toEqual(['ok'])
  expect(names.skipped).toBe(3)
  const many = readPrices(Object.fromEntries(Array.from({ length: 10_050 }, (_, index) => [`m${index}`, 1])))
  expect([many.items.size, many.skipped]).toEqual([10_000, 50])
})
