import { afterAll, beforeAll, expect, test } from 'bun:test'
import type { ApiKeyWire } from '../../../contract/api/api-keys.ts'
import type { LogWire } from '../../../contract/api/logs.ts'
import type { StatementWire } from '../../../contract/api/statements.ts'
import type { AdminUsage } from '../../../contract/api/usage.ts'
import { createTestApp, login, type TestApp, type TestUser } from '../../../test/app.ts'
import { charge, give } from '../../../test/charge.ts'
import { ManualClock } from '../../../test/clock.ts'
import { payRewards } from '../../jobs/rewards.ts'
import { checkBooks } from '../books/service.ts'
import { addUpCalls } from '../reports/totals.ts'
import { foldUsage } from '../usage/fold.ts'
import { rebuildUsage } from '../usage/rebuild.ts'
import { deleteOldCalls } from './retention.ts'

const DAY = 86_400_000
let app: TestApp
let user: TestUser
let key: ApiKeyWire
beforeAll(async () => {
  app = await createTestApp({ clock: new ManualClock(Date.UTC(2026, 10, 3, 12)) })
  user = await app.user('caller')
  await give(app, user.id, '100')
  const [channel] = (await app.api<{ id: number }[]>('GET', '/api/user-channels')).body
  key = (await app.api<{ key: ApiKeyWire }>('POST', '/api/user/api-keys', { name: 'k', allowed_user_channels: [channel?.id] }, user.token))
    .body.key
})
afterAll(() => app.close())

const token = (): Promise<string> => app.admin()
/** Calls, one each four hours. */
async function calls(count: number): Promise<void> {
  for (let n = 0; n < count; n += 1) {
    await charge(app, user.id, { usage: { input: 1_000 + n, output: 7 }, keyId: n % 3 ? key.id : null, model: `m${n % 2}`, channelId: 7 })
    app.clock.advance(4 * 3_600_000)
  }
  user.token = await login(app, user.username, user.password)
}
/** All that must have seen a call before it leaves. */
const readers = [() => foldUsage(app.deps), () => addUpCalls(app.deps), () => payRewards(app.deps)]
const rows = async (): Promise<number> => (await app.deps.db.query.selectFrom('logs').select('id').execute()).length
async function figures(): Promise<unknown> {
  const usage = await app.api<AdminUsage>(
    'GET',
    '/api/usage?from=2026-11-01&to=2026-11-30&group_by=model&tz=Asia/Tokyo',
    undefined,
    await token(),
  )
  const statement = await app.api<StatementWire>('GET', '/api/user/statements/2026-11', undefined, user.token)
  const { generated_at: _, ...month } = statement.body
  return { usage: usage.body, month }
}
const differences = async () => (await checkBooks(app.database)).differences

test('old calls leave the log by age, then by number, never before they are added up; figures and books stay as they were', async () => {
  await calls(40)
  await app.api('PUT', '/api/settings', { log_retention_days: '3' }, await token())
  await deleteOldCalls(app.deps)
  expect(await rows()).toBe(40)
  app.clock.advance(60_000)
  for (const read of readers) {
    await deleteOldCalls(app.deps)
    expect(await rows()).toBe(40)
    await read()
  }
  const before = await figures()
  expect(await differences()).toEqual([])
  await deleteOldCalls(app.deps)
  // Four hours apart: eighteen in three days, a minute less.
  expect(await rows()).toBe(17)
  expect(await figures()).toEqual(before)
  expect(await differences()).toEqual([])
  const list = async (query: string) =>
    (await app.api<{ items: LogWire[]; total: number }>('GET', `/api/logs?page=1&page_size=100${query}`, undefined, await token())).body
  expect((await list('')).total).toBe(17)
  const found = await list('&model_name=m1')
  expect([found.total, found.items.length]).toEqual([9, 9])
  await app.api('PUT', '/api/settings', { log_retention_days: '0', log_retention_max_rows: '5' }, await token())
  await Promise.all([deleteOldCalls(app.deps), deleteOldCalls(app.deps)])
  expect(await rows()).toBe(5)
  expect(await figures()).toEqual(before)
  expect(await differences()).toEqual([])
  expect(await rebuildUsage(app.deps).catch((error: Error) => error.message)).toContain('calls have left the log')
})

test('a key whose usage was reset between is still right; the audit sees what is missing of calls that left', async () => {
  await app.api('POST', `/api/user/api-keys/${key.id}/reset-usage`, undefined, user.token)
  app.clock.advance(1)
  await calls(12)
  app.clock.advance(DAY)
  for (const read of readers) await read()
  await deleteOldCalls(app.deps)
  expect([await rows(), await differences()]).toEqual([5, []])
  await app.deps.db.query.updateTable('log_archive').set({ charged: 1 }).where('reset_at', '>', 0).execute()
  expect((await differences()).map(({ what }) => what)).toEqual(['entries of calls that left the log, of account'])
})
