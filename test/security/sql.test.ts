import { afterAll, beforeAll, expect, test } from 'bun:test'
import type { AnyEndpoint } from '../../contract/endpoint.ts'
import { startGateway } from '../../server/relay/start.ts'
import { createTestApp, type TestApp } from '../app.ts'
import { generate, grammarOf } from '../fuzz/grammar.ts'
import { Random } from '../fuzz/random.ts'
import { setUpSite, type Site } from '../site.ts'

/** S13: data is never code in SQL. 5,000 texts in the full lane, a slice of them always. */
const TEXTS = process.env['TEST_FULL'] === '1' ? 5_000 : 300
/** As many places each text is put into. */
const PLACES = 3

const STARTS = [
  "'",
  '"',
  '`',
  "\\'",
  "')",
  "'))",
  '";',
  '%27',
  'x',
  '1',
  '-1',
  "''",
  '\u02bc',
  '\uff07',
  '[',
  '{',
  '$$',
  '$1',
  '?1',
  ':id',
  '@p',
]
const MIDDLES = [
  ' or 1=1',
  ' or true',
  '; drop table users',
  '; delete from accounts',
  " union select password_hash from users where '1'='1",
  ' union all select null,null,null',
  "; update users set role='owner'",
  ' and (select count(*) from users)>0',
  '||(select version())||',
  ' or pg_sleep(3) is null',
  ' or randomblob(100000000) is null',
  "; attach database 'x' as y",
  "; copy users to program 'id'",
  ' escape ',
  '%_%',
  '\\',
  ' collate nocase',
  ' returning *',
]
const ENDS = ['', ' --', ' /*', '#', ';\0', "'", '"', ' limit 1 offset 1 --', '\n', ')']

function textsOf(count: number): string[] {
  const all: string[] = []
  for (const middle of MIDDLES) for (const start of STARTS) for (const end of ENDS) all.push(start + middle + end)
  for (let index = 0; all.length < 5_000; index += 1)
    all.push(`${all[(index * 7) % all.length] ?? ''}${all[(index * 13) % all.length] ?? ''}`)
  const step = Math.max(1, Math.floor(all.length / count))
  return all.filter((_, index) => index % step === 0).slice(0, count)
}

/** What a database says of a statement that it cannot read, and of its own. */
const DRIVER =
  /sqlite|syntax error|near "|unrecognized token|unterminated|relation "|column "?\w+"? (does not|of)|no such (table|column)|pg_|42\d{3}|constraint failed|violates/i
const OURS = '"code":"internal"'

let app: TestApp
let site: Site
let key: string
let victim: string
beforeAll(async () => {
  app = await createTestApp({ gateway: startGateway, setUp: false })
  site = await setUpSite('http://localhost', app.request)
  await site.sell(await site.addChannel({ baseUrl: 'http://127.0.0.1:9' }), 'm')
  await site.setBalance('1000')
  key = (await site.addKey()).secret
  victim = (await app.user('victim')).token
}, 60_000)
afterAll(() => app.close())

/** Ends sessions or accounts: tried as somebody else. */
const OWN = /^\/(auth\/logout|api\/user\/(sessions|password|second-factor|oidc|passkeys|reauth))/

/** Replaces one text inside a value, the `at`-th there is. */
function planted(value: unknown, text: string, at: { left: number }): unknown {
  if (typeof value === 'string') return at.left-- === 0 ? text : value
  if (Array.isArray(value)) return value.map((one) => planted(one, text, at))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, planted(member, text, at)]))
}

interface Tried {
  name: string
  request: Request
  text: string
}

