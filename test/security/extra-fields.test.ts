import { afterAll, expect, test } from 'bun:test'
import { sql, type TableMetadata } from 'kysely'
import { z } from 'zod'
import type { AnyEndpoint } from '../../contract/endpoint.ts'
import { isObject, type Json, type JsonObject } from '../../contract/json.ts'
import { settingKeys } from '../../contract/settings.ts'
import { createTestApp, type TestApp, type TestUser } from '../app.ts'
import { notify, paymentSettings, yipayNotice, type Order } from '../payments/gateway.ts'
import { bodyOf, keep, writesOf, type Made, type Step } from './writes.ts'

/**
 * S2: three sites that are set up alike are told the same writes. Two get them plain: what differs between those is chance. The
 * third gets every body with all that it does not ask for: afterwards its rows are those of the others.
 */
interface Site {
  app: TestApp
  made: Made
  steps: readonly Step[]
  tokens: Record<'user' | 'leaver' | 'caller', string>
  /** What the writes beside the audited ones name: a code, and numbers of orders. */
  names: Record<'code' | 'open' | 'other' | 'paid', string>
}

/** No row has these unless it was taken from where it is not asked for. */
const TEXT = 'canary-of-no-schema'
const NUMBER = 7_777_777_777

/** What is worth most, as whoever asks for it would write it; all columns of the database are added. */
const WANTED: JsonObject = {
  role: 'owner',
  is_admin: true,
  is_owner: true,
  is_default: true,
  enabled: false,
  free: true,
  email_verified: true,
  balance: '1000000',
  held: '-5',
  quota_used: '-100',
  total_cost: '-100',
  disabled_at: null,
  created_at: '2001-01-01T00:00:00Z',
  updated_at: '2001-01-01T00:00:00Z',
  user: { id: 1, is_admin: true, balance: '1000000' },
  constructor: { prototype: { polluted: true } },
}

/** A secret that is sealed anew each time keeps its length. */
const SEALED = /v1\.[\w-]{16}\.[\w-]+/g

/** Each process says of itself who it is. */
const APART = new Set(['instances'])

const running: TestApp[] = []
afterAll(async () => {
  for (const app of running) await app.close()
})

async function site(role: 'admin' | 'owner'): Promise<Site> {
  const app = await createTestApp({
    // Nobody is called.
    resolveName: () => Promise.resolve([]),
    settings: { ...paymentSettings({ url: 'http://127.0.0.1:1' }), checkin_enabled: true, checkin_daily_reward: '1' },
  })
  running.push(app)
  const user = await app.user('audited')
  const leaver = await app.user('leaver')
  const caller: Pick<TestUser, 'token'> = role === 'owner' ? { token: await app.admin() } : await app.user('caller', role)
  const order = async () => (await app.api<Order>('POST', '/api/user/payment/orders', { amount: '10', method: 'alipay' }, user.token)).body
  const [open, other, paid] = [await order(), await order(), await order()]
  await notify(app, 'yipay', yipayNotice(paid))
  const { code } = (await app.api<{ code: string }>('POST', '/api/redeem-codes', { amount: '1' })).body
  await app.api('POST', '/api/status-monitors', { name: 'up', target_url: 'https://up.example.test/', enabled: false })
  const now = app.clock.now()
  const passkey = { user_id: user.id, name: 'key', credential_id: 'c', public_key: 'k', sign_count: 0, transports: '[]' }
  const db = app.deps.db.query
  await db
    .insertInto('passkeys')
    .values({ ...passkey, created_at: now, updated_at: now, last_used_at: null })
    .execute()
  await db.updateTable('users').set({ oidc_sub: 'subject', oidc_issuer: 'https://idp.example' }).where('id', '=', user.id).execute()
  const made: Made = {}
  return {
    app,
    made,
    steps: writesOf(made, user),
    tokens: { user: user.token, leaver: leaver.token, caller: caller.token },
    names: { code, open: open.order_no, other: other.order_no, paid: paid.order_no },
  }
}

