/**
 * Sets up a running Tollgate over HTTP as an owner would, for tests and benchmarks: everything goes through the public
 * API, nothing through the back door.
 */
export interface Site {
  readonly base: string
  readonly token: string
  readonly userId: number
  /** Calls the API with the owner's session; throws with the answer's text when it fails. */
  api<T>(method: string, path: string, body?: unknown): Promise<T>
  addChannel(input: {
    baseUrl: string
    type?: string
    name?: string
    priority?: number
    weight?: number
    key?: string
    userChannelId?: number
  }): Promise<number>
  /** Sells a model on a channel; prices per million tokens. */
  sell(channelId: number, model: string, prices?: Record<string, string>, upstreamModel?: string): Promise<void>
  addKey(options?: { quotaLimit?: string; userChannels?: number[]; allowedModels?: string[] }): Promise<{ id: number; secret: string }>
  balance(): Promise<string>
  setBalance(amount: string): Promise<void>
}

export const OWNER = { site_name: 'Test site', username: 'owner', email: 'owner@example.test', password: 'correct horse battery' }

/** What every site here needs: no rate limit in the way, and an upstream on this machine allowed. */
const SETTINGS = { rate_limit_enabled: false, ssrf_allowed_hosts: '127.0.0.1' }

/** The first start: owner, settings, nothing to sell yet. */
export async function setUpSite(base: string, request: typeof fetch = fetch): Promise<Site> {
  const { token, user } = await call<{ token: string; user: { id: number } }>(request, base, 'POST', '/api/setup', OWNER)
  const site = siteOf(base, token, user.id, request)
  await site.api('PUT', '/api/settings', SETTINGS)
  return site
}

/** A site that is set up already, with its owner's session. */
export function siteOf(base: string, token: string, userId: number, request: typeof fetch): Site {
  const api = <T>(method: string, path: string, body?: unknown): Promise<T> => call<T>(request, base, method, path, body, token)
  return {
    base,
    token,
    userId,
    api,
    async addChannel({ baseUrl, type = 'openai', name = 'upstream', priority = 1, weight = 1, key = 'upstream-secret', userChannelId }) {
      const userChannels = await api<{ id: number }[]>('GET', '/api/user-channels')
      const { id } = await api<{ id: number }>('POST', '/api/channels', {
        name,
        type,
        base_url: baseUrl,
        api_key: key,
        priority,
        weight,
        enabled: true,
        user_channel_id: userChannelId ?? userChannels[0]?.id,
      })
      return id
    },
    async sell(channelId, model, prices = { input_price: '2.5', output_price: '10', cached_input_price: '1.25' }, upstreamModel = model) {
      const models = await api<{ id: number; model_name: string }[]>('GET', '/api/models')
      if (!models.some(({ model_name: name }) => name === model)) await api('POST', '/api/models', { model_name: model, ...prices })
      await api('POST', `/api/channels/${channelId}/models`, {
        channel_id: channelId,
        model_id: 0,
        model_name: model,
        upstream_model_name: upstreamModel,
      })
    },
    async addKey({ quotaLimit, userChannels, allowedModels } = {}) {
      const all = userChannels ?? (await api<{ id: number }[]>('GET', '/api/user-channels')).slice(0, 1).map(({ id }) => id)
      const made = await api<{ api_key: string; key: { id: number } }>('POST', '/api/user/api-keys', {
        name: 'test',
        allowed_user_channels: all,
        allowed_models: allowedModels ?? [],
        ...(quotaLimit === undefined ? {} : { quota_limit: quotaLimit }),
      })
      return { id: made.key.id, secret: made.api_key }
    },
    async balance() {
      return (await api<{ balance: string }>('GET', '/api/user/me')).balance
    },
    async setBalance(amount) {
      await api('PUT', `/api/users/${userId}`, { balance: amount })
    },
  }
}

async function call<T>(request: typeof fetch, base: string, method: string, path: string, body?: unknown, token?: string): Promise<T> {
  const headers: Record<string, string> = { 'content-type': 'application/json' }
  if (token !== undefined) headers['authorization'] = `Bearer ${token}`
  const response = await request(`${base}${path}`, { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) })
  const text = await response.text()
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text.slice(0, 500)}`)
  return JSON.parse(text) as T
}
