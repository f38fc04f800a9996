import { afterAll, beforeAll, expect, test } from 'bun:test'
import type { GroupWire } from '../../../contract/api/groups.ts'
import { createTestApp, type TestApp } from '../../../test/app.ts'

let app: TestApp
beforeAll(async () => {
  app = await createTestApp()
})
afterAll(() => app.close())

const groups = async (): Promise<GroupWire[]> => (await app.api<GroupWire[]>('GET', '/api/groups')).body

test('a new site has the default group, which is neither renamed nor deleted', async () => {
  const [user] = await groups()
  expect(user).toMatchObject({ name: 'user', multiplier: '1' })
  expect(await app.api('PUT', `/api/groups/${user?.id}`, { name: 'people' })).toMatchObject({
    status: 400,
    body: { error: 'Default user group cannot be renamed' },
  })
  expect(await app.api('DELETE', `/api/groups/${user?.id}`)).toMatchObject({
    status: 400,
    body: { error: 'Default user group cannot be deleted' },
  })
  expect(await app.api('PUT', `/api/groups/${user?.id}`, { name: 'user', multiplier: '1.5' })).toMatchObject({
    status: 200,
    body: { multiplier: '1.5' },
  })
})

test('groups are made with a name of their own, listed by name, changed in part and deleted', async () => {
  const made = await app.api<GroupWire>('POST', '/api/groups', { name: ' vip ', multiplier: 0.8 })
  expect(made).toMatchObject({ status: 200, body: { name: 'vip', multiplier: '0.8' } })
  expect(await app.api('POST', '/api/groups', { name: 'basic' })).toMatchObject({ status: 200, body: { multiplier: '1' } })
  expect((await groups()).map(({ name }) => name)).toEqual(['basic', 'user', 'vip'])
  expect(await app.api('PUT', `/api/groups/${made.body.id}`, { multiplier: '0.7' })).toMatchObject({
    body: { name: 'vip', multiplier: '0.7' },
  })
  expect(await app.api('GET', '/api/groups?page=1&page_size=2')).toMatchObject({
    body: { total: 3, page: 1, page_size: 2, items: [{ name: 'basic' }, { name: 'vip' }] },
  })
  expect(await app.api('DELETE', `/api/groups/${made.body.id}`)).toMatchObject({ status: 200, body: { message: 'Group deleted' } })
  expect(await app.api('DELETE', `/api/groups/${made.body.id}`)).toMatchObject({ status: 404, body: { error: 'Group not found' } })
})

test('what a group must not be is refused with its own words', async () => {
  const post = (body: unknown) => app.api('POST', '/api/groups', body)
  expect(await post({})).toMatchObject({ status: 400, body: { error: 'Group name is required' } })
  expect(await post({ name: '  ' })).toMatchObject({ status: 400, body: { error: 'Group name is required' } })
  expect(await post({ name: 'user' })).toMatchObject({ status: 409, body: { code: 'name_taken' } })
  expect(await post({ name: 'gift', multiplier: 0 })).toMatchObject({ status: 400, body: { code: 'multiplier_zero' } })
  expect(await post({ name: 'gift', multiplier: '-1' })).toMatchObject({ status: 400, body: { error: 'multiplier: must not be negative' } })
  expect(await app.api('PUT', '/api/groups/999', { name: 'x' })).toMatchObject({ status: 404, body: { error: 'Group not found' } })
  expect(await app.api('PUT', '/api/groups/abc', { name: 'x' })).toMatchObject({ status: 400, body: { error: 'Invalid group id' } })
})

test('a group somebody belongs to is not deleted', async () => {
  const { body: group } = await app.api<GroupWire>('POST', '/api/groups', { name: 'staff' })
  const { id } = await app.user('bob')
  expect((await app.api('PUT', `/api/users/${id}`, { group_id: group.id })).status).toBe(200)
  expect(await app.api('DELETE', `/api/groups/${group.id}`)).toMatchObject({ status: 400, body: { error: 'Group is in use' } })
})

test('only administrators change groups; support may look', async () => {
  const user = await app.user('carol')
  const support = await app.user('sam', 'support')
  expect((await app.api('GET', '/api/groups', undefined, user.token)).status).toBe(403)
  expect((await app.api('GET', '/api/groups', undefined, support.token)).status).toBe(200)
  expect((await app.api('POST', '/api/groups', { name: 'mine' }, support.token)).status).toBe(403)
})

test('each change has its audit row', async () => {
  const { body: group } = await app.api<GroupWire>('POST', '/api/groups', { name: 'seen' })
  await app.api('PUT', `/api/groups/${group.id}`, { multiplier: '2' })
  await app.api('DELETE', `/api/groups/${group.id}`)
  const rows = await app.deps.db.query
    .selectFrom('audit_log')
    .selectAll()
    .where('object_type', '=', 'group')
    .where('object_id', '=', String(group.id))
    .orderBy('id')
    .execute()
  expect(rows.map(({ action }) => action)).toEqual(['create', 'update', 'delete'])
  expect(JSON.parse(rows[1]?.after ?? '')).toMatchObject({ multiplier: '2' })
})
