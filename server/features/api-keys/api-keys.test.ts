import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { createTestApp, type TestApp, type TestUser } from '../../../test/app.ts'
import { sha256Hex } from '../../lib/ids.ts'
import { KeyCache } from './cache.ts'

interface Key {
  id: number
  name: string
  key_prefix: string
  api_key: string
  allowed_models: string[]
  allowed_user_channels: number[]
  quota_limit: string
  enabled: boolean
  usage: { request_count: number }
}
interface Made {
  api_key: string
  key: Key
}

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
})
afterAll(() => app.close())

const make = async (body: object = {}): Promise<Made> => {
  const { status, body: made } = await app.api<Made>(
    'POST',
    '/api/user/api-keys',
    { allowed_user_channels: [channel], ...body },
    user.token,
  )
  if (status !== 200) throw new Error(JSON.stringify(made))
  return made
}
const failure = async (method: string, path: string, body: unknown, token = user.token): Promise<[number, string]> => {
  const answer = await app.api<{ error: string }>(method, path, body, token)
  return [answer.status, answer.body.error]
}

describe('API keys', () => {
  test('the secret is shown once and only its hash is stored', async () => {
    const { api_key: secret, key } = await make({ name: 'mine', enabled: false, quota_limit: 5 })
    expect(secret).toMatch(/^sk-[A-Za-z0-9_-]{43}$/)
    expect(key).toMatchObject({
      name: 'mine',
      enabled: false,
      quota_limit: '5',
      key_prefix: `${secret.slice(0, 8)}...${secret.slice(-4)}`,
      api_key: '',
    })
    const list = await app.api<Key[]>('GET', '/api/user/api-keys', undefined, user.token)
    expect(JSON.stringify(list.body)).not.toContain(secret)
    const rows = await app.deps.db.query.selectFrom('api_keys').selectAll().where('id', '=', key.id).execute()
    expect(rows[0]?.key_hash).toBe(sha256Hex(secret))
    expect(JSON.stringify(rows, (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value))).not.toContain(
      secret.slice(8, -4),
    )
  })

  test('lists are de-duplicated; models sorted, user channels in the order given', async () => {
    const second = (await app.api<{ id: number }>('POST', '/api/user-channels', { name: 'second' })).body.id
    const { key } = await make({ allowed_models: ['z', 'a', 'z'], allowed_user_channels: [second, channel, second] })
    expect([key.allowed_models, key.allowed_user_channels]).toEqual([
      ['a', 'z'],
      [second, channel],
    ])
  })

  test('refuses what could never work, with the contract’s texts', async () => {
    expect(await failure('POST', '/api/user/api-keys', {})).toEqual([400, 'API key must be bound to exactly one user channel'])
    expect(await failure('POST', '/api/user/api-keys', { allowed_user_channels: [9_999] })).toEqual([
      400,
      'User channel not found or disabled',
    ])
    expect((await failure('POST', '/api/user/api-keys', { allowed_user_channels: [channel], allowed_ips: ['10.0.0.300'] }))[0]).toBe(400)
    expect((await failure('POST', '/api/user/api-keys', { allowed_user_channels: [channel], quota_limit: '-1' }))[0]).toBe(400)
    expect((await failure('POST', '/api/user/api-keys', { allowed_user_channels: [channel], quota_limit: '' }))[0]).toBe(400)
    expect(await failure('PUT', '/api/user/api-keys/99999', { allowed_user_channels: [channel] })).toEqual([404, 'API key not found'])
    expect(await failure('PUT', '/api/user/api-keys/abc', { allowed_user_channels: [channel] })).toEqual([400, 'Invalid API key id'])
  })

  test('an update replaces lists and keeps name, quota and state where absent', async () => {
    const { key } = await make({ name: 'kept', quota_limit: '7', allowed_models: ['a'], enabled: false })
    const { body } = await app.api<Key>('PUT', `/api/user/api-keys/${key.id}`, { allowed_user_channels: [channel], name: '' }, user.token)
    expect(body).toMatchObject({ name: 'kept', quota_limit: '7', enabled: false, allowed_models: [] })
    const cleared = await app.api<Key>(
      'PUT',
      `/api/user/api-keys/${key.id}`,
      { allowed_user_channels: [channel], quota_limit: 0, enabled: true },
      user.token,
    )
    expect(cleared.body).toMatchObject({ quota_limit: '0', enabled: true })
  })

  test('another user’s key can be neither changed, rotated nor deleted', async () => {
    const { key, api_key: secret } = await make()
    const other = await app.user('stranger')
    expect((await failure('PUT', `/api/user/api-keys/${key.id}`, { allowed_user_channels: [channel] }, other.token))[0]).toBe(404)
    expect((await failure('POST', `/api/user/api-keys/${key.id}/rotate`, undefined, other.token))[0]).toBe(404)
    expect((await failure('POST', `/api/user/api-keys/${key.id}/reset-usage`, undefined, other.token))[0]).toBe(404)
    expect((await app.api('DELETE', `/api/user/api-keys/${key.id}`, undefined, other.token)).status).toBe(200)
    expect(await cache.find(secret)).toMatchObject({ keyId: key.id })
  })

  test('the old rotate route gives one usable key and revokes its former secret (W56)', async () => {
    const first = (await app.api<Made>('POST', '/api/user/api-key/rotate', undefined, user.token)).body
    expect(await cache.find(first.api_key)).toMatchObject({ keyId: first.key.id })
    const second = (await app.api<Made>('POST', '/api/user/api-key/rotate', undefined, user.token)).body
    expect(second.key.id).toBe(first.key.id)
    expect(second.key.allowed_user_channels.length).toBeGreaterThan(0)
    expect(await cache.find(first.api_key)).toBeUndefined()
    expect(await cache.find(second.api_key)).toMatchObject({ keyId: first.key.id })
  })

  test('pages when asked', async () => {
    const { body } = await app.api<{ items: Key[]; total: number; page: number; page_size: number }>(
      'GET',
      '/api/user/api-keys?page=2&page_size=2',
      undefined,
      user.token,
    )
    expect([body.items.length, body.page, body.page_size]).toEqual([2, 2, 2])
    expect(body.total).toBeGreaterThan(3)
  })
})

