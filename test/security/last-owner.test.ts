import { afterAll, beforeAll, expect, test } from 'bun:test'
import { AppError } from '../../contract/errors.ts'
import { deleteUser, updateUser } from '../../server/features/users/admin.ts'
import { createTestApp, type TestApp } from '../app.ts'
import { crowd } from '../crowd.ts'

/* S14: owners act on each other and on themselves at the same moment. All of them were owners when their requests began. */

let app: TestApp
beforeAll(async () => {
  app = await createTestApp()
})
afterAll(() => app.close())

const actor = (userId: number) => ({
  caller: { userId, role: 'owner' as const, sessionId: 'any', verifiedAt: app.clock.now() },
  ip: '127.0.0.1',
})
type Act = (by: number, on: number) => Promise<unknown>
const acts: Record<string, Act> = {
  'demoted by role': (by, on) => updateUser(app.deps, on, { role: 'user' }, actor(by)),
  'made an admin': (by, on) => updateUser(app.deps, on, { role: 'admin' }, actor(by)),
  'demoted by is_admin': (by, on) => updateUser(app.deps, on, { is_admin: false }, actor(by)),
  disabled: (by, on) => updateUser(app.deps, on, { disabled: true }, actor(by)),
  deleted: (by, on) => deleteUser(app.deps, on, actor(by)),
}
const pairs = Object.keys(acts).flatMap((one) => Object.keys(acts).map((other) => [one, other] as const))

/** These and nobody else are owners. */
async function makeOwners(count: number): Promise<number[]> {
  const db = app.deps.db.query
  const ids = await crowd(
    app,
    Array.from({ length: count }, () => `${crypto.randomUUID()}@example.test`),
  )
  await db.updateTable('users').set({ role: 'user' }).where('role', '=', 'owner').execute()
  await db.updateTable('users').set({ role: 'owner' }).where('id', 'in', ids).execute()
  return ids
}

const ownersLeft = () =>
  app.deps.db.query.selectFrom('users').select('id').where('role', '=', 'owner').where('disabled_at', 'is', null).execute()

/** `done`, or the code of the refusal. */
async function outcomes(tries: readonly unknown[]): Promise<string[]> {
  const settled = await Promise.allSettled(tries)
  return settled.map((one) => {
    if (one.status === 'fulfilled') return 'done'
    if (one.reason instanceof AppError) return one.reason.code
    throw one.reason
  })
}

test(`S14: of two owners who act on each other at the same moment one stays, in all ${pairs.length} pairs of acts`, async () => {
  for (const [one, other] of pairs) {
    const [first = 0, second = 0] = await makeOwners(2)
    const ends = await outcomes([acts[one]?.(first, second), acts[other]?.(second, first)])
    expect([one, other, ...ends.toSorted()]).toEqual([one, other, 'done', 'role_required'])
    expect(await ownersLeft()).toHaveLength(1)
  }
}, 30_000)

test(`S14: of two owners who act on themselves at the same moment one stays and is told so, in all ${pairs.length} pairs`, async () => {
  for (const [one, other] of pairs) {
    const [first = 0, second = 0] = await makeOwners(2)
    const ends = await outcomes([acts[one]?.(first, first), acts[other]?.(second, second)])
    const expected = [one, other].map((act) => (act === 'deleted' ? 'self_delete' : 'open'))
    const open = ends.filter((_, index) => expected[index] === 'open')
    for (const [index, end] of ends.entries()) if (expected[index] === 'self_delete') expect(end).toBe('self_delete')
    // With both of them leaving one is refused; with one leaving the other is still there.
    expect(open.toSorted()).toEqual(open.length === 2 ? ['done', 'last_admin'] : open.length === 1 ? ['done'] : [])
    expect((await ownersLeft()).length).toBeGreaterThanOrEqual(1)
  }
}, 30_000)

test('S14: eight owners who all demote all of them at once leave one, and nobody acts after he was demoted', async () => {
  const ids = await makeOwners(8)
  const ends = await outcomes(ids.flatMap((by) => ids.map((on) => acts['demoted by role']?.(by, on))))
  expect(await ownersLeft()).toHaveLength(1)
  expect(new Set(ends)).toEqual(new Set(['done', 'last_admin', 'role_required']))
  const rows = await app.deps.db.query
    .selectFrom('audit_log')
    .select(['actor_user_id', 'object_id'])
    .where('object_type', '=', 'user')
    .where('object_id', 'in', ids.map(String))
    .orderBy('id')
    .execute()
  const gone = new Set<string>()
  for (const { actor_user_id: by, object_id: on } of rows) {
    expect(gone.has(String(by))).toBe(false)
    gone.add(on)
  }
  expect(gone.size).toBe(7)
}, 30_000)
