import type { TestApp } from '../../app.ts'
import { OWNER } from '../../site.ts'
import { decimal, each, filled, id, inOrder, int, nullable, object, optional, text, type Check, type Shape } from '../fits.ts'
import { bareUser, card, tier } from '../shapes.ts'
import type { Params, Row, Table } from '../table.ts'

/** What everybody sees, and the first setup (contract.md 3.1). */

async function prepare(app: TestApp): Promise<Params> {
  const make = async (path: string, body: object): Promise<number> => (await app.api<{ id: number }>('POST', path, body)).body.id
  const dear = await make('/api/user-channels', { name: 'dear', multiplier: '2' })
  const prices = { input_price: '2', output_price: '8', cached_input_price: '0.5', input_price_tiers: [{ min_tokens: 1000, price: '1' }] }
  await make('/api/models', { model_name: 'gpt-sold', ...prices })
  await make('/api/models', { model_name: 'unserved', ...prices })
  await make('/api/meta-models', { name: 'both', description: 'Of the two', dsl: 'call "gpt-sold"' })
  for (const place of [{}, { user_channel_id: dear }]) {
    const channel = await make('/api/channels', { name: 'up', base_url: 'https://up.example.test', ...place })
    await make(`/api/channels/${channel}/models`, { model_name: 'gpt-sold' })
  }
  return { dear }
}

const offer = object({ id, name: filled, description: text, multiplier: decimal, ...card(), ...card('effective_') })
const sold: Record<string, Shape> = {
  model_name: filled,
  description: optional(filled),
  provider: filled,
  provider_name: filled,
  provider_icon_url: text,
  is_meta_model: false,
  meta_billing_mode: optional(filled),
  quota_type: int,
  ...card(),
  user_channels: [offer],
}
const real = object(
  { ...sold, model_name: 'gpt-sold', provider: 'openai', provider_name: 'OpenAI', input_price: '2', output_price: '8' },
  'free',
)
const meta = object(
  {
    ...sold,
    model_name: 'both',
    description: 'Of the two',
    provider: 'meta',
    provider_name: 'Meta Module',
    is_meta_model: true,
    meta_billing_mode: 'actual',
    input_price: '2',
    referenced_models: [real],
  },
  'free',
)

/** A map from each model to the form. */
const byModel =
  (shape: Shape): Check =>
  (value) => {
    const entries = Object.entries(value ?? {})
    const names = entries.map(([name]) => name).join(' ')
    return names === 'gpt-sold' && typeof shape === 'function'
      ? shape(entries[0]?.[1])
      : names === 'gpt-sold'
        ? undefined
        : `models: ${names}`
  }
const PRICES =
  'input_price output_price cached_input_price cache_read_input_price cache_write_input_price cache_write_1h_input_price image_input_price image_output_price audio_input_price audio_output_price'
const maps = (before = ''): Record<string, Shape> => ({
  ...each(PRICES.replaceAll(/\w+/g, `${before}$&`), byModel(decimal)),
  ...each(PRICES.replaceAll(/\w+/g, `${before}$&_tiers`), byModel(nullable([tier]))),
})
const ratios = { model_ratio: byModel(decimal), completion_ratio: byModel(decimal) }
const channelPrices = (name: string): Shape => ({ id, name, description: text, multiplier: decimal, ...ratios, ...maps() })
const pricing = (channels: string[]): Shape => ({
  success: true,
  message: '',
  data: {
    unit: 'per_1m_tokens',
    quota_type: { 'gpt-sold': 0 },
    ...ratios,
    ...maps(),
    ...maps('base_'),
    user_channel_prices: Object.fromEntries(channels.map((name) => [name, channelPrices(name)])),
  },
})

const rows: Row[] = [
  { at: 'GET /health', access: 'public', asks: [{ gives: { status: 'ok' } }] },
  {
    at: 'GET /api/public/models',
    access: 'public',
    asks: [{ gives: inOrder(meta, real) }],
  },
  {
    at: 'GET /api/pricing',
    access: 'public',
    asks: [
      { status: 404, error: 'Not found' },
      { settings: { pricing_endpoint_enabled: true }, gives: pricing(['default', 'dear']) },
      { settings: { pricing_endpoint_enabled: true }, query: '?user_channel_id=0', gives: pricing(['default', 'dear']) },
      { settings: { pricing_endpoint_enabled: true }, query: '?user_channel_id=', gives: pricing(['default', 'dear']) },
      { settings: { pricing_endpoint_enabled: true }, query: ({ dear }) => `?user_channel_id=${dear}`, gives: pricing(['dear']) },
      { settings: { pricing_endpoint_enabled: true }, query: '?user_channel_id=x', error: 'Invalid user_channel_id' },
    ],
  },
]

export const publicSite: Table = { name: 'what everybody sees', prepare, rows }

/** In this order: each answer of `status` is about what was done before. */
export const firstSetup: Table = {
  name: 'the first setup',
  setUp: false,
  rows: [
    { at: 'GET /api/setup/status', access: 'public', asks: [{ gives: { required: true } }] },
    {
      at: 'POST /api/setup',
      access: 'public',
      asks: [
        { body: { ...OWNER, site_name: ' ' }, error: 'site name is required' },
        { body: { ...OWNER, site_name: 'x'.repeat(81) }, error: 'site name is too long' },
        { body: { ...OWNER, username: '' }, error: 'username is required' },
        { body: { ...OWNER, username: 'ab' }, error: 'username is too short' },
        { body: { ...OWNER, email: 'nobody' }, error: 'valid email is required' },
        { body: { ...OWNER, email: `${'x'.repeat(100)}@a` }, error: 'email is too long' },
        { body: { ...OWNER, password: '1234567' }, error: 'password must be at least 8 characters' },
        {
          body: OWNER,
          gives: { token: filled, user: { ...bareUser, is_admin: true, email_verified: true, balance: '0' } },
        },
        { body: OWNER, status: 409, error: 'Initial setup is already complete' },
      ],
    },
  ],
}
