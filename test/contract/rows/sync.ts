import type { TestApp } from '../../app.ts'
import { card } from '../shapes.ts'
import { filled, flag, id, int, object, text, type Shape } from '../fits.ts'
import type { Ask, Params, Row, Table } from '../table.ts'

/** Model lists and price lists (contract.md 3.5, 10); what their formats mean is tested beside them (server/features/sync). */

async function prepare(app: TestApp): Promise<Params> {
  const { body } = await app.api<{ id: number }>('POST', '/api/channels', { name: 'up', base_url: 'https://127.0.0.1:1', enabled: false })
  await app.api('POST', '/api/models', { model_name: 'known', input_price: '1' })
  return { channel: body.id }
}

const item = object(
  { model_name: filled, ...card(), quota_type: int, provider: text, provider_name: text, provider_icon_url: text, exists: flag },
  'change needs_confirmation problem notes current',
)
const preview = (source: string): Shape => object({ channel_id: id, channel_name: 'up', source, models: [item] }, 'skipped gone')
const result = (source: string, created: number, updated: number): Shape => ({
  results: [{ channel_id: id, channel_name: 'up', source, created, updated }],
})
const failed = object({ channel_id: id, channel_name: 'up', source: text, created: 0, updated: 0, error: filled })

const of =
  (more: object = {}) =>
  ({ channel }: Params) => ({ channel_id: channel, ...more })
const list = { data: [{ id: 'known' }, { id: 'new' }] }
const prices = { data: { known: { input_price: '2', output_price: '4' } } }
const noChannel: Ask = { body: { payload: list, models: [{ model_name: 'x' }] }, error: 'Channel is required' }
const unknownChannel: Ask = {
  body: { channel_id: 999_999, payload: list, models: [{ model_name: 'x' }] },
  status: 500,
  error: 'Channel not found',
}
const previews = (path: string, unsupported: string): Row => ({
  at: `POST ${path}`,
  access: 'admin',
  asks: [
    noChannel,
    unknownChannel,
    { body: of({ format: 'telegraph' }), status: 500, error: `${unsupported}: telegraph` },
    { body: of({ format: 'custom' }), status: 500, error: 'custom sync path is required' },
  ],
})
const pasted = (path: string, payload: object): Row => ({
  at: `POST ${path}`,
  access: 'admin',
  asks: [
    { body: of({ payload }), gives: preview('browser') },
    { body: of({ payload, source: 'browser /v1/models' }), gives: preview('browser /v1/models') },
    { body: of(), error: 'Payload is required' },
    { body: of({ payload: null }), error: 'Payload is required' },
    noChannel,
    unknownChannel,
  ],
})

const rows: Row[] = [
  { at: 'POST /api/channels/sync', access: 'admin', asks: [{ gives: { message: 'Sync finished', results: [failed] } }] },
  {
    at: 'POST /api/models/sync',
    access: 'admin',
    asks: [
      { gives: { results: [failed] } },
      { body: ({ channel }: Params) => ({ channel_ids: [channel] }), gives: { results: [failed] } },
      { body: '{', error: 'The request body is not valid JSON' },
    ],
  },
  previews('/api/models/sync/preview', 'unsupported model list sync format'),
  pasted('/api/models/sync/preview/browser', list),
  {
    at: 'POST /api/models/sync/apply',
    access: 'admin',
    asks: [
      { body: of({ models: [{ model_name: 'known' }, { model_name: 'new', provider: 'openai' }] }), gives: result('selected', 2, 0) },
      { body: of({ models: [] }), error: 'No models selected' },
      { body: of(), error: 'No models selected' },
      noChannel,
      unknownChannel,
    ],
  },
  previews('/api/models/prices/sync/preview', 'unsupported sync format'),
  pasted('/api/models/prices/sync/preview/browser', prices),
  {
    at: 'POST /api/models/prices/sync/apply',
    access: 'admin',
    asks: [
      { body: of({ models: [{ model_name: 'known', input_price: '2' }] }), gives: result('prices', 0, 1) },
      {
        body: of({ models: [{ model_name: 'known', input_price: '0' }] }),
        status: 409,
        error: 'Some prices change by more than the allowed jump or become zero: confirm them by name: known',
      },
      { body: of({ models: [{ model_name: 'priced-by-list', input_price: '2' }] }), gives: result('prices', 1, 0) },
      { body: of({ models: [] }), error: 'No models selected' },
      noChannel,
      unknownChannel,
    ],
  },
]

export const sync: Table = { name: 'model lists and price lists', prepare, rows }
