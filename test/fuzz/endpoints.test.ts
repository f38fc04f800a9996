import { afterAll, beforeAll, expect, test } from 'bun:test'
import type { AnyEndpoint } from '../../contract/endpoint.ts'
import { errors } from '../../contract/errors.ts'
import { startGateway } from '../../server/relay/start.ts'
import { createTestApp, type TestApp } from '../app.ts'
import { setUpSite, type Site } from '../site.ts'
import { Upstream } from '../upstream/server.ts'
import { GATEWAY_CALLS } from './gateway-calls.ts'
import { generate, grammarOf } from './grammar.ts'
import { hostile, mutate, TEXTS } from './hostile.ts'
import { Random } from './random.ts'

/** S4: no request crashes or hangs us. `npm run campaign -- S4` sends 50,000 to each endpoint, this lane a few of another seed each. */
const PER_ENDPOINT = Number(process.env['TEST_FUZZ'] ?? 12)
const SEED = Number(process.env['TEST_FUZZ_SEED'] ?? 4)
/** S4 says 2 s, of a machine that does nothing else. */
const SLOW_MS = PER_ENDPOINT > 1_000 ? 2_000 : 20_000
/** These ask a stranger's server before they answer, and give it the time that its own setting or limit says. */
const ASKS_OTHERS = /\/(check|sync|preview|test)(\/|\?|$)/
const OTHERS_MS = 30_000
/** Growth of memory over a run; the first thousand calls warm everything up. */
const GROWTH = 256 * 1024 * 1024
const TIMEOUT_MS = 120_000 + PER_ENDPOINT * 1_000

let app: TestApp
let site: Site
let upstream: Upstream
let key: string
/** Whoever's session the fuzz may end; the owner's lives on. */
let victim: string
const unhandled: unknown[] = []
const onUnhandled = (reason: unknown): void => void unhandled.push(reason)

beforeAll(async () => {
  process.on('unhandledRejection', onUnhandled)
  upstream = await Upstream.start()
  app = await createTestApp({ gateway: startGateway, setUp: false })
  site = await setUpSite('http://localhost', app.request)
  for (const type of ['openai', 'openai_responses', 'anthropic', 'gemini'])
    await site.sell(
      await site.addChannel({ baseUrl: `${upstream.url}/v1`.slice(0, type.startsWith('openai') ? undefined : -3), type, name: type }),
      `to-${type}`,
    )
  await site.setBalance('100000')
  key = (await site.addKey()).secret
  victim = (await app.user('victim')).token
}, 60_000)
afterAll(async () => {
  process.off('unhandledRejection', onUnhandled)
  await app.close()
  await upstream.stop()
})

/** These would lock the fuzz out; they are tried as somebody else. */
const OWN = /^\/(auth\/logout|api\/user\/(sessions|password|second-factor|oidc|passkeys|reauth))/
const IDS = [
  '1',
  '2',
  '3',
  '0',
  '-1',
  '999999',
  '9007199254740993',
  '1e3',
  '1.5',
  'abc',
  '%00',
  '%2e%2e',
  "1'--",
  '%F0%9F%98%80',
  '1%2f2',
  'x'.repeat(3_000),
  '%',
  '%ff',
  'constructor',
]

interface Tried {
  request: Request
  text: string
}

function requestOf(endpoint: AnyEndpoint, random: Random): Tried {
  const { method, path } = endpoint
  // Nobody ends the owner's account: user 1.
  const ids = path.startsWith('/api/users') ? IDS.slice(1) : IDS
  const query = endpoint.query === undefined ? {} : (generate(grammarOf(endpoint.query), random) as Record<string, unknown> | null)
  const pairs = Object.entries(query ?? {}).map(
    ([name, value]) => `${escaped(name)}=${escaped(typeof value === 'string' ? value : (JSON.stringify(value) ?? ''))}`,
  )
  if (random.chance(0.1)) pairs.push(`${escaped(random.pick(TEXTS))}=${escaped(random.pick(TEXTS))}`)
  const address = path.replaceAll(/:\w+/g, () => random.pick(ids)) + (pairs.length > 0 ? `?${pairs.join('&').slice(0, 8_000)}` : '')
  const body = endpoint.body === undefined ? random.pick(['', '{}', '[]']) : bodyOf(generate(grammarOf(endpoint.body), random), random)
  return made(method, address, body, OWN.test(path) ? victim : site.token, random)
}

const OURS = [errors.internal.message, errors.unavailable.message]
/** The scripted upstream keeps what it is asked at these addresses. */
const SPOKEN = /completions|responses|messages$|enerateContent/

/** Percent signs for what has them; a lone surrogate has none. */
function escaped(text: string): string {
  return encodeURIComponent(text.toWellFormed())
}

function bodyOf(value: unknown, random: Random): string {
  const text = JSON.stringify(value) ?? ''
  return random.chance(0.2) ? mutate(text, random) : text
}