function attempt(endpoint: AnyEndpoint, text: string, random: Random): Tried {
  const { method, path } = endpoint
  const made = endpoint.query === undefined ? {} : generate(grammarOf(endpoint.query), random)
  const query: Record<string, unknown> = typeof made === 'object' ? { ...made } : {}
  const names = endpoint.query === undefined ? [] : Object.keys(grammarOf(endpoint.query)['properties'] ?? {})
  const place = random.below(4)
  // A list that is searched has more ways in than its address.
  if (names.length > 0 && place !== 1) query[random.pick(names)] = text
  const pairs = Object.entries(query).map(
    ([name, value]) =>
      `${encodeURIComponent(name.toWellFormed())}=${encodeURIComponent((typeof value === 'string' ? value : (JSON.stringify(value) ?? '')).toWellFormed())}`,
  )
  const id = place === 1 ? encodeURIComponent(text) : path.startsWith('/api/users') ? '2' : '1'
  const body = endpoint.body === undefined ? {} : planted(generate(grammarOf(endpoint.body), random), text, { left: random.below(6) })
  const token = place === 3 && random.chance(0.2) ? text.replaceAll(/[^\x20-\x7e]/g, '') : OWN.test(path) ? victim : site.token
  const address = `http://localhost${path.replaceAll(/:\w+/g, id)}${pairs.length > 0 ? `?${pairs.join('&')}` : ''}`
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json', 'user-agent': 'sql' }
  return {
    name: `${method} ${path}`,
    text,
    request: new Request(address, { method, headers, ...(method === 'GET' ? {} : { body: JSON.stringify(body) }) }),
  }
}

async function faultOf({ name, request, text }: Tried): Promise<string | undefined> {
  const response = await app.app.fetch(request, '127.0.0.1')
  const said = (await response.text()).replaceAll(text, '')
  if (response.status >= 500 && said.includes(OURS)) return `${name}: ${said.slice(0, 200)} for ${text}`
  // A request that is refused repeats a part of the text at most; what is stored comes back whole in a success.
  return response.status >= 400 && DRIVER.test(said.replaceAll(/"(param|message|request_id)":"[^"]*"/g, '')) && !DRIVER.test(text)
    ? `${name}: ${said.slice(0, 200)} for ${text}`
    : undefined
}

async function counts(): Promise<Record<string, number>> {
  const found: Record<string, number> = {}
  for (const table of ['users', 'accounts', 'ledger_entries', 'settings', 'channels', 'models'] as const) {
    const { n } = await app.deps.db.query
      .selectFrom(table)
      .select(({ fn }) => fn.countAll<number>().as('n'))
      .executeTakeFirstOrThrow()
    found[table] = n
  }
  return found
}

// First: what follows may delete whom it looks for.
test('a search takes % and _ for what they are', async () => {
  for (const q of ['%', '_', 'ow%er', '\\', '%%'])
    expect(
      (await app.api<{ total: number }>('GET', `/api/users?q=${encodeURIComponent(q)}&page=1`, undefined, site.token)).body.total,
      q,
    ).toBe(0)
  expect((await app.api<{ total: number }>('GET', '/api/users?q=ICTI&page=1', undefined, site.token)).body.total).toBe(1)
  expect((await app.api<{ total: number }>('GET', '/api/logs?page=1&model_name=%25', undefined, site.token)).body.total).toBe(0)
})

test(`${TEXTS} hostile texts in every kind of place: no statement breaks, and no reply has the words of a database`, async () => {
  const random = new Random(13)
  const endpoints = app.app.endpoints.filter(({ path }) => !path.startsWith('/v1') && path !== '/api/setup')
  const before = await counts()
  const owner = await app.deps.db.query.selectFrom('users').select(['id', 'role']).where('role', '=', 'owner').execute()
  const faults: string[] = []
  let next = 0
  for (const text of textsOf(TEXTS))
    for (let place = 0; place < PLACES; place += 1) {
      const endpoint = endpoints[next++ % endpoints.length]
      const fault = endpoint && (await faultOf(attempt(endpoint, text, random)))
      if (fault) faults.push(fault)
    }
  for (const text of textsOf(60)) {
    const headers = {
      authorization: `Bearer ${key}`,
      'content-type': 'application/json',
      'user-agent': text.replaceAll(/[^\x20-\x7e]/g, ''),
    }
    const body = JSON.stringify({ model: text, user: text, messages: [{ role: 'user', content: text }] })
    const fault = await faultOf({
      name: 'POST /v1/chat/completions',
      text,
      request: new Request('http://localhost/v1/chat/completions', { method: 'POST', headers, body }),
    })
    if (fault) faults.push(fault)
  }
  expect(faults).toEqual([])
  const after = await counts()
  for (const table of ['users', 'accounts', 'ledger_entries', 'settings'] as const)
    expect(after[table] ?? 0, table).toBeGreaterThanOrEqual((before[table] ?? 0) - (table === 'users' || table === 'accounts' ? 1 : 0))
  const owners = await app.deps.db.query.selectFrom('users').select(['id', 'role']).where('role', '=', 'owner').execute()
  expect(owners).toEqual(owner)
}, 300_000)
