import { afterAll, beforeAll, expect, test } from 'bun:test'
import { createTestApp, type TestApp } from '../../../test/app.ts'
import { smtpSink, type SmtpSink } from '../../../test/smtp.ts'

let app: TestApp
let sink: SmtpSink
const seen: string[] = []
beforeAll(async () => {
  sink = await smtpSink({
    allowInsecureAuth: true,
    onAuth: ({ username = '', password = '' }, _, done) => {
      seen.push(`${username}:${password}`)
      done(null, { user: username })
    },
  })
  app = await createTestApp({ settings: { ssrf_allowed_hosts: '127.0.0.1' } })
})
afterAll(async () => {
  await app.close()
  await sink.close()
})

interface Answer {
  ok: boolean
  steps: { name: string; ok: boolean; message: string }[]
}
const tryMail = async (body: object, token?: string) => (await app.api<Answer>('POST', '/api/settings/test/email', body, token)).body

test('a test mail goes to who asks, with settings that are not saved', async () => {
  const answer = await tryMail({ ...sink.settings, smtp_username: 'post', smtp_password: 'typed' })
  expect(answer).toMatchObject({ ok: true, steps: [{ name: 'settings' }, { name: 'address', message: '127.0.0.1' }, { name: 'delivery' }] })
  expect(sink.mails.map(({ to }) => to)).toEqual([['owner@example.test']])
  expect(seen).toEqual(['post:typed'])
  expect(app.deps.mailer.configured()).toBe(false)
})

test('the stored password is not sent to another server', async () => {
  seen.length = 0
  await app.api('PUT', '/api/settings', { ...sink.settings, smtp_username: 'post', smtp_password: 'the stored one' })
  expect((await tryMail({})).ok).toBe(true)
  expect((await tryMail({ smtp_password: '********' })).ok).toBe(true)
  await app.api('PUT', '/api/settings', { smtp_port: '2525' })
  await tryMail({ smtp_port: sink.port, smtp_password: '********' })
  expect(seen).toEqual(['post:the stored one', 'post:the stored one'])
})

test('what goes wrong is said, step by step', async () => {
  const last = async (body: object) => (await tryMail({ ...sink.settings, ...body })).steps.at(-1)
  expect(await last({ smtp_from: 'nobody' })).toMatchObject({ name: 'settings', ok: false, message: expect.stringContaining('smtp_from') })
  expect(await last({ smtp_host: '10.0.0.1' })).toMatchObject({
    name: 'address',
    ok: false,
    message: expect.stringContaining('ssrf_allowed_hosts'),
  })
  expect(await last({ smtp_port: 1 })).toMatchObject({ name: 'delivery', ok: false })
})

test('is for administrators', async () => {
  const { token } = await app.user('no-admin')
  expect((await app.api('POST', '/api/settings/test/email', {}, token)).status).toBe(403)
})
