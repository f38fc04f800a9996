// long file: one table, rows for each operation
import type { TestApp } from '../../app.ts'
import { allowedGroup, channel, channelModel, channelOverride, group, message, model, modelOverride, page, userChannel } from '../shapes.ts'
import type { Ask, Params, Row, Table } from '../table.ts'

/** Channels, what they carry, models, user channels and groups (contract.md 3.5). */

async function prepare(app: TestApp): Promise<Params> {
  const make = async (path: string, body: object): Promise<number> => (await app.api<{ id: number }>('POST', path, body)).body.id
  const [first] = (await app.api<{ id: number }[]>('GET', '/api/user-channels')).body
  const [everyone] = (await app.api<{ id: number }[]>('GET', '/api/groups')).body
  const upstream = { name: 'up', base_url: 'https://up.example.test' }
  const used = await make('/api/channels', upstream)
  const vip = await make('/api/groups', { name: 'vip', multiplier: '0.5' })
  await make('/api/models', { model_name: 'priced', input_price: '2.5', output_price: '10' })
  return {
    userChannel: first?.id ?? 0,
    everyone: everyone?.id ?? 0,
    channel: used,
    spare: await make('/api/channels', { ...upstream, name: 'spare' }),
    vip,
    unused: await make('/api/groups', { name: 'unused' }),
    model: await make('/api/models', { model_name: 'other', input_price: '1' }),
    doomed: await make('/api/models', { model_name: 'doomed', input_price: '1' }),
    binding: await make(`/api/channels/${used}/models`, { model_name: 'priced' }),
    loose: await make(`/api/channels/${used}/models`, { model_name: 'doomed' }),
    aside: await make('/api/user-channels', { name: 'aside' }),
  }
}

const notAnId = (what: string): Ask => ({ params: { id: 'x' }, error: `Invalid ${what} id` })
const missing = (error: string, body?: unknown): Ask => ({ status: 404, error, ...(body === undefined ? {} : { body }) })
/** The decoder's own words are nobody's to match on (1.2); ours are the same everywhere. */
const noJson: Ask = { params: { id: 'channel' }, body: '{', error: 'The request body is not valid JSON' }
const unsafe = 'Unsafe or invalid base URL'
const overrides = (multiplier: unknown) => (params: Params) => [
  { group_id: params.vip, multiplier },
  { group_id: 0, multiplier: 3 },
]
/** 400 and the text that says what to do instead (W47). */
const NO_ZERO = 'A multiplier of 0 would mean free: to give a model away mark the model as free, to make it cheaper use a small multiplier'