/** All sites have the same. */
let tables: TableMetadata[] | undefined

/** Every table's rows, each value as text by its column; sealed texts as long as they are. One statement: it is asked for often. */
async function dump({ app }: Site): Promise<Map<string, Record<string, string>[]>> {
  const { query: db, engine } = app.deps.db
  tables ??= (await db.introspection.getTables()).filter(({ name }) => !APART.has(name))
  const array = sql.raw(engine === 'postgres' ? 'json_build_array' : 'json_array')
  const selects = tables.map(({ name, columns }) => {
    const texts = columns.map((column) => sql`cast(${sql.ref(column.name)} as text)`)
    return sql`select ${sql.lit(name)} as name, cast(${array}(${sql.join(texts)}) as text) as cells from ${sql.table(name)}`
  })
  const { rows } = await sql<{ name: string; cells: string }>`${sql.join(selects, sql` union all `)}`.execute(db)
  const found = new Map(tables.map(({ name }): [string, Record<string, string>[]] => [name, []]))
  const columnsOf = new Map(tables.map(({ name, columns }) => [name, columns.map((column) => column.name)]))
  for (const { name, cells } of rows) {
    const values = JSON.parse(cells.replaceAll(SEALED, ({ length }) => `sealed ${length}`)) as (string | null)[]
    found.get(name)?.push(Object.fromEntries((columnsOf.get(name) ?? []).map((column, index) => [column, String(values[index])])))
  }
  return found
}

/** Rows without the columns whose values are chance, in an order of their own. */
function comparable(rows: readonly Record<string, string>[], chance: ReadonlySet<string>): string[] {
  return rows.map((row) => JSON.stringify(Object.entries(row).filter(([column]) => !chance.has(column)))).sort()
}

function chanceColumns(one: readonly Record<string, string>[], other: readonly Record<string, string>[]): Set<string> {
  const values = (rows: readonly Record<string, string>[], column: string): string =>
    rows
      .map((row) => row[column] ?? '')
      .toSorted((a, b) => (a < b ? -1 : 1))
      .join('\0')
  return new Set(Object.keys(one[0] ?? {}).filter((column) => values(one, column) !== values(other, column)))
}

/** Where the third site's rows are other than the plain sites', or have what no schema asks for. */
async function differences([plain, again, poisoned]: readonly [Site, Site, Site]): Promise<string[]> {
  const [one, two, three] = [await dump(plain), await dump(again), await dump(poisoned)]
  const found: string[] = []
  for (const [table, rows] of three) {
    const chance = chanceColumns(one.get(table) ?? [], two.get(table) ?? [])
    const wanted = comparable(one.get(table) ?? [], chance)
    const seen = comparable(rows, chance)
    for (const row of seen) if (!wanted.includes(row)) found.push(`${table}: ${row}`)
    if (wanted.length !== seen.length) found.push(`${table}: ${seen.length} rows, not ${wanted.length}`)
    for (const row of rows)
      for (const [column, value] of Object.entries(row))
        if (value.includes(TEXT) || value.includes(String(NUMBER))) found.push(`${table}.${column}: ${value}`)
  }
  return found
}

/** Every name that some table has, with a value of its kind. */
async function columnFields(app: TestApp): Promise<JsonObject> {
  const fields: JsonObject = {}
  for (const { columns } of await app.deps.db.query.introspection.getTables())
    for (const { name, dataType } of columns) {
      const value = /int/i.test(dataType) ? NUMBER : TEXT
      fields[name] = value
      fields[name.replaceAll(/_(\w)/g, (_, letter: string) => letter.toUpperCase())] = value
    }
  return { ...fields, ...WANTED }
}