describe('the key cache', () => {
  test('a second look-up asks no database', async () => {
    const { api_key: secret } = await make()
    const caller = await cache.find(secret)
    expect(cache.find(secret)).toBe(caller)
    expect(caller).toMatchObject({ userId: user.id, enabled: true, disabled: false, allowedUserChannels: [channel] })
    expect(caller?.groups).toHaveLength(1)
  })

  test('change, deletion, lock and deletion of the user are in force with their answer', async () => {
    const { api_key: secret, key } = await make()
    await cache.find(secret)
    await app.api('PUT', `/api/user/api-keys/${key.id}`, { allowed_user_channels: [channel], enabled: false }, user.token)
    expect((await cache.find(secret))?.enabled).toBe(false)
    await app.api('DELETE', `/api/user/api-keys/${key.id}`, undefined, user.token)
    expect(await cache.find(secret)).toBeUndefined()

    const other = await app.user('leaving')
    const made = (await app.api<Made>('POST', '/api/user/api-keys', { allowed_user_channels: [channel] }, other.token)).body
    await cache.find(made.api_key)
    await app.api('PUT', `/api/users/${other.id}`, { disabled: true })
    expect((await cache.find(made.api_key))?.disabled).toBe(true)
    await app.api('DELETE', `/api/users/${other.id}`)
    expect(await cache.find(made.api_key)).toBeUndefined()
  })

  test('a load that a change overtakes is not kept', async () => {
    const { api_key: secret, key } = await make()
    const early = cache.find(secret)
    await app.deps.changes.publish({ type: 'api_key', keyHashes: [sha256Hex(secret)] })
    await early
    await app.deps.db.query.deleteFrom('api_keys').where('id', '=', key.id).execute()
    expect(await cache.find(secret)).toBeUndefined()
  })

  test('an unknown key is remembered for a moment only', async () => {
    expect(await cache.find('sk-unknown')).toBeUndefined()
    expect(cache.find('sk-unknown')).toBeUndefined()
    app.clock.advance(5_001)
    expect(cache.find('sk-unknown')).toBeInstanceOf(Promise)
  })

  test('a rotated secret with grace works until the grace is over', async () => {
    const { api_key: old, key } = await make()
    const { body } = await app.api<Made>('POST', `/api/user/api-keys/${key.id}/rotate`, { grace_seconds: 60 }, user.token)
    const now = app.clock.now()
    expect(await cache.find(old)).toMatchObject({ keyId: key.id, expiresAt: now + 60_000 })
    expect(await cache.find(body.api_key)).toMatchObject({ keyId: key.id, expiresAt: null })
    app.clock.advance(60_001)
    expect(await cache.find(old)).toBeUndefined()
  })

  test('model names with stars match, and a hostile pattern costs nothing', async () => {
    const { api_key: secret } = await make({ allowed_models: ['gpt-*', 'claude-*-sonnet', 'exact', `${'a*'.repeat(80)}b`] })
    const caller = await cache.find(secret)
    const allowed = ['gpt-4o', 'gpt-', 'claude-4-sonnet', 'claude--sonnet', 'exact', 'xgpt-4o', 'claude-sonnet', 'exact2'].map((name) =>
      caller?.mayUseModel(name),
    )
    expect(allowed).toEqual([true, true, true, true, true, false, false, false])
    const before = performance.now()
    expect(caller?.mayUseModel('a'.repeat(20_000))).toBe(false)
    expect(performance.now() - before).toBeLessThan(100)
  })
})
