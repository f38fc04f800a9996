import { afterAll, beforeAll, expect, test } from 'bun:test'
import type { GroupWire } from '../../../contract/api/groups.ts'
import type { RedeemCodeWire } from '../../../contract/api/redeem-codes.ts'
import type { UserWire } from '../../../contract/api/users.ts'
import { addresses, crowd } from '../../../test/crowd.ts'
import { createTestApp, type TestApp, type TestUser } from '../../../test/app.ts'
import { checkBooks } from '../books/service.ts'
import { payOwedRedemptions, redeemCode } from './redeem.ts'
import { takeUse } from './store.ts'

let app: TestApp
beforeAll(async () => {
  app = await createTestApp()
})
afterAll(() => app.close())

const make = (body: unknown, token?: string) => app.api<RedeemCodeWire>('POST', '/api/redeem-codes', body, token)
const use = (user: TestUser, code: string) => app.api('POST', '/api/user/redeem-code', { code }, user.token)

test('200 people who use one code at once: one wins, and three where it has three uses', async () => {
  const people = await crowd(app, addresses(200, 'racer'))
  for (const uses of [1, 3]) {
    const { body: code } = await make({ amount: '5', max_uses: uses })
    const results = await Promise.allSettled(people.map((id) => redeemCode(app.deps, id, code.code)))
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(uses)
    for (const result of results) if (result.status === 'rejected') expect(result.reason).toMatchObject({ code: 'redeem_code_spent' })
    const entries = await app.deps.db.query.selectFrom('ledger_entries').selectAll().where('reference', 'like', `${code.id}:%`).execute()
    expect(entries).toHaveLength(uses)
    expect(entries.every(({ kind, amount, gifted }) => kind === 'redeem' && amount === 50_000_000_000n && gifted === amount)).toBe(true)
  }
  expect((await checkBooks(app.database)).differences).toEqual([])
}, 60_000)

test('a use is taken only while one is left, whatever was read before', async () => {
  const { body: code } = await make({ amount: '5', max_uses: 2 })
  const { query } = app.deps.db
  const taken: (number | undefined)[] = []
  for (let turn = 0; turn < 3; turn += 1) taken.push((await takeUse(query, code.id, app.clock.now()))?.used_count)
  expect(taken).toEqual([1, 2, undefined])
  const { body: late } = await make({ amount: '5', max_uses: 1, expires_at: new Date(app.clock.now() + 1).toISOString() })
  expect(await takeUse(query, late.id, app.clock.now() + 1)).toBeUndefined()
  const { body: off } = await make({ amount: '5', max_uses: 1, enabled: false })
  expect(await takeUse(query, off.id, app.clock.now())).toBeUndefined()
})

test('200 parallel tries of one person are one use', async () => {
  const [id = 0] = await crowd(app, ['alone@example.test'])
  const { body: code } = await make({ amount: '1', max_uses: 1000 })
  const results = await Promise.allSettled(Array.from({ length: 200 }, () => redeemCode(app.deps, id, code.code)))
  expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
  for (const result of results) if (result.status === 'rejected') expect(result.reason).toMatchObject({ code: 'redeem_code_used' })
  const listed = (await app.api<RedeemCodeWire[]>('GET', '/api/redeem-codes')).body
  expect(listed.find((each) => each.id === code.id)?.used_count).toBe(1)
}, 60_000)

test('a code is typed in any spelling, pays once, and each refusal has its own words', async () => {
  const user = await app.user('rita')
  const refused = (error: string) => ({ status: 400, body: { error } })
  await make({ code: 'spring-2026 gift', amount: '2.5' })
  expect(await use(user, ' SPRING-2026gift ')).toMatchObject({ status: 200, body: { amount: '2.5', balance: '2.5' } })
  expect(await use(user, 'SPRING2026GIFT')).toMatchObject(refused('Redeem code already used'))
  expect(await use(user, 'nothing')).toMatchObject(refused('Redeem code not found'))
  await make({ code: 'OFF', amount: 1, enabled: false })
  expect(await use(user, 'off')).toMatchObject(refused('Redeem code is disabled'))
  await make({ code: 'LATE', amount: 1, expires_at: '2026-01-01T00:00:00Z' })
  expect(await use(user, 'late')).toMatchObject(refused('Redeem code has expired'))
  const other = await app.user('rob')
  expect(await use(other, 'spring2026gift')).toMatchObject(refused('Redeem code has been fully used'))
})