/** The members that any of the forms a schema allows asks for. */
function membersOf(schema: Json | undefined): JsonObject {
  if (!isObject(schema)) return {}
  const forms = [schema.anyOf, schema.oneOf, schema.allOf].flatMap((list) => (Array.isArray(list) ? list : []))
  return Object.assign({}, schema.properties, ...forms.map(membersOf)) as JsonObject
}

/** A body with every field that its schema does not ask for, in each object whose members the schema names. */
function withFields(value: Json, schema: Json | undefined, fields: JsonObject): Json {
  if (!isObject(schema)) return value
  if (Array.isArray(value)) return value.map((each) => withFields(each, schema.items, fields))
  if (!isObject(value)) return value
  const members = membersOf(schema)
  // A list by free names: any name is asked for.
  if (Object.keys(members).length === 0 && schema.additionalProperties !== undefined && schema.additionalProperties !== false) return value
  const inner = Object.entries(value).map(([name, one]) => [name, withFields(one ?? null, members[name], fields)] as const)
  const extra = Object.entries(fields).filter(([name]) => !Object.hasOwn(members, name))
  return { ...Object.fromEntries(extra), ...Object.fromEntries(inner) }
}

/** As text: the member `__proto__` is one in JSON only. */
function poison({ path, body: asked }: AnyEndpoint, body: unknown, fields: JsonObject): string {
  const schema = asked ? (z.toJSONSchema(asked, { io: 'input', unrepresentable: 'any' }) as JsonObject) : {}
  // Those that take settings take any of them, and their schema names none.
  const settings = path.startsWith('/api/settings') ? Object.fromEntries(settingKeys.map((key) => [key, {}])) : {}
  const whole = { ...schema, properties: { ...membersOf(schema), ...settings } }
  const list = Array.isArray(body)
  const text = JSON.stringify(withFields((body ?? {}) as Json, whole, fields))
  const proto = `"__proto__":{"polluted":true,"role":"owner","is_admin":true,"balance":"1000000"},`
  return list ? text.replaceAll('{"', `{${proto}"`) : `{${proto}${text.slice(1)}`
}

async function tell({ app, tokens, made }: Site, { name, id, as }: Step, body: string): Promise<string> {
  const [method = '', path = ''] = name.split(' ')
  const response = await app.fetch(path.replace(/:\w+/, String(id?.() ?? '')), {
    method,
    headers: { authorization: `Bearer ${tokens[as ?? 'caller']}`, 'content-type': 'application/json' },
    body,
  })
  const text = await response.text()
  if (response.ok && text.startsWith('{')) keep(made, name, JSON.parse(text))
  return response.ok ? `${response.status}` : `${response.status} ${/"code":"(\w+)"/.exec(text)?.[1]}`
}

/** What the writes beside the audited ones need to succeed. */
const WITH: Record<string, (site: Site) => { body?: unknown; id?: string }> = {
  'POST /api/meta-models/validate': () => ({ body: { name: 'meta', dsl: 'call "m"' } }),
  'POST /api/meta-models/simulate': () => ({ body: { dsl: 'call "m"', cases: [{}] } }),
  'POST /api/user/quote': () => ({ body: { model: 'm', input_tokens: 10 } }),
  'POST /api/channels/test': ({ made }) => ({ body: { channel_id: made['channels'] } }),
  'POST /api/models/sync/preview/browser': ({ made }) => ({ body: { channel_id: made['channels'], payload: { data: [{ id: 'm' }] } } }),
  'POST /api/models/prices/sync/preview/browser': ({ made }) => ({
    body: { channel_id: made['channels'], payload: { data: { m: { input_price: '2', output_price: '4' } } } },
  }),
  'POST /api/reconciliations': ({ made }) => ({
    body: {
      channel_id: made['channels'],
      format: 'plain',
      content: 'day,model,requests,input_tokens,output_tokens,cost\n2026-11-20,m,1,10,10,0.5',
      columns: { day: 'day' },
    },
  }),
  'PUT /api/user/passkeys/:id': () => ({ body: { name: 'renamed' } }),
  'POST /api/user/redeem-code': ({ names }) => ({ body: { code: names.code } }),
  'POST /api/user/payment/orders': () => ({ body: { amount: '10', method: 'alipay' } }),
  'POST /api/user/payment/orders/:order_no/recheck': ({ names }) => ({ id: names.open }),
  'POST /api/payment/orders/:order_no/recheck': ({ names }) => ({ id: names.open }),
  'POST /api/payment/orders/:order_no/resolve': ({ names }) => ({ id: names.other, body: { outcome: 'cancelled', reason: 'a test' } }),
  'POST /api/payment/orders/:order_no/refund': ({ names }) => ({ id: names.paid, body: { reason: 'a test' } }),
}