function made(method: string, address: string, text: string, token: string, random: Random): Tried {
  const headers: Record<string, string> = {
    'content-type': random.chance(0.95)
      ? 'application/json'
      : random.pick(['', 'text/plain', 'multipart/form-data; boundary=x', 'application/x-www-form-urlencoded']),
  }
  if (random.chance(0.95)) headers['authorization'] = `Bearer ${token}`
  else headers['authorization'] = random.pick(['Bearer', 'Bearer sk-', 'Bearer a.b.c', 'Basic x', `Bearer ${'x'.repeat(5_000)}`])
  if (random.chance(0.05)) headers['x-forwarded-for'] = random.pick(['::', '1.2.3.4, x', ','.repeat(500), '999.1.1.1'])
  return { text, request: new Request(`http://localhost${address}`, { method, headers, ...(method === 'GET' ? {} : { body: text }) }) }
}

/** What is wrong with how a request was answered, or undefined. */
async function faultOf(name: string, { request, text }: Tried): Promise<string | undefined> {
  const started = performance.now()
  const { method, url } = request
  const tell = (what: string): string => `${name}: ${what}\n  ${method} ${url.slice(0, 300)}\n  ${text.slice(0, 600)}`
  try {
    const response = await app.app.fetch(request, '127.0.0.1')
    const said = await response.text()
    const tookMs = performance.now() - started
    if (tookMs > (ASKS_OTHERS.test(new URL(url).pathname) ? OTHERS_MS : SLOW_MS)) return tell(`took ${Math.round(tookMs)} ms`)
    // Other 5xx are written in contract/errors.ts with a text of their own; these two say that we did not know what to say.
    if (response.status >= 500 && OURS.some((message) => said.includes(message))) return tell(`${response.status} ${said.slice(0, 200)}`)
    return undefined
  } catch (error) {
    return tell(`threw ${String(error)}`)
  }
}

// First: the other takes away what this one needs.
test(
  'whatever the gateway is sent, it answers in the same way, and blames no upstream that it did not ask',
  async () => {
    const random = new Random(SEED + 1)
    const faults: string[] = []
    for (const { path, body } of GATEWAY_CALLS)
      for (let count = 0; count < PER_ENDPOINT * 4 && faults.length < 20; count += 1) {
        const model = random.pick(['to-openai', 'to-openai_responses', 'to-anthropic', 'to-gemini'])
        const spoiled = spoil({ ...body, model }, random)
        const asked = upstream.received.length
        const tried = made('POST', path.replace('MODEL', model), bodyOf(spoiled, random), key, random)
        const response = tried.request.clone()
        const fault = await faultOf(path, tried)
        if (fault !== undefined) faults.push(fault)
        else if (SPOKEN.test(path) && upstream.received.length === asked) {
          const again = await app.app.fetch(response, '127.0.0.1')
          // A channel's breaker may be open by then for what its upstream said to earlier calls: 503.
          if (again.status === 502 && upstream.received.length === asked)
            faults.push(`${path}: 502 though no upstream was asked\n  ${tried.text.slice(0, 600)}`)
          await again.text()
        }
        upstream.received.length = 0
      }
    expect(faults.join('\n')).toBe('')
    expect(unhandled).toEqual([])
  },
  TIMEOUT_MS,
)

test(
  'whatever an endpoint is sent, it answers, soon, and without a fault of ours',
  async () => {
    const random = new Random(SEED)
    const faults: string[] = []
    // What takes things away comes later, and the settings, which change what all others do, last.
    const order = ({ method, path }: AnyEndpoint): number => (path === '/api/settings' ? 2 : method === 'DELETE' ? 1 : 0)
    const endpoints = app.app.endpoints.filter(({ path }) => !path.startsWith('/v1')).toSorted((a, b) => order(a) - order(b))
    const before = process.memoryUsage().rss
    for (const endpoint of endpoints)
      for (let count = 0; count < PER_ENDPOINT && faults.length < 20; count += 1) {
        const fault = await faultOf(`${endpoint.method} ${endpoint.path}`, requestOf(endpoint, random))
        if (fault !== undefined) faults.push(fault)
      }
    Bun.gc(true)
    expect(faults.join('\n')).toBe('')
    expect(unhandled).toEqual([])
    expect(process.memoryUsage().rss - before).toBeLessThan(GROWTH)
  },
  TIMEOUT_MS,
)

/** A body with some part of it replaced, at any depth. */
function spoil(value: unknown, random: Random, depth = 0): unknown {
  if (random.chance(0.04)) return hostile(random)
  if (Array.isArray(value)) return value.flatMap((one: unknown) => (random.chance(0.03) ? [] : [spoil(one, random, depth + 1)]))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, member]) =>
      random.chance(0.03) ? [] : [[random.chance(0.01) ? random.pick(TEXTS) : name, spoil(member, random, depth + 1)]],
    ),
  )
}
