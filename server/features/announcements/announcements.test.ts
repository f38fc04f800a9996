import { afterAll, beforeAll, expect, test } from 'bun:test'
import type { AnnouncementWire } from '../../../contract/api/announcements.ts'
import { createTestApp, type TestApp } from '../../../test/app.ts'

let app: TestApp
beforeAll(async () => {
  app = await createTestApp()
})
afterAll(() => app.close())

const post = (body: unknown, token?: string) => app.api<AnnouncementWire>('POST', '/api/announcements', body, token)
const shown = async (): Promise<string[]> =>
  (await app.api<AnnouncementWire[]>('GET', '/api/public/announcements', undefined, null)).body.map(({ title }) => title)

test('visitors see what is switched on, by place and the newest first among equals', async () => {
  await post({ title: 'first', content: 'a' })
  app.clock.advance(1_000)
  await post({ title: 'second', content: 'b' })
  await post({ title: 'top', content: 'c', sort_order: -1 })
  const { body: off } = await post({ title: 'off', content: 'd', enabled: false })
  expect(off.enabled).toBe(false)
  expect(await shown()).toEqual(['top', 'second', 'first'])
  const all = await app.api<AnnouncementWire[]>('GET', '/api/announcements')
  expect(all.body.map(({ title }) => title)).toEqual(['top', 'off', 'second', 'first'])
  expect(await app.api('GET', '/api/announcements?page=2&page_size=3')).toMatchObject({ body: { total: 4, items: [{ title: 'first' }] } })
})

test('a change replaces all of it, a deleted one is gone, and each leaves its audit row', async () => {
  const { body: made } = await post({ title: ' news ', content: 'x', enabled: false, sort_order: 5 })
  expect(made.title).toBe('news')
  const path = `/api/announcements/${made.id}`
  expect(await app.api('PUT', path, { title: 'newer', content: 'y' })).toMatchObject({
    status: 200,
    body: { title: 'newer', enabled: true, sort_order: 0 },
  })
  expect(await app.api('DELETE', path)).toMatchObject({ status: 200, body: { message: 'Announcement deleted' } })
  expect(await app.api('DELETE', path)).toMatchObject({ status: 200, body: { message: 'Announcement deleted' } })
  expect(await app.api('PUT', path, { title: 'a', content: 'b' })).toMatchObject({
    status: 404,
    body: { error: 'Announcement not found' },
  })
  const rows = await app.deps.db.query
    .selectFrom('audit_log')
    .select('action')
    .where('object_type', '=', 'announcement')
    .where('object_id', '=', String(made.id))
    .orderBy('id')
    .execute()
  expect(rows.map(({ action }) => action)).toEqual(['create', 'update', 'delete'])
})

test('what an announcement must not be is refused in the words of the contract, and only administrators write', async () => {
  const fault = async (body: unknown) => (await post(body)).body as unknown
  expect(await fault({ content: 'x' })).toMatchObject({ error: 'Announcement title is required' })
  expect(await fault({ title: ' ', content: 'x' })).toMatchObject({ error: 'Announcement title is required' })
  expect(await fault({ title: 'x'.repeat(121), content: 'x' })).toMatchObject({ error: 'Announcement title is too long' })
  expect(await fault({ title: 'x' })).toMatchObject({ error: 'Announcement content is required' })
  expect(await app.api('DELETE', '/api/announcements/abc')).toMatchObject({ status: 400, body: { error: 'Invalid announcement id' } })
  const { token } = await app.user('ann')
  expect((await post({ title: 'x', content: 'y' }, token)).status).toBe(403)
})