const channels: Row[] = [
  {
    at: 'GET /api/channels',
    access: 'support',
    asks: [{ gives: [channel] }, { query: '?page=1&page_size=1', gives: page(channel) }, { query: '?q=spa&page=1', gives: page(channel) }],
  },
  {
    at: 'POST /api/channels',
    access: 'admin',
    asks: [
      {
        body: (params: Params) => ({
          user_channel_id: params.userChannel,
          name: 'made',
          type: 'openai',
          base_url: 'https://up.example.test/v1',
          api_key: 'sk-secret-of-the-upstream',
          priority: 1,
          weight: 1,
          enabled: true,
        }),
        gives: {
          ...channel,
          name: 'made',
          type: 'openai',
          api_key: '********ream',
          multiplier: '1',
          priority: 1,
          weight: 1,
          enabled: true,
        },
      },
      {
        body: { name: 'least', base_url: 'https://up.example.test', enabled: false, priority: 0, weight: 0, multiplier: 0.5 },
        gives: {
          ...channel,
          type: 'openai',
          api_key: '',
          multiplier: '0.5',
          priority: 0,
          weight: 0,
          enabled: false,
          price_sync_enabled: false,
          price_sync_cron: '0 * * * *',
          models: [channelModel],
        },
      },
      noJson,
      { body: { name: 'bad' }, error: unsafe },
      { body: { name: 'bad', base_url: 'ftp://up.example.test' }, error: unsafe },
      { body: { name: 'bad', base_url: '/v1' }, error: unsafe },
      { body: { name: '', base_url: 'https://up.example.test' }, error: 'Channel name is required' },
      { body: { name: 'bad', base_url: 'https://up.example.test', user_channel_id: 999_999 }, error: 'User channel not found' },
      {
        body: { name: 'bad', base_url: 'https://up.example.test', price_sync_cron: 'daily' },
        error: 'invalid price sync cron: expected five fields or a descriptor such as @hourly',
      },
    ],
  },
  {
    at: 'PUT /api/channels/:id',
    access: 'admin',
    asks: [
      { params: { id: 'channel' }, body: { weight: 4 }, gives: { ...channel, name: 'up', weight: 4, priority: 1, enabled: true } },
      { params: { id: 'channel' }, body: { created_at: 'x', models: [], user_channel: {} }, gives: { ...channel, weight: 4 } },
      missing('Channel not found', {}),
      notAnId('channel'),
      noJson,
      { params: { id: 'channel' }, body: { base_url: 'x' }, error: unsafe },
    ],
  },
  {
    at: 'PUT /api/channels/:id/group-multipliers',
    access: 'admin',
    asks: [
      { params: { id: 'channel' }, body: overrides(0.8), gives: [{ ...channelOverride, multiplier: '0.8' }] },
      { params: { id: 'channel' }, body: overrides('1.5'), gives: [{ ...channelOverride, multiplier: '1.5' }] },
      { params: { id: 'channel' }, body: [{ group_id: 999_999, multiplier: 1 }], error: 'Group not found: 999999' },
      { params: { id: 'channel' }, body: overrides(0), gives: [channelOverride] },
      missing('Channel not found', []),
      notAnId('channel'),
      noJson,
    ],
  },
  {
    at: 'GET /api/channels/:id/models',
    access: 'support',
    asks: [{ params: { id: 'channel' }, gives: [{ ...channelModel, model }] }, { gives: [channelModel] }, notAnId('channel')],
  },
  {
    at: 'POST /api/channels/:id/models',
    access: 'admin',
    asks: [
      {
        params: { id: 'channel' },
        body: (params: Params) => ({
          channel_id: params.channel,
          model_id: 0,
          model_name: 'made-by-binding',
          upstream_model_name: '',
          provider: '',
          provider_icon_url: '',
          enabled: true,
        }),
        gives: { ...channelModel, model, model_name: 'made-by-binding', upstream_model_name: 'made-by-binding', enabled: true },
      },
      {
        params: { id: 'spare' },
        body: (params: Params) => ({ model_id: params.model, enabled: false }),
        gives: { ...channelModel, model, model_name: 'other', enabled: false },
      },
      notAnId('channel'),
      { params: { id: 'channel' }, body: {}, error: 'Model is required' },
      { params: { id: 'channel' }, body: { model_id: 999_999 }, error: 'record not found' },
      { body: { model_name: 'x' }, status: 404, error: 'Channel not found' },
      noJson,
    ],
  },
  {
    at: 'PUT /api/channel-models/:id',
    access: 'admin',
    asks: [
      {
        params: { id: 'binding' },
        body: { upstream_model_name: 'theirs', enabled: false },
        gives: { ...channelModel, model_name: 'priced', upstream_model_name: 'theirs', enabled: false },
      },
      {
        params: { id: 'binding' },
        body: (params: Params) => ({ channel_id: params.spare, model_name: 'priced' }),
        gives: { ...channelModel, enabled: false },
      },
      missing('Model config not found', {}),
      notAnId('model config'),
      { ...noJson, params: { id: 'binding' } },
    ],
  },
  {
    at: 'PUT /api/channel-models/:id/group-multipliers',
    access: 'admin',
    asks: [
      { params: { id: 'binding' }, body: overrides('2'), gives: [{ ...modelOverride, multiplier: '2' }] },
      { params: { id: 'binding' }, body: [], gives: [modelOverride] },
      missing('Model config not found', []),
      notAnId('model config'),
    ],
  },
  {
    at: 'DELETE /api/channel-models/:id',
    access: 'admin',
    asks: [
      { params: { id: 'loose' }, gives: message('Model config deleted') },
      { params: { id: 'loose' }, gives: message('Model config deleted') },
      notAnId('model config'),
    ],
  },
  {
    at: 'DELETE /api/channels/:id',
    access: 'admin',
    asks: [
      { params: { id: 'spare' }, gives: message('Channel deleted') },
      { params: { id: 'spare' }, gives: message('Channel deleted') },
      notAnId('channel'),
    ],
  },
]

const prices = { input_price: '2.5', output_price: 10, cached_input_price: '0.0000125' }
const tiers = [
  { min_tokens: 1000, price: 5 },
  { min_tokens: -1, price: 9 },
]
const models: Row[] = [
  {
    at: 'GET /api/models',
    access: 'support',
    asks: [{ gives: [model] }, { query: '?page=1', gives: page(model) }, { query: '?q=PRICED&page=1', gives: page(model) }],
  },
  {
    at: 'POST /api/models',
    access: 'admin',
    asks: [
      {
        body: { model_name: 'gpt-made', ...prices, input_price_tiers: tiers, enabled: false },
        gives: {
          ...model,
          model_name: 'gpt-made',
          provider: 'openai',
          provider_icon_url: '',
          input_price: '2.5',
          output_price: '10',
          cached_input_price: '0.0000125',
          audio_output_price: '0',
          input_price_tiers: [{ min_tokens: 1000, price: '5' }],
          output_price_tiers: null,
          enabled: false,
          quota_type: 0,
        },
      },
      {
        body: { model_name: 'nothing-said' },
        gives: { ...model, input_price: '0', enabled: true, provider: 'custom', provider_icon_url: '' },
      },
      noJson,
      { body: {}, error: 'Model is required' },
      { body: { model_name: ' ' }, error: 'Model is required' },
      { body: { model_name: 'minus', input_price: '-1' }, error: 'input_price: must not be negative' },
      { body: { model_name: 'priced' }, status: 409, error: 'This name is already taken' },
    ],
  },
  {
    at: 'PUT /api/models/:id',
    access: 'admin',
    asks: [
      {
        params: { id: 'model' },
        body: { model_name: '', output_price: '3' },
        gives: { ...model, model_name: 'other', input_price: '0', output_price: '3', enabled: true },
      },
      missing('Model not found', {}),
      notAnId('model'),
      { ...noJson, params: { id: 'model' } },
      { params: { id: 'model' }, body: { model_name: 'priced', output_price: '3' }, status: 409, error: 'This name is already taken' },
    ],
  },
  {
    at: 'DELETE /api/models/:id',
    access: 'admin',
    asks: [
      { params: { id: 'doomed' }, gives: message('Model deleted') },
      { params: { id: 'doomed' }, gives: message('Model deleted') },
      notAnId('model'),
    ],
  },
]

