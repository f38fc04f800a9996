import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { createTestApp, type TestApp } from '../../../test/app.ts'

interface User {
  id: number
  username: string
  balance: string
  is_admin: boolean
  role: string
  group_id: number
  groups: { group_id: number }[]
  referrer?: object
}

let app: TestApp
beforeAll(async () => {
  app = await createTestApp()
})
afterAll(() => app.close())

const wipeLimits = (): void => app.clock.advance(61_000)
const error = async (method: string, path: string, body?: unknown, token?: string): Promise<[number, string]> => {
  const answer = await app.api<{ error: string }>(method, path, body, token)
  return [answer.status, answer.body.error]
}
const entries = async (
  id: number,
): Promise<{ kind: string; amount: string; balance_after: string; actor_user_id: number; reason: string }[]> =>
  (
    await app.api<{ kind: string; amount: string; balance_after: string; actor_user_id: number; reason: string }[]>(
      'GET',
      `/api/ledger?user_id=${id}`,
    )
  ).body

describe('users', () => {
  test('a balance set by hand is booked as the difference, exact to ten places (W49)', async () => {
    const user = await app.user('rich')
    expect((await app.api<User>('PUT', `/api/users/${user.id}`, { balance: '12.34567890123' })).status).toBe(400)
    expect((await app.api<User>('PUT', `/api/users/${user.id}`, { balance: '12.3456789012' })).body.balance).toBe('12.3456789012')
    expect((await app.api<User>('PUT', `/api/users/${user.id}`, { balance: 2.5 })).body.balance).toBe('2.5')
    expect((await entries(user.id)).map(({ kind, amount, balance_after: after }) => [kind, amount, after])).toEqual([
      ['adjustment', '-9.8456789012', '2.5'],
      ['adjustment', '12.3456789012', '12.3456789012'],
    ])
    expect((await app.api<User>('PUT', `/api/users/${user.id}`, { balance: '2.5', group_id: 1, is_admin: false })).status).toBe(200)
    expect(await entries(user.id)).toHaveLength(2)
    expect((await error('PUT', `/api/users/${user.id}`, { balance: '9', expected_balance: '1' }))[0]).toBe(409)
  })

  test('adjustments: a signed amount with a reason, once per Idempotency-Key, 409 when the balance is another', async () => {
    wipeLimits()
    const user = await app.user('adjusted')
    const adjust = async (body: object, key?: string) => {
      const headers = {
        authorization: `Bearer ${await app.admin()}`,
        'content-type': 'application/json',
        ...(key ? { 'idempotency-key': key } : {}),
      }
      const response = await app.fetch(`/api/users/${user.id}/adjustments`, { method: 'POST', headers, body: JSON.stringify(body) })
      return { status: response.status, body: (await response.json()) as { balance: string; ledger_entry_id: number } }
    }
    const first = await adjust({ amount: '10', reason: 'welcome' }, 'k1')
    expect(first).toMatchObject({ status: 200, body: { balance: '10' } })
    const repeats = await Promise.all(Array.from({ length: 8 }, () => adjust({ amount: '10', reason: 'welcome' }, 'k1')))
    for (const repeat of repeats) expect(repeat).toEqual(first)
    const race = await Promise.all(Array.from({ length: 8 }, () => adjust({ amount: '0.5', reason: 'race' }, 'k2')))
    expect(new Set(race.map(({ body }) => body.ledger_entry_id)).size).toBe(1)
    expect((await adjust({ amount: '-0.5', reason: 'race undone' }, 'k3')).body.balance).toBe('10')
    expect((await adjust({ amount: '-3', reason: 'correction' })).body.balance).toBe('7')
    expect((await adjust({ amount: '1', reason: 'x', expected_balance: '10' })).status).toBe(409)
    expect((await adjust({ amount: '0', reason: 'x' })).status).toBe(400)
    expect((await adjust({ amount: '1', reason: '' })).status).toBe(400)
    expect((await adjust({ amount: '-1000', reason: 'too much' })).status).toBe(400)
    const booked = ['-3', '-0.5', '0.5', '10']
    expect((await entries(user.id)).map(({ amount }) => amount)).toEqual(booked)
    // What changed nothing leaves no row.
    const rows = app.deps.db.query.selectFrom('audit_log').select('after').where('action', '=', 'adjust_balance').orderBy('id', 'desc')
    const audited = await rows.where('object_id', '=', String(user.id)).execute()
    expect(audited.map(({ after }) => (JSON.parse(after) as { amount: string }).amount)).toEqual(booked)
  })

  test('the group moves with its permanent membership', async () => {
    wipeLimits()
    const user = await app.user('mover')
    const vip = (await app.api<{ id: number }>('POST', '/api/groups', { name: 'vip', multiplier: '0.5' })).body.id
    const { body } = await app.api<User>('PUT', `/api/users/${user.id}`, { group_id: vip })
    expect([body.group_id, body.groups.map(({ group_id: id }) => id)]).toEqual([vip, [vip]])
    expect(await error('PUT', `/api/users/${user.id}`, { group_id: 0 })).toEqual([400, 'Group is required'])
    expect(await error('PUT', `/api/users/${user.id}`, { group_id: 999 })).toEqual([400, 'Group not found'])
    expect(await error('PUT', `/api/users/${user.id}`, {})).toEqual([400, 'No fields to update'])
    expect(await error('PUT', '/api/users/999999', { is_admin: true })).toEqual([404, 'User not found'])
    expect(await error('PUT', '/api/users/x', { is_admin: true })).toEqual([400, 'Invalid user id'])
  })

  test('the last owner can be neither demoted, locked nor deleted, and nobody but an owner touches one', async () => {
    wipeLimits()
    const admin = await app.user('admin1', 'admin')
    const ownerId = (await app.api<User>('GET', '/api/user/me')).body.id
    expect((await error('PUT', `/api/users/${ownerId}`, { is_admin: false }))[0]).toBe(409)
    expect((await error('PUT', `/api/users/${ownerId}`, { disabled: true }))[0]).toBe(409)
    expect((await error('DELETE', `/api/users/${ownerId}`))[0]).toBe(409)
    expect((await error('PUT', `/api/users/${ownerId}`, { is_admin: false }, admin.token))[0]).toBe(403)
    expect((await error('DELETE', `/api/users/${ownerId}`, undefined, admin.token))[0]).toBe(403)
    expect((await error('PUT', `/api/users/${admin.id}`, { role: 'owner' }, admin.token))[0]).toBe(403)
    // The client sends all three fields back: an owner stays one.
    expect((await app.api<User>('PUT', `/api/users/${ownerId}`, { balance: '1', group_id: 1, is_admin: true })).body.role).toBe('owner')
    expect((await error('DELETE', `/api/users/${admin.id}`, undefined, admin.token))[0]).toBe(409)
  })

  test('of two owners that remove each other at once one stays', async () => {
    wipeLimits()
    const other = await createTestApp()
    const second = await other.user('owner2', 'owner')
    const firstId = (await other.api<User>('GET', '/api/user/me')).body.id
    const [a, b] = await Promise.all([
      other.api('PUT', `/api/users/${second.id}`, { role: 'user' }),
      other.api('PUT', `/api/users/${firstId}`, { role: 'user' }, second.token),
    ])
    expect([a.status, b.status].filter((status) => status === 200).length).toBeLessThan(2)
    const left = await other.deps.db.query.selectFrom('users').select('id').where('role', '=', 'owner').execute()
    expect(left).toHaveLength(1)
    await other.close()
  })

  test('a deleted user leaves no key, session or membership, but his books (W50)', async () => {
    wipeLimits()
    const user = await app.user('gone')
    const [channel] = (await app.api<{ id: number }[]>('GET', '/api/user-channels')).body
    await app.api('POST', '/api/user/api-keys', { allowed_user_channels: [channel?.id] }, user.token)
    await app.api('PUT', `/api/users/${user.id}`, { balance: '3' })
    expect((await app.api('DELETE', `/api/users/${user.id}`)).body).toEqual({ message: 'User deleted' })
    for (const table of ['api_keys', 'sessions', 'memberships'] as const) {
      expect(await app.deps.db.query.selectFrom(table).select('id').where('user_id', '=', user.id).execute()).toEqual([])
    }
    expect(await entries(user.id)).toHaveLength(1)
    expect(await error('GET', '/api/user/me', undefined, user.token)).toEqual([401, 'User not found'])
  })

  test('pages and search', async () => {
    wipeLimits()
    await app.user('Findme_x')
    const { body } = await app.api<{ items: User[]; total: number }>('GET', '/api/users?page=1&page_size=5&q=FINDME_')
    expect([body.total, body.items.map(({ username }) => username)]).toEqual([1, ['Findme_x']])
    expect((await app.api<User[]>('GET', '/api/users?q=%25')).body).toEqual([])
    expect((await app.api('GET', '/api/users?page=0')).status).toBe(400)
  })

  test('of his inviter a user sees a masked name only (W10)', async () => {
    wipeLimits()
    const [inviter, user] = [await app.user('inviter'), await app.user('invited')]
    await app.deps.db.query.updateTable('users').set({ referrer_id: inviter.id }).where('id', '=', user.id).execute()
    expect((await app.api<User>('GET', '/api/user/me', undefined, user.token)).body.referrer).toEqual({ id: inviter.id, username: 'i***r' })
  })

  test('the admin area is closed to users, and changes to those who only look', async () => {
    wipeLimits()
    const [user, support] = [await app.user('plain'), await app.user('looker', 'support')]
    expect(await error('GET', '/api/users', undefined, user.token)).toEqual([403, 'Admin access required'])
    expect((await app.api('GET', '/api/users', undefined, support.token)).status).toBe(200)
    expect((await error('PUT', `/api/users/${user.id}`, { is_admin: true }, support.token))[0]).toBe(403)
    expect((await error('POST', `/api/users/${user.id}/adjustments`, { amount: '1', reason: 'x' }, support.token))[0]).toBe(403)
  })
})
