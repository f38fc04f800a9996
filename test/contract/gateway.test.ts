import { afterAll, beforeAll, expect, test } from 'bun:test'
import { serve, type Served } from '../served.ts'
import { startPlainUpstream } from '../upstream/plain.ts'
import { Upstream } from '../upstream/server.ts'
import { faultsOf } from './fits.ts'
import { errorForms, gatewayRows, MODEL, type GatewayRow } from './rows/gateway.ts'

/** One row a gateway route: its answer, and each refusal of contract.md 1.4 and 6.2 with its text, in the words of its protocol. */
const types = { openai: 'openai', claude: 'claude', gemini: 'gemini' } as const

/** A database of its own on a busy machine. */
const BUSY_MS = 30_000
let served: Served
let keys: Record<'good' | 'narrow' | 'foreign' | 'unreadable' | 'spent' | 'poor', string>
const upstream = await Upstream.start()
const painter = startPlainUpstream()

beforeAll(async () => {
  served = await serve()
  const { site, test: app } = served
  painter.answer = () =>
    Response.json({ created: 1, data: [{ b64_json: 'AA==' }], usage: { input_tokens: 1, output_tokens: 2, total_tokens: 3 } })
  // A user channel a protocol: each route is answered by an upstream of its own.
  const bound: Record<string, number> = {}
  for (const type of [...Object.values(types), 'responses', 'images']) {
    const { id } = await site.api<{ id: number }>('POST', '/api/user-channels', { name: type })
    const images = type === 'images'
    const base = images ? `${painter.url}/v1` : upstream.url
    const channel = await site.addChannel({ baseUrl: base, type: images ? 'openai' : type, name: type, userChannelId: id })
    await site.sell(channel, MODEL)
    bound[type] = id
  }
  await site.api('POST', '/api/models', { model_name: 'unserved', input_price: '1' })
  const poor = await app.user('poor')
  const make = async (token: string, more: object): Promise<string> => {
    const { body } = await app.api<{ api_key: string }>(
      'POST',
      '/api/user/api-keys',
      { allowed_user_channels: Object.values(bound), ...more },
      token,
    )
    return body.api_key
  }
  keys = {
    good: await make(site.token, {}),
    narrow: await make(site.token, { allowed_models: ['another'] }),
    foreign: await make(site.token, { allowed_ips: ['203.0.113.0/24'] }),
    unreadable: await make(site.token, { name: 'unreadable', allowed_ips: ['203.0.113.0/24'] }),
    spent: await make(site.token, { quota_limit: '0.0000000001' }),
    poor: await make(poor.token, {}),
  }
  // As it may have come from another gateway.
  await app.deps.db.query.updateTable('api_keys').set({ allowed_ips: '["somewhere"]' }).where('name', '=', 'unreadable').execute()
}, BUSY_MS)
afterAll(async () => {
  await served.close()
  await upstream.stop()
  await painter.stop()
}, BUSY_MS)

interface Answer {
  status: number
  body: unknown
}
const ask = async ({ at, path, body }: GatewayRow, key: string | null, model = MODEL): Promise<Answer> => {
  const address = served.url + path.replace(MODEL, model)
  const response = await fetch(address, {
    method: at.startsWith('GET') ? 'GET' : 'POST',
    headers: { 'content-type': 'application/json', ...(key === null ? {} : { authorization: `Bearer ${key}` }) },
    ...(body && { body: JSON.stringify(path.includes(MODEL) ? body : { model, ...body }) }),
  })
  return { status: response.status, body: await response.json() }
}

for (const row of gatewayRows)
  test(`${row.at}: its answer, and each refusal in the words of ${row.words}`, async () => {
    const only = row.path.includes('images') ? 'images' : row.path.endsWith('responses') ? 'responses' : types[row.words]
    const site = served.site
    const channel = (await site.api<{ id: number; name: string }[]>('GET', '/api/user-channels')).find(({ name }) => name === only)
    const { secret } = await site.addKey({ userChannels: [channel?.id ?? 0] })
    const answer = await ask(row, secret)
    expect([answer.status, faultsOf(answer.body, row.gives)]).toEqual([200, []])
    const expectRefusal = async (status: number, message: string, key: string | null, model?: string): Promise<void> => {
      const refused = await ask(row, key, model)
      const name = `${status} ${message}`
      expect([name, refused.status, faultsOf(refused.body, errorForms[row.words](message))]).toEqual([name, status, []])
    }
    await expectRefusal(401, 'Authorization is required', null)
    await expectRefusal(401, 'Invalid API key', 'sk-nobodys')
    await expectRefusal(401, 'Invalid session', 'no-token')
    await expectRefusal(403, 'API key is not allowed from this IP', keys.foreign)
    await expectRefusal(403, 'API key is not allowed from this IP', keys.unreadable)
    if (!row.body) return
    await expectRefusal(404, 'The model `made-up` does not exist', keys.good, 'made-up')
    await expectRefusal(403, 'API key is not allowed to use this model', keys.narrow)
    await expectRefusal(503, 'No available channel for this model', keys.good, 'unserved')
    await expectRefusal(402, 'Insufficient balance', keys.poor)
    await expectRefusal(402, 'API key quota exceeded', keys.spent)
    if (row.path.includes(MODEL)) return
    await expectRefusal(400, 'Model not specified', keys.good, '')
    await expectRefusal(400, 'Model not specified', keys.good, 'models/')
  })

test(
  'an address that is none, and an unknown or missing action of a Gemini address, are 404',
  async () => {
    for (const path of [`/v1beta/models/${MODEL}:dream`, `/v1beta/models/${MODEL}:`, '/v1beta/models/:generateContent', '/v1/nothing']) {
      const response = await served.post(path, { contents: [] })
      expect([path, response.status, await response.json()]).toEqual([path, 404, { error: 'Not found' }])
    }
  },
  BUSY_MS,
)