/** What the API serves beside the audited writes. */
function otherWrites(one: Site): Step[] {
  const known = new Set(one.steps.map(({ name }) => name))
  return one.app.app.endpoints
    .filter(({ method, path, access }) => method !== 'GET' && access !== 'public' && !known.has(`${method} ${path}`))
    .map(({ method, path, access }) => {
      const name = `${method} ${path}`
      const needs = (): { body?: unknown; id?: string } => WITH[name]?.(one) ?? {}
      return { name, body: () => needs().body, id: () => needs().id ?? 1, ...(access === 'user' && { as: 'user' as const }) }
    })
}

/** What calls somebody, mails, or asks for what an authenticator signs: refused with and without the fields alike. */
const BEYOND = [
  'POST /api/user/password/email-code',
  'POST /api/user/oidc/bind-url',
  'POST /api/user/passkeys/register/options',
  'POST /api/user/passkeys/register',
  'POST /api/user/second-factor/totp/confirm',
  'POST /api/user/second-factor/recovery-codes',
  'POST /api/models/sync/preview',
  'POST /api/models/prices/sync/preview',
]

/** On PostgreSQL a look at every table takes 30 ms: there it is taken after some of the writes, and after the last. */
const EVERY = process.env['TEST_DATABASE'] === 'postgres' ? 7 : 1

for (const role of ['admin', 'owner'] as const)
  test(`S2: what a body does not ask for changes nothing, in every write of a user and of an ${role}`, async () => {
    const sites = await Promise.all([site(role), site(role), site(role)])
    const [plain, again, poisoned] = sites
    const fields = await columnFields(plain.app)
    const wrong: string[] = []
    const refused: string[] = []
    const orders = sites.map((one) => {
      const at = one.steps.findIndex(({ name }) => name === 'DELETE /api/meta-models/:id')
      return [...one.steps.slice(0, at), ...otherWrites(one), ...one.steps.slice(at)]
    })
    const last = (orders[0]?.length ?? 0) - 1
    expect(last).toBeGreaterThan(80)
    for (const [index, step] of (orders[0] ?? []).entries()) {
      const [first, second, third] = orders.map((order) => order[index])
      if (!first || !second || !third) throw new Error('the sites are not alike')
      const text = (one: Step): string => JSON.stringify(bodyOf(one) ?? {})
      const endpoint = plain.app.app.endpoints.find(({ method, path }) => `${method} ${path}` === step.name)
      if (!endpoint) throw new Error(`${step.name} is not served`)
      const said = [await tell(plain, first, text(first)), await tell(again, second, text(second))]
      const answered = await tell(poisoned, third, poison(endpoint, bodyOf(third), fields))
      if (said[0] !== '200') refused.push(step.name)
      if (answered !== said[0]) wrong.push(`${step.name}: ${answered}, not ${said[0]}`)
      if (index % EVERY === 0 || index === last)
        wrong.push(...(await differences([plain, again, poisoned])).map((one) => `${step.name}: ${one}`))
      if (wrong.length > 0) break
    }
    expect(wrong).toEqual([])
    expect(Object.keys(Object.prototype)).toEqual([])
    expect(refused).toEqual(BEYOND)
  }, 60_000)
