import { afterAll, beforeAll, expect, test } from 'bun:test'
import { startGateway } from '../../server/relay/start.ts'
import { createTestApp, type TestApp } from '../app.ts'
import { siteOf, type Site } from '../site.ts'
import { names, targetsOf } from './targets.ts'

/** Loopback addresses of their own: a listener there sees nothing of what goes to 127.0.0.1. */
const STAND_IN = '127.9.9.9'
const OWNERS = '127.8.8.8'

/** The guard does not know the database: there one target in six is enough. */
const STEP = process.env['TEST_DATABASE'] === 'postgres' ? 6 : 1
/** 500 calls and more on a busy machine. */
const LIMIT_MS = 60_000

interface Listener {
  stop(): unknown
}

let canaries: Listener[] = []
/** Connections to addresses that nothing may reach. */
let caught: string[] = []
/** Requests that reached the allowed stand-in. */
let arrived: string[] = []
/** Addresses that a request was about to be sent to, whether or not anybody listens there. */
let sent: string[] = []
let port = 0
let turns = new Map<string, number>()
let app: TestApp
let site: Site
let key: string
let channelId: number
const realFetch = globalThis.fetch

/** Leads on to wherever its path says. */
const standIn = (request: Request): Response => {
  arrived.push(request.url)
  const to = /^\/to\/([\w-]+)/.exec(new URL(request.url).pathname)?.[1]
  if (to === undefined) return Response.json({ data: [{ id: 'a' }], ok: true })
  return new Response(null, { status: arrived.length % 2 ? 302 : 307, headers: { location: Buffer.from(to, 'base64url').toString() } })
}

/** Everything that listens shares one port, which only the first of them can choose. */
function listen(): void {
  const socket = { open: ({ localAddress }: { localAddress: string }) => void caught.push(localAddress), data: () => undefined }
  for (let tries = 0; ; tries += 1) {
    const first = Bun.listen({ hostname: '127.0.0.1', port: 0, socket })
    port = first.port
    const made: Listener[] = [first]
    try {
      for (const hostname of ['127.1.2.3', '::1']) made.push(Bun.listen({ hostname, port, socket }))
      for (const hostname of [STAND_IN, OWNERS]) made.push(Bun.serve({ hostname, port, fetch: standIn }))
      canaries = made
      return
    } catch (error) {
      for (const each of made) each.stop()
      if (tries === 20) throw error
    }
  }
}

beforeAll(async () => {
  listen()
  app = await createTestApp({
    gateway: startGateway,
    customersAlsoReach: `${STAND_IN}/32`,
    resolveName: (host) => {
      const turn = turns.get(host) ?? 0
      turns.set(host, turn + 1)
      const addresses = names[host]?.(turn, STAND_IN) ?? (host.endsWith('localhost') ? ['127.0.0.1'] : [])
      return Promise.resolve(addresses.map((address) => ({ address })))
    },
    settings: {
      rate_limit_enabled: false,
      ssrf_allowed_hosts: `${STAND_IN}/32`,
      reliability_disable_after_failures: 1_000,
      oidc_enabled: true,
      oidc_client_id: 'client',
      oidc_client_secret: 'secret',
      base_url: 'https://shop.example',
      password_hcaptcha_enabled: true,
      hcaptcha_site_key: 'site',
      hcaptcha_secret: 'secret',
      payment_enabled: true,
      payment_gateway_provider: 'openpayment',
      payment_openpayment_merchant_id: 'merchant',
      payment_openpayment_key: 'secret',
    },
  })
  const token = await app.admin()
  site = siteOf('http://localhost', token, 1, app.request)
  await site.setBalance('1000')
  channelId = await site.addChannel({ baseUrl: `http://${STAND_IN}:${port}` })
  await site.sell(channelId, 'm')
  const pictures = await site.addChannel({ baseUrl: `http://${STAND_IN}:${port}`, type: 'gemini', name: 'pictures' })
  await site.sell(pictures, 'sees', undefined, 'gemini-3-pro')
  key = (await site.addKey()).secret
  globalThis.fetch = Object.assign((input: string | URL | Request, init?: RequestInit) => {
    sent.push(new URL(input instanceof Request ? input.url : input).hostname)
    return realFetch(input, init)
  }, realFetch)
}, 30_000)
afterAll(async () => {
  globalThis.fetch = realFetch
  await app.close()
  for (const each of canaries) await each.stop()
})