const userChannels: Row[] = [
  {
    at: 'GET /api/user-channels',
    access: 'support',
    asks: [
      { gives: [{ ...userChannel, channels: [channel] }] },
      { query: '?page=1', gives: page({ ...userChannel, channels: [channel] }) },
    ],
  },
  {
    at: 'POST /api/user-channels',
    access: 'admin',
    asks: [
      {
        body: { name: 'made', description: 'd', multiplier: 1.5, routing_algorithm: 'weighted', enabled: false },
        gives: {
          ...userChannel,
          multiplier: '1.5',
          routing_algorithm: 'weighted_round_robin',
          enabled: false,
          allowed_groups: [allowedGroup],
        },
      },
      {
        body: { name: 'least', routing_algorithm: 'by the moon' },
        gives: { ...userChannel, description: '', multiplier: '1', routing_algorithm: 'priority', enabled: true },
      },
      ...['rr', 'roundrobin'].map((word) => ({
        body: { name: word, routing_algorithm: word },
        gives: { ...userChannel, routing_algorithm: 'round_robin' },
      })),
      ...['wrr', 'weighted_roundrobin'].map((word) => ({
        body: { name: word, routing_algorithm: word },
        gives: { ...userChannel, routing_algorithm: 'weighted_round_robin' },
      })),
      noJson,
      { body: {}, error: 'User channel name is required' },
      { body: { name: 'made' }, status: 409, error: 'This name is already taken' },
      { body: { name: 'nought', multiplier: 0 }, error: NO_ZERO },
    ],
  },
  {
    at: 'PUT /api/user-channels/:id',
    access: 'admin',
    asks: [
      {
        params: { id: 'userChannel' },
        body: { description: 'new' },
        gives: { ...userChannel, name: 'default', description: 'new', multiplier: '1', routing_algorithm: 'priority', enabled: true },
      },
      missing('User channel not found', {}),
      notAnId('user channel'),
    ],
  },
  {
    at: 'PUT /api/user-channels/:id/allowed-groups',
    access: 'admin',
    asks: [
      { params: { id: 'userChannel' }, body: (params: Params) => [params.vip], gives: [allowedGroup] },
      { params: { id: 'userChannel' }, body: { group_ids: [] }, gives: [allowedGroup] },
      missing('User channel not found', []),
      notAnId('user channel'),
    ],
  },
  {
    at: 'DELETE /api/user-channels/:id',
    access: 'admin',
    asks: [
      { params: { id: 'aside' }, gives: message('User channel deleted') },
      { params: { id: 'aside' }, gives: message('User channel deleted') },
      notAnId('user channel'),
    ],
  },
]

const groups: Row[] = [
  { at: 'GET /api/groups', access: 'support', asks: [{ gives: [group] }, { query: '?page=1', gives: page(group) }] },
  {
    at: 'POST /api/groups',
    access: 'admin',
    asks: [
      { body: { name: 'made' }, gives: { ...group, name: 'made', multiplier: '1' } },
      { body: { name: 'half', multiplier: 0.5 }, gives: { ...group, multiplier: '0.5' } },
      { body: {}, error: 'Group name is required' },
      { body: { name: ' ' }, error: 'Group name is required' },
      { body: { name: 'made' }, status: 409, error: 'This name is already taken' },
      noJson,
    ],
  },
  {
    at: 'PUT /api/groups/:id',
    access: 'admin',
    asks: [
      { params: { id: 'vip' }, body: { name: 'VIP', multiplier: '0.25' }, gives: { ...group, name: 'VIP', multiplier: '0.25' } },
      missing('Group not found', {}),
      notAnId('group'),
      { params: { id: 'vip' }, body: { name: '' }, error: 'Group name is required' },
      { params: { id: 'everyone' }, body: { name: 'all' }, error: 'Default user group cannot be renamed' },
      { params: { id: 'vip' }, body: { name: 'made' }, status: 409, error: 'This name is already taken' },
    ],
  },
  {
    at: 'DELETE /api/groups/:id',
    access: 'admin',
    asks: [
      { params: { id: 'unused' }, gives: message('Group deleted') },
      missing('Group not found'),
      notAnId('group'),
      { params: { id: 'everyone' }, error: 'Default user group cannot be deleted' },
    ],
  },
]

export const catalog: Table = { name: 'channels, models and groups', prepare, rows: [...channels, ...models, ...userChannels, ...groups] }
