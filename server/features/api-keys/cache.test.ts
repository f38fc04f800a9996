import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { parseMoney, ZERO, type Money } from '../../../contract/money.ts'
import { createTestApp, type TestApp, type TestUser } from '../../../test/app.ts'
import { inRanges } from '../../lib/client-ip.ts'
import { sha256Hex } from '../../lib/ids.ts'
import { KeyCache, sessionCaller } from './cache.ts'
import { keyFactsOf } from './service.ts'

interface Made {
  api_key: string
  key: { id: number; quota_limit: string; quota_remaining?: string }
}

/** A database of its own on a busy machine. */
const BUSY_MS = 30_000
let app: TestApp
let user: TestUser
let channel: number
let cache: KeyCache
beforeAll(async () => {
  app = await createTestApp()
  user = await app.user('keyholder')
  const [first] = (await app.api<{ id: number }[]>('GET', '/api/user-channels')).body
  channel = first?.id ?? 0
  cache = new KeyCache(app.deps)
}, BUSY_MS)
afterAll(() => app.close(), BUSY_MS)

const make = async (body: object = {}, who = user): Promise<Made> => {
  const { status, body: made } = await app.api<Made>('POST', '/api/user/api-keys', { allowed_user_channels: [channel], ...body }, who.token)
  if (status !== 200) throw new Error(JSON.stringify(made))
  return made
}
const keys = () => app.deps.db.query.updateTable('api_keys')
const amount = (text: string): Money => parseMoney(text) ?? ZERO

describe('a key for some addresses', () => {
  test('is good from these and no others', async () => {
    const { api_key: secret } = await make({ allowed_ips: ['192.0.2.7', '10.0.0.0/8', '2001:db8::/32'] })
    const ranges = (await cache.find(secret))?.allowedIps ?? []
    expect(['192.0.2.7', '10.255.0.1', '2001:db8::1', '::ffff:10.0.0.1'].map((ip) => inRanges(ip, ranges))).toEqual(Array(4).fill(true))
    expect(['192.0.2.8', '11.0.0.1', '2001:db9::1', 'nowhere'].map((ip) => inRanges(ip, ranges))).toEqual(Array(4).fill(false))
  })

  test('opens nothing when its list cannot be read: an empty one would be good from everywhere', async () => {
    const { api_key: secret, key } = await make({ allowed_ips: ['192.0.2.7'] })
    await keys().set({ allowed_ips: '["somewhere"]' }).where('id', '=', key.id).execute()
    expect((await cache.find(secret))?.allowedIps).toEqual([])
  })
})

describe('the key cache', () => {
  test('reads everything anew when it may have missed a change', async () => {
    const [gone, changed] = [await make(), await make()]
    const early = await cache.find(gone.api_key)
    await cache.find(changed.api_key)
    await cache.find('sk-made-up')
    await app.deps.db.query.deleteFrom('api_keys').where('id', '=', gone.key.id).execute()
    await keys().set({ enabled: 0 }).where('id', '=', changed.key.id).execute()
    expect(cache.find(gone.api_key)).toBe(early)
    const overtaken = cache.find('sk-on-its-way')
    await app.deps.changes.publish({ type: 'everything' })
    expect(await cache.find(gone.api_key)).toBeUndefined()
    expect((await cache.find(changed.api_key))?.enabled).toBe(false)
    expect(cache.find('sk-made-up')).toBeInstanceOf(Promise)
    await overtaken
    expect(cache.find('sk-on-its-way')).toBeInstanceOf(Promise)
  })

  test('keeps no copy longer than half a minute, whatever was missed', async () => {
    const { api_key: secret, key } = await make()
    const early = await cache.find(secret)
    await keys().set({ enabled: 0 }).where('id', '=', key.id).execute()
    app.clock.advance(29_999)
    expect(cache.find(secret)).toBe(early)
    app.clock.advance(1)
    expect((await cache.find(secret))?.enabled).toBe(false)
  })

  test('a change of one user leaves the copies of others', async () => {
    const other = await app.user('bystander')
    const [mine, his] = [await make(), await make({}, other)]
    const copy = await cache.find(his.api_key)
    const before = await cache.find(mine.api_key)
    await app.deps.changes.publish({ type: 'user', userId: user.id })
    await app.deps.changes.publish({ type: 'api_key', keyHashes: [sha256Hex('another')] })
    expect(cache.find(his.api_key)).toBe(copy)
    expect(cache.find(mine.api_key)).not.toBe(before)
  })

  test('asked for the same key many times at once it asks the database once', async () => {
    const { api_key: secret } = await make()
    const [first, ...others] = [cache.find(secret), cache.find(secret), cache.find(secret)]
    for (const other of others) expect(other).toBe(first)
    expect(await first).toMatchObject({ userId: user.id })
  })

  test('made-up keys without end fill no memory and push no good key out', async () => {
    const bounded = new KeyCache(app.deps, { callers: 2, unknown: 10 })
    const { api_key: good, key } = await make()
    const copy = await bounded.find(good)
    const [late, kept] = ['sk-late', 'sk-kept']
    for (const secret of [late, ...Array.from({ length: 9 }, (_, n) => `sk-flood-${n}`)]) await bounded.find(secret)
    expect(bounded.find(late)).toBeUndefined()
    await bounded.find(kept)
    // The oldest lost its place and is looked up again; the last is remembered.
    await keys()
      .set({ previous_key_hash: sha256Hex(late), previous_expires_at: app.clock.now() + 60_000 })
      .where('id', '=', key.id)
      .execute()
    expect(await bounded.find(late)).toMatchObject({ keyId: key.id })
    expect(bounded.find(kept)).toBeUndefined()
    expect(bounded.find(good)).toBe(copy)
  })

  test('when it is full, the key that was not used for longest leaves', async () => {
    const bounded = new KeyCache(app.deps, { callers: 2, unknown: 10 })
    const [first, second, third] = [await make(), await make(), await make()]
    const copies = [await bounded.find(first.api_key), await bounded.find(second.api_key)]
    expect(bounded.find(first.api_key)).toBe(copies[0])
    await bounded.find(third.api_key)
    expect(bounded.find(first.api_key)).toBe(copies[0])
    expect(bounded.find(second.api_key)).toBeInstanceOf(Promise)
  })

  test('a secret that was replaced works while its grace lasts, and not at all where the grace has no end', async () => {
    const { api_key: old, key } = await make()
    const replaced = (previousEnd: number | null) =>
      keys()
        .set({ key_hash: sha256Hex(`new-${key.id}`), previous_key_hash: sha256Hex(old), previous_expires_at: previousEnd })
        .where('id', '=', key.id)
        .execute()
    await replaced(null)
    expect(await cache.find(old)).toBeUndefined()
    app.clock.advance(5_001)
    await replaced(app.clock.now() + 1_000)
    expect(await cache.find(old)).toMatchObject({ keyId: key.id, expiresAt: app.clock.now() + 1_000 })
    await keys()
      .set({ expires_at: app.clock.now() + 500 })
      .where('id', '=', key.id)
      .execute()
    app.clock.advance(30_000)
    expect(await cache.find(`new-${key.id}`)).toMatchObject({ expiresAt: app.clock.now() - 29_500 })
    expect(await cache.find(old)).toBeUndefined()
  })
})