const gateway = async (body: unknown): Promise<number> => {
  const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' }
  const answer = await app.fetch('/v1/chat/completions', { method: 'POST', headers, body: JSON.stringify(body) })
  await answer.text()
  return answer.status
}
const set = async (values: Record<string, unknown>): Promise<boolean> => (await app.api('PUT', '/api/settings', values)).status === 200
const preview = async (list: string): Promise<number> =>
  (await app.api('POST', `/api/models/${list}/preview`, { channel_id: channelId, format: 'auto' })).status
/**
 * A check answers 200 whatever it finds: what it found counts as what it is. What is refused when it is saved is written to the row: the
 * allow-list may have been longer then, and the connection has to be refused by itself.
 */
async function watch(kind: 'http' | 'tcp', target: string): Promise<number> {
  const monitor = { name: kind, check_type: kind, enabled: false }
  const save = (url: string) => app.api<{ id: number }>('POST', '/api/status-monitors', { ...monitor, target_url: url })
  const asked = await save(target)
  const saved = asked.status === 200 ? asked : await save(`http://${STAND_IN}:${port}/monitor`)
  if (asked !== saved)
    await app.deps.db.query.updateTable('status_monitors').set({ target_url: target }).where('id', '=', saved.body.id).execute()
  const { status, body } = await app.api<{ status: string }>('POST', `/api/status-monitors/${saved.body.id}/check`)
  await app.api('DELETE', `/api/status-monitors/${saved.body.id}`)
  if (status !== 200) throw new Error(`a check of ${target}: ${status}`)
  return body.status === 'up' ? 200 : REFUSED
}
/** As `host:port`, where an address is no more than that. */
const placeOf = (target: string): string => /^http:\/\/([^/@?#\\]+:\d+)(?:[/?#]|$)/.exec(target)?.[1] ?? target
const hello = [{ role: 'user', content: 'Hello' }]
let serial = 0

/** Points everything that calls out at an address. @returns what may be tried now: a refusal on saving is one as well */
async function pointAt(target: string): Promise<{ channel: boolean; oidc: boolean; payment: boolean; captcha: boolean }> {
  // Plain http to an identity provider is refused to all but listed hosts: elsewhere the guard itself has to see it.
  const listed = [STAND_IN, OWNERS].some((host) => target.startsWith(`http://${host}:${port}/`))
  const issuer = listed ? target : target.replace('http:', 'https:')
  const moved = await app.api('PUT', `/api/channels/${channelId}`, { base_url: target, api_key: 'upstream-secret' })
  const all = { oidc_issuer: issuer, payment_openpayment_config_url: target, hcaptcha_verify_url: target }
  const together = await set(all)
  const each = async (values: Record<string, unknown>): Promise<boolean> => together || set(values)
  return {
    channel: moved.status === 200,
    oidc: await each({ oidc_issuer: issuer }),
    payment: await each({ payment_openpayment_config_url: target }),
    captcha: await each({ hcaptcha_verify_url: target }),
  }
}

const REFUSED = 400
/** Each calls out in its way to what was pointed at, and tells its status. */
async function callOut(target: string): Promise<Record<string, number>> {
  const may = await pointAt(target)
  serial += 1
  const form = { identifier: `nobody${serial}`, password: 'wrong password', captcha_token: `token-${serial}` }
  const signIn = { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(form) }
  const content = [
    { type: 'text', text: 'What is it?' },
    { type: 'image_url', image_url: { url: target } },
  ]
  const sinks: Record<string, () => number | Promise<number>> = {
    upstream: () => (may.channel ? gateway({ model: 'm', messages: hello }) : REFUSED),
    'model sync': () => (may.channel ? preview('sync') : REFUSED),
    'price sync': () => (may.channel ? preview('prices/sync') : REFUSED),
    'identity provider': () => (may.oidc ? app.fetch('/auth/login', { redirect: 'manual' }).then(({ status }) => status) : REFUSED),
    'payment discovery': () =>
      may.payment ? app.api('POST', '/api/user/payment/orders', { amount: '10', method: 'alipay' }).then(({ status }) => status) : REFUSED,
    captcha: () =>
      may.captcha
        ? app.fetch('/auth/password/login', signIn, `198.51.${serial >> 8}.${serial & 255}`).then(({ status }) => status)
        : REFUSED,
    'HTTP monitor': () => watch('http', target),
    'TCP monitor': () => watch('tcp', target),
    'TCP monitor of a place': () => watch('tcp', placeOf(target)),
    'images by URL': () => gateway({ model: 'sees', messages: [{ role: 'user', content }] }),
  }
  const found: Record<string, number> = {}
  for (const [sink, calls] of Object.entries(sinks)) {
    // Each is the first to ask for a name: one that leads elsewhere the second time is let in once.
    turns.clear()
    found[sink] = await calls()
  }
  // What is remembered of names and of failures is old by then.
  app.clock.advance(61_000)
  return found
}
/** Those that speak HTTP, and two that only connect. */
const SINKS = 10
const CONNECTING = 2
const connects = (sink: string): boolean => sink.startsWith('TCP monitor')

const clean = (): void => {
  caught = []
  arrived = []
  sent = []
  turns = new Map()
}

test('every sink calls where it is allowed to: what follows is no silence', async () => {
  clean()
  const found = await callOut(`http://${STAND_IN}:${port}/here`)
  expect(Object.keys(found).filter((sink) => connects(sink) && found[sink] === 200)).toHaveLength(CONNECTING)
  const asked = ['', '', '', '', '/.well-known/openid-configuration', '/api/pricing', '/v1/chat/completions', '/v1/models']
  expect(arrived.map((url) => url.slice(url.indexOf('/here') + '/here'.length)).sort()).toEqual(asked)
})

test(
  'no sink connects to an address inside, however it is written, named or led to',
  async () => {
    clean()
    const all = targetsOf({ standIn: STAND_IN, port })
    expect(all.length * SINKS).toBeGreaterThanOrEqual(SINKS * 60)
    const answered: string[] = []
    const again = `/to/${Buffer.from(`http://rebinding.test:${port}`).toString('base64url')}`
    const limited: string[] = []
    for (const target of all.filter((_, index) => index % STEP === 0)) {
      turns.clear()
      const found = await callOut(target)
      for (const [sink, status] of Object.entries(found)) if (status === 429) limited.push(`${sink}: ${target}`)
      // The first answer of that name is allowed; what must not happen is that a connection follows the second.
      if (target.includes('//rebinding.test') || target.endsWith(again)) continue
      // Who only connects has reached the allowed stand-in, and follows nothing from there.
      const reaches = target.startsWith(`http://${STAND_IN}:${port}/`)
      for (const [sink, status] of Object.entries(found))
        if (status < REFUSED && !(reaches && connects(sink))) answered.push(`${sink}: ${target}`)
    }
    expect({ caught, answered, limited }).toEqual({ caught: [], answered: [], limited: [] })
    expect([...new Set(sent)].filter((host) => host !== STAND_IN)).toEqual([])
  },
  LIMIT_MS,
)

test("the owner's own server is reached at exactly the host and port he lists, and by customers' addresses not even there", async () => {
  clean()
  await set({ ssrf_allowed_hosts: `${STAND_IN}/32 ${OWNERS}:${port}` })
  for (const other of [`http://${OWNERS}:${port + 1}`, `http://127.8.8.9:${port}`, `https://${OWNERS}`, `http://127.0.0.1:${port}`])
    await callOut(other)
  expect({ caught, arrived, sent }).toEqual({ caught: [], arrived: [], sent: [] })
  const found = await callOut(`http://${OWNERS}:${port}/own`)
  expect(arrived.filter((url) => url.includes('/own'))).toHaveLength(SINKS - CONNECTING - 1)
  expect(found['images by URL']).toBe(REFUSED)
}, 30_000)