test('a code may give a group for some days; a second one adds its days', async () => {
  const { body: group } = await app.api<GroupWire>('POST', '/api/groups', { name: 'gold', multiplier: '0.5' })
  const user = await app.user('gus')
  for (const code of ['G1', 'G2']) {
    expect(await make({ code, group_id: group.id, group_duration_days: 10 })).toMatchObject({
      status: 200,
      body: { group: { name: 'gold' } },
    })
    expect(await use(user, code)).toMatchObject({ status: 200, body: { amount: '0', balance: '0' } })
  }
  const me = (await app.api<UserWire>('GET', '/api/user/me', undefined, user.token)).body
  const end = new Date(app.clock.now() + 20 * 86_400_000).toISOString()
  expect(me.groups?.find(({ group_id: id }) => id === group.id)?.expires_at).toBe(end)
  expect(await app.api('DELETE', `/api/groups/${group.id}`)).toMatchObject({ status: 400, body: { error: 'Group is in use' } })
})

test('codes are made one by one or in bulk, changed in part and deleted, by who may handle money', async () => {
  const bulk = await app.api<RedeemCodeWire[]>('POST', '/api/redeem-codes/bulk', { count: 50, amount: '3', max_uses: 2 })
  expect(bulk.status).toBe(200)
  expect(new Set(bulk.body.map(({ code }) => code)).size).toBe(50)
  expect(bulk.body.every(({ code, amount, max_uses: uses }) => /^[A-Z2-7]{20}$/.test(code) && amount === '3' && uses === 2)).toBe(true)
  const [code] = bulk.body
  expect(await app.api('PUT', `/api/redeem-codes/${code?.id}`, { enabled: false })).toMatchObject({ body: { enabled: false, amount: '3' } })
  expect(await make({ code: code?.code, amount: '1' })).toMatchObject({ status: 409, body: { code: 'redeem_code_exists' } as never })
  expect(await make({})).toMatchObject({ status: 400, body: { code: 'redeem_code_empty' } as never })
  expect(await make({ amount: '-1' })).toMatchObject({ status: 400 })
  expect(await make({ amount: '1', group_id: 999 })).toMatchObject({ status: 400, body: { error: 'Group not found' } as never })
  expect(await app.api('DELETE', `/api/redeem-codes/${code?.id}`)).toMatchObject({ status: 200, body: { message: 'Redeem code deleted' } })
  expect(await app.api('DELETE', `/api/redeem-codes/${code?.id}`)).toMatchObject({ status: 404, body: { error: 'Redeem code not found' } })
  const finance = await app.user('fin', 'finance')
  const support = await app.user('sup', 'support')
  expect((await make({ amount: '1' }, finance.token)).status).toBe(200)
  expect((await make({ amount: '1' }, support.token)).status).toBe(403)
  const audit = await app.deps.db.query.selectFrom('audit_log').select('after').where('object_type', '=', 'redeem_code').execute()
  expect(audit.some(({ after }) => after.includes(code?.code ?? '-'))).toBe(false)
})

test('what a crash leaves between use and credit is booked once; guessing is slowed down', async () => {
  const user = await app.user('olga')
  const { body: code } = await make({ amount: '4' })
  const use1 = { redeem_code_id: code.id, user_id: user.id, amount: 40_000_000_000n as never, created_at: 1, credited_at: null }
  await app.deps.db.query.insertInto('redemptions').values(use1).execute()
  await payOwedRedemptions(app.deps)
  await payOwedRedemptions(app.deps)
  expect((await app.api<UserWire>('GET', '/api/user/me', undefined, user.token)).body.balance).toBe('4')
  const tries = await Promise.all(Array.from({ length: 21 }, (_, index) => use(user, `guess${index}`)))
  expect(tries.filter(({ status }) => status === 429)).toHaveLength(1)
})
