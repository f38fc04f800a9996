import type { TestUser } from '../app.ts'

/** A write with what it needs to succeed. */
export interface Step {
  /** `METHOD /path/:id`. */
  name: string
  body?: unknown
  /** Path parameters; whatever the step before made, unless given. */
  id?: () => number | string
  /** As this user instead of an administrator. */
  as?: 'user' | 'leaver'
}

/** No other text of a test has it. */
export const SECRET = 'canary-Zq81vWm3Xt'

/** Ids of what the steps before made, by area: `keep` adds to it. */
export type Made = Record<string, number>

/** Every write of an administrator, and every write a user makes to the safety of his account, in this order: what is made first is used later. */
export function writesOf(made: Made, user: TestUser): Step[] {
  const of = (area: string) => () => made[area] ?? 0
  const key = () => ({ allowed_user_channels: [made['user-channels']] })
  return [
    { name: 'PUT /api/settings', body: { site_name: 'Audited', oidc_client_secret: SECRET } },
    { name: 'POST /api/groups', body: { name: 'g', multiplier: '1' } },
    { name: 'PUT /api/groups/:id', id: of('groups'), body: { name: 'g2', multiplier: '1.5' } },
    { name: 'POST /api/user-channels', body: { name: 'u' } },
    { name: 'PUT /api/user-channels/:id', id: of('user-channels'), body: { name: 'u2', enabled: true } },
    { name: 'PUT /api/user-channels/:id/allowed-groups', id: of('user-channels'), body: () => ({ group_ids: [made['groups']] }) },
    { name: 'PUT /api/user-channels/:id/allowed-groups', id: of('user-channels'), body: { group_ids: [] } },
    {
      name: 'POST /api/channels',
      body: () => ({
        name: 'c',
        type: 'openai',
        base_url: 'https://example.com/v1',
        api_key: SECRET,
        user_channel_id: made['user-channels'],
      }),
    },
    {
      name: 'PUT /api/channels/:id',
      id: of('channels'),
      body: { name: 'c2', type: 'openai', base_url: 'https://example.com/v1', api_key: `${SECRET}2` },
    },
    {
      name: 'PUT /api/channels/:id/group-multipliers',
      id: of('channels'),
      body: () => [{ group_id: made['groups'], multiplier: '2' }],
    },
    { name: 'POST /api/channels/:id/health/reset', id: of('channels') },
    { name: 'POST /api/models', body: { model_name: 'm', input_price: '1', output_price: '2' } },
    { name: 'PUT /api/models/:id', id: of('models'), body: { model_name: 'm', input_price: '3', output_price: '2' } },
    {
      name: 'POST /api/channels/:id/models',
      id: of('channels'),
      body: () => ({ channel_id: made['channels'], model_id: made['models'], model_name: 'm', upstream_model_name: 'm' }),
    },
    {
      name: 'PUT /api/channel-models/:id',
      id: of('bindings'),
      body: () => ({ model_id: made['models'], model_name: 'm', upstream_model_name: 'other' }),
    },
    {
      name: 'PUT /api/channel-models/:id/group-multipliers',
      id: of('bindings'),
      body: () => [{ group_id: made['groups'], multiplier: '2' }],
    },
    { name: 'POST /api/models/sync/apply', body: () => ({ channel_id: made['channels'], models: [{ model_name: 'synced' }] }) },
    {
      name: 'POST /api/models/prices/sync/apply',
      body: () => ({ channel_id: made['channels'], models: [{ model_name: 'synced', input_price: '1', output_price: '1' }] }),
    },
    { name: 'POST /api/meta-models', body: { name: 'meta', dsl: 'call "m"', enabled: true } },
    { name: 'PUT /api/meta-models/:id', id: of('meta-models'), body: { name: 'meta', dsl: 'call "synced"', enabled: true } },
    { name: 'DELETE /api/meta-models/:id', id: of('meta-models') },
    { name: 'POST /api/announcements', body: { title: 't', content: 'c' } },
    { name: 'PUT /api/announcements/:id', id: of('announcements'), body: { title: 't2', content: 'c' } },
    { name: 'DELETE /api/announcements/:id', id: of('announcements') },
    { name: 'POST /api/status-monitors', body: { name: 'up', target_url: 'https://up.example.test/', enabled: false } },
    { name: 'PUT /api/status-monitors/:id', id: of('status-monitors'), body: { name: 'up2', target_url: 'https://up.example.test/' } },
    { name: 'DELETE /api/status-monitors/:id', id: of('status-monitors') },
    { name: 'POST /api/redeem-codes', body: { amount: '1', max_uses: 1 } },
    { name: 'PUT /api/redeem-codes/:id', id: of('redeem-codes'), body: { amount: '2', max_uses: 1 } },
    { name: 'DELETE /api/redeem-codes/:id', id: of('redeem-codes') },
    { name: 'POST /api/redeem-codes/bulk', body: { amount: '1', max_uses: 1, count: 2 } },
    { name: 'POST /api/user/api-keys', as: 'user', body: key },
    { name: 'PUT /api/user/api-keys/:id', as: 'user', id: of('api-keys'), body: () => ({ ...key(), name: 'renamed' }) },
    { name: 'POST /api/user/api-keys/:id/rotate', as: 'user', id: of('api-keys'), body: { grace_seconds: 60 } },
    { name: 'POST /api/user/api-keys/:id/reset-usage', as: 'user', id: of('api-keys') },
    { name: 'POST /api/user/api-key/rotate', as: 'user' },
    { name: 'DELETE /api/user/api-keys/:id', as: 'user', id: of('api-keys') },
    { name: 'POST /api/user/reauth', as: 'user', body: () => ({ password: user.password }) },
    { name: 'DELETE /api/user/sessions/:id', as: 'user', id: () => 'others' },
    {
      name: 'POST /api/user/password/change',
      as: 'user',
      body: () => ({ new_password: `${SECRET} as a password`, current_password: user.password }),
    },
    { name: 'PUT /api/users/:id', id: () => user.id, body: { role: 'support', balance: '5' } },
    { name: 'POST /api/users/:id/adjustments', id: () => user.id, body: { amount: '1', reason: 'a gift' } },
    { name: 'DELETE /api/users/:id/sessions', id: () => user.id },
    { name: 'DELETE /api/users/:id', id: () => user.id },
    { name: 'DELETE /api/channel-models/:id', id: of('bindings') },
    { name: 'DELETE /api/models/:id', id: of('models') },
    { name: 'DELETE /api/channels/:id', id: of('channels') },
    { name: 'DELETE /api/user-channels/:id', id: of('user-channels') },
    { name: 'DELETE /api/groups/:id', id: of('groups') },
    { name: 'POST /auth/logout', as: 'leaver' },
  ]
}

/** What a step sends: some bodies name what was made before. */
export function bodyOf({ body }: Step): unknown {
  return typeof body === 'function' ? (body as () => unknown)() : body
}

/** Keeps the id of what an answer says was made. */
export function keep(made: Made, name: string, answer: unknown): void {
  const [method = '', path = ''] = name.split(' ')
  const { id, key, meta_model: meta } = (answer ?? {}) as { id?: number; key?: { id: number }; meta_model?: { id: number } }
  const area = path.startsWith('/api/channels/:id/models') ? 'bindings' : (path.split('/')[path.includes('/user/') ? 3 : 2] ?? '')
  if (method === 'POST' && !made[area]) made[area] = key?.id ?? meta?.id ?? id ?? 0
}
