import type { TestApp } from '../../app.ts'
import { decimal, each, filled, flag, id, object, text, time, type Shape } from '../fits.ts'
import { message } from '../shapes.ts'
import type { Params, Row, Table } from '../table.ts'

/** Meta models (contract.md 3.7); the language has tests of its own (server/relay/meta). */

const BODY = { name: 'auto', dsl: 'call "small"', billing_mode: 'actual', input_price: 0, output_price: 0, cached_input_price: 0 }

async function prepare(app: TestApp): Promise<Params> {
  await app.api('POST', '/api/models', { model_name: 'small', input_price: '1' })
  const { body } = await app.api<{ meta_model: { id: number } }>('POST', '/api/meta-models', { ...BODY, name: 'first' })
  return { meta: body.meta_model.id }
}

const MORE_PRICES =
  'input_price_tiers output_price_tiers cached_input_price_tiers cache_write_input_price cache_write_input_price_tiers cache_write_1h_input_price cache_write_1h_input_price_tiers image_input_price image_input_price_tiers image_output_price image_output_price_tiers audio_input_price audio_input_price_tiers audio_output_price audio_output_price_tiers'
const metaModel = object(
  {
    id,
    name: filled,
    description: text,
    dsl: filled,
    billing_mode: filled,
    ...each('input_price output_price cached_input_price', decimal),
    enabled: flag,
    created_at: time,
    updated_at: time,
    provider: 'meta',
    provider_name: 'Meta Module',
    provider_icon_url: '',
    expose_referenced_models: true,
  },
  MORE_PRICES,
)
const plan: Shape = { options: null, root: { kind: 'call', model: 'small' } }
const changed = (more: object): Shape => object({ meta_model: { ...metaModel, ...more }, plan }, 'diagnostics')
const faults = (more: object): Row['asks'] => [
  { ...more, body: { ...BODY, dsl: ' ' }, error: 'DSL is required' },
  { ...more, body: { ...BODY, dsl: 'call small' }, error: 'line 1:6: expected model name in double quotes after call' },
  { ...more, body: { ...BODY, dsl: 'call "gone"' }, error: 'Referenced model not found: gone' },
  { ...more, body: { ...BODY, dsl: 'call "auto"' }, error: 'Meta model cannot reference itself' },
]
const stored = (more: object): Row['asks'] => [
  { ...more, body: { ...BODY, name: ' ' }, error: 'Meta model name is required' },
  { ...more, body: { ...BODY, billing_mode: 'free' }, error: 'Invalid billing mode' },
  { ...more, body: { ...BODY, billing_mode: 'meta', input_price: -1 }, error: 'Prices must not be negative' },
  { ...more, body: { ...BODY, name: 'small' }, status: 409, error: 'A model of this name exists: a meta model would hide it' },
]

const rows: Row[] = [
  { at: 'GET /api/meta-models', access: 'support', asks: [{ gives: [metaModel] }] },
  {
    at: 'POST /api/meta-models',
    access: 'admin',
    asks: [
      ...faults({}),
      ...stored({}),
      { body: { ...BODY, input_price: 3 }, gives: changed({ name: 'auto', billing_mode: 'actual', input_price: '0', enabled: true }) },
      {
        body: { ...BODY, name: 'own', billing_mode: 'meta', input_price: 3, enabled: false },
        gives: changed({ name: 'own', billing_mode: 'meta', input_price: '3', enabled: false }),
      },
      { body: BODY, status: 409, error: 'This name is already taken' },
    ],
  },
  {
    at: 'PUT /api/meta-models/:id',
    access: 'admin',
    asks: [
      { params: { id: 'meta' }, body: { ...BODY, name: 'first', description: ' d ' }, gives: changed({ name: 'first', description: 'd' }) },
      { body: BODY, status: 404, error: 'Meta model not found' },
      { params: { id: 'x' }, body: BODY, error: 'Invalid meta model id' },
      ...stored({ params: { id: 'meta' } }),
    ],
  },
  {
    at: 'POST /api/meta-models/validate',
    access: 'support',
    asks: [...faults({}), { body: { dsl: 'call "small"' }, gives: object({ plan }, 'diagnostics formatted') }],
  },
  {
    at: 'DELETE /api/meta-models/:id',
    access: 'admin',
    asks: [
      { params: { id: 'meta' }, gives: message('Meta model deleted') },
      { params: { id: 'meta' }, gives: message('Meta model deleted') },
      { params: { id: 'x' }, error: 'Invalid meta model id' },
    ],
  },
]

export const metaModels: Table = { name: 'meta models', prepare, rows }