test('a caller says whether his key has a budget, by day or by month, and its limits', async () => {
  const of = async (body: object) => {
    const caller = await cache.find((await make(body)).api_key)
    return [caller?.budgeted, caller?.limits, caller?.userLimits, caller?.quotaLimit]
  }
  expect(await of({})).toEqual([false, undefined, undefined, ZERO])
  expect(await of({ budget_daily: '1' })).toEqual([true, undefined, undefined, ZERO])
  expect(await of({ budget_monthly: '1' })).toEqual([true, undefined, undefined, ZERO])
  expect(await of({ quota_limit: '3', rate_limit_rpm: 5 })).toEqual([
    false,
    expect.objectContaining({ requestsPerMinute: 5 }),
    undefined,
    amount('3'),
  ])
})

describe('the groups of a caller', () => {
  const groupsOf = async (secret: string) => {
    await app.deps.changes.publish({ type: 'everything' })
    return (await cache.find(secret))?.groups
  }

  test('are his memberships; without one that lasts it is his primary group', async () => {
    const who = await app.user('member')
    const { api_key: secret } = await make({}, who)
    const { group_id: primary } = await app.deps.db.query
      .selectFrom('users')
      .select('group_id')
      .where('id', '=', who.id)
      .executeTakeFirstOrThrow()
    const memberships = app.deps.db.query.updateTable('memberships').where('user_id', '=', who.id)
    const end = app.clock.now() + 1_000
    await memberships.set({ expires_at: end }).execute()
    expect(await groupsOf(secret)).toEqual([{ groupId: primary, expiresAt: end }])
    await memberships.set({ expires_at: app.clock.now() }).execute()
    expect(await groupsOf(secret)).toEqual([{ groupId: primary, expiresAt: null }])
    await app.deps.db.query.deleteFrom('memberships').where('user_id', '=', who.id).execute()
    expect(await groupsOf(secret)).toEqual([{ groupId: primary, expiresAt: null }])
  })

  test('a session has them too, and no bounds of any key; one without an account pays nothing', async () => {
    const who = await app.user('sessionholder')
    const caller = await sessionCaller(app.deps, who.token)
    expect(caller).toMatchObject({ keyId: null, userId: who.id, quotaLimit: ZERO, allowedIps: null, enabled: true, expiresAt: null })
    expect([caller.mayUseModel('anything'), caller.groups.length]).toEqual([true, 1])
    await app.deps.db.query.deleteFrom('accounts').where('user_id', '=', who.id).execute()
    await expect(sessionCaller(app.deps, who.token)).rejects.toMatchObject({ code: 'user_not_found' })
  })
})

describe('what is left of a quota', () => {
  test('is never less than nothing, for the owner’s list and for programs that ask', async () => {
    const { key } = await make({ name: 'spent', quota_limit: '2' })
    const left = async () => {
      const { body } = await app.api<(Made['key'] & { name: string })[]>('GET', '/api/user/api-keys', undefined, user.token)
      return body.find(({ id }) => id === key.id)?.quota_remaining
    }
    const facts = () => keyFactsOf(app.deps, user.id, key.id)
    expect([await left(), await facts()]).toEqual(['2', { name: 'spent', remaining: amount('2') }])
    await keys()
      .set({ quota_used: amount('0.5') })
      .where('id', '=', key.id)
      .execute()
    expect([await left(), await facts()]).toEqual(['1.5', { name: 'spent', remaining: amount('1.5') }])
    await keys()
      .set({ quota_used: amount('2.5') })
      .where('id', '=', key.id)
      .execute()
    expect([await left(), await facts()]).toEqual(['0', { name: 'spent', remaining: ZERO }])
  })

  test('is nobody else’s to ask', async () => {
    const { key } = await make()
    const other = await app.user('curious')
    expect(await keyFactsOf(app.deps, other.id, key.id)).toBeUndefined()
    expect(await keyFactsOf(app.deps, user.id, 999_999)).toBeUndefined()
  })
})
