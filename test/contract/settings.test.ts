import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { createTestApp, type TestApp } from '../app.ts'
import { contractSettings } from './settings.ts'

/** contract.md 3.1, 3.5 and 5: what a setting is when nobody set it, that it can be set, and that it can be cleared again. */
type Settings = Record<string, unknown>

/** A database of its own on a busy machine. */
const BUSY_MS = 30_000
let app: TestApp
beforeAll(async () => {
  app = await createTestApp()
}, BUSY_MS)
afterAll(() => app.close())

/** The rows of this table: each is asked for every setting below. */
const [PUBLIC, READ, WRITE] = ['GET /api/public/settings', 'GET /api/settings', 'PUT /api/settings'] as const
const get = async (path = '/api/settings'): Promise<Settings> => (await app.api<Settings>('GET', path)).body
const put = (body: unknown) => app.api<Settings & { error: string }>('PUT', '/api/settings', body)
const ofPublic = contractSettings.filter(({ seenBy }) => seenBy === 'everybody')
/** What Tollgate adds (docs/api.md). */
const isOurs = (key: string): boolean => key === 'mail_enabled' || !contractSettings.some((setting) => setting.key === key)

test(
  'everybody reads the public ones, the support reads all, administrators write',
  async () => {
    const access = (name: string) => app.app.endpoints.find(({ method, path }) => `${method} ${path}` === name)?.access
    expect([access(PUBLIC), access(READ), access(WRITE)]).toEqual(['public', 'support', 'admin'])
    for (const method of ['GET', 'PUT'])
      expect((await app.api(method, '/api/settings', method === 'PUT' ? {} : undefined, null)).status).toBe(401)
  },
  BUSY_MS,
)

test(
  'everybody sees each public setting with its default, and no other of the contract',
  async () => {
    const seen = Object.entries(await get('/api/public/settings')).filter(([key]) => !isOurs(key))
    expect(Object.fromEntries(seen)).toEqual(Object.fromEntries(ofPublic.map(({ key, fallback }) => [key, fallback])))
    expect((await get('/api/public/settings')).edition).toBe('community')
  },
  BUSY_MS,
)

test(
  'administrators see the rest too; texts of theirs that are empty are left out',
  async () => {
    const seen = Object.entries(await get()).filter(([key]) => !isOurs(key))
    const wanted = contractSettings.filter(({ seenBy, fallback }) => seenBy === 'everybody' || fallback !== '')
    expect(Object.fromEntries(seen)).toEqual(Object.fromEntries(wanted.map(({ key, fallback }) => [key, fallback])))
  },
  BUSY_MS,
)

describe('each setting', () => {
  for (const { key, kind, fallback, other, refused, seenBy } of contractSettings)
    test(
      `${key} is stored, in force at once, ${kind === 'secret' ? 'masked' : 'cleared by an empty text'}, ${refused === undefined ? 'any text' : 'checked'}`,
      async () => {
        const before = await get()
        const answer = await put({ [key]: other })
        expect(answer.status).toBe(200)
        const shown = answer.body[key]
        if (kind === 'secret') expect(String(shown)).toMatch(/^\*{8}/)
        else expect(shown).toEqual(other)
        expect(await get()).toEqual(answer.body)
        if (seenBy === 'everybody') expect((await get('/api/public/settings'))[key]).toEqual(other)
        else expect(await get('/api/public/settings')).not.toHaveProperty(key)
        for (const kept of [
          {},
          { [key]: undefined },
          { unknown: 'x', edition: 'premium' },
          ...(kind === 'secret' ? [{ [key]: '' }, { [key]: shown }] : [{ [key]: null }]),
        ])
          expect((await put(kept)).body).toEqual(answer.body)
        if (refused !== undefined) {
          const bad = await put({ footer_text: 'half', [key]: refused })
          expect([bad.status, bad.body.error.startsWith(key)]).toEqual([400, true])
          expect(await get()).toEqual(answer.body)
        }
        if (key === 'site_name') {
          expect(await put({ site_name: ' ' })).toMatchObject({ status: 400, body: { error: 'Site name is required' } })
          expect(await put({ site_name: 'x'.repeat(81) })).toMatchObject({ status: 400, body: { error: 'Site name is too long' } })
        }
        const clear = kind === 'secret' ? null : kind === 'bool' || key === 'site_name' ? fallback : ''
        expect((await put({ [key]: clear })).body).toEqual(before as Settings & { error: string })
      },
      BUSY_MS,
    )
})

test(
  'a client sends back everything it got, with one thing changed: nothing else changes',
  async () => {
    await put({ smtp_password: 'a-mail-password', sensitive_words: 'one', base_url: 'https://shop.example.test/' })
    const all = await get()
    expect(all.payment_openpayment_notify_url).toBe('https://shop.example.test/api/payment/openpayment/notify')
    expect(all.payment_openpayment_return_url).toBe('https://shop.example.test/api/payment/openpayment/return')
    expect((await put({ ...all, footer_text: ' new ' })).body).toMatchObject({ ...all, footer_text: 'new' })
    expect(app.deps.settings.text('smtp_password')).toBe('a-mail-password')
    const audit = await app.deps.db.query.selectFrom('audit_log').selectAll().where('object_type', '=', 'settings').orderBy('id').execute()
    expect(audit.at(-1)).toMatchObject({ before: '{"footer_text":""}', after: '{"footer_text":"new"}' })
  },
  BUSY_MS,
)

test(
  'what is no settings object is refused',
  async () => {
    for (const body of ['[]', '"x"', '{']) {
      const response = await app.fetch('/api/settings', {
        method: 'PUT',
        headers: { authorization: `Bearer ${await app.admin()}`, 'content-type': 'application/json' },
        body,
      })
      expect(response.status).toBe(400)
    }
    expect((await put({ footer_text: { a: 1 } })).status).toBe(400)
    expect((await put({ checkin_enabled: 'maybe' })).status).toBe(400)
    expect((await put({ smtp_port: 2525 })).body.smtp_port).toBe('2525')
  },
  BUSY_MS,
)
