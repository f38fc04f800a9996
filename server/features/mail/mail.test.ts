import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'bun:test'
import { createTestApp, type TestApp } from '../../../test/app.ts'
import { smtpSink, type SmtpSink } from '../../../test/smtp.ts'
import { MailRefused } from '../../lib/mailer.ts'
import { OutboundBlocked } from '../../lib/outbound.ts'
import { deliverMails, queueMail, sweepMails } from './service.ts'
import { mailLanguage, writeMail } from './templates.ts'

let app: TestApp
let sink: SmtpSink
const closing: (() => Promise<void>)[] = []
beforeAll(async () => {
  sink = await smtpSink()
  app = await createTestApp({ settings: sink.settings })
})
beforeEach(async () => {
  sink.mails.length = 0
  await app.deps.db.query.deleteFrom('mails').execute()
  await app.api('PUT', '/api/settings', { smtp_security: '', smtp_username: '', ...sink.settings })
})
afterAll(async () => {
  await app.close()
  await sink.close()
  for (const close of closing) await close()
})

const MINUTE = 60_000
const mail = { to: 'a@example.test', subject: 'Hello', text: 'Hello there\n', html: '<p>Hello there</p>' }
const queue = (minutes = 10): Promise<void> =>
  queueMail(app.deps.db.query, app.deps, {
    kind: 'test',
    mail,
    deadlineAt: app.clock.now() + minutes * MINUTE,
    deliver: true,
  })
const rows = () => app.deps.db.query.selectFrom('mails').selectAll().orderBy('id').execute()
const another = async (...options: Parameters<typeof smtpSink>): Promise<SmtpSink> => {
  const made = await smtpSink(...options)
  closing.push(made.close)
  return made
}

describe('the mail queue', () => {
  test('sends a mail once, as text and HTML, and keeps no text of it', async () => {
    await queue()
    expect((await rows())[0]?.sealed).not.toContain('Hello')
    await Promise.all([deliverMails(app.deps), deliverMails(app.deps), deliverMails(app.deps)])
    expect(sink.mails).toHaveLength(1)
    expect(sink.mails[0]).toMatchObject({ to: ['a@example.test'], from: 'no-reply@site.test', text: 'Hello there' })
    expect(sink.mails[0]?.raw).toContain('<p>Hello there</p>')
    expect(sink.mails[0]?.headers.get('auto-submitted')).toBe('auto-generated')
    expect(await rows()).toMatchObject([{ outcome: 'sent', sealed: '', next_try_at: null }])
  })

  test('tries again later and later while the server is down, and gives up at the deadline', async () => {
    await app.api('PUT', '/api/settings', { smtp_port: '1' })
    await queue()
    const waits: number[] = []
    for (let n = 0; n < 5; n += 1) {
      await deliverMails(app.deps)
      const [row] = await rows()
      waits.push((row?.next_try_at ?? 0) - app.clock.now())
      expect(row).toMatchObject({ outcome: '', tries: n + 1 })
      app.clock.advance(waits.at(-1) ?? 0)
    }
    expect(waits).toEqual([5_000, 15_000, 45_000, 135_000, 300_000])
    app.clock.advance(10 * MINUTE)
    await deliverMails(app.deps)
    expect(await rows()).toMatchObject([{ outcome: 'expired', sealed: '', next_try_at: null }])
  })

  test('arrives once the server is back', async () => {
    await app.api('PUT', '/api/settings', { smtp_port: '1' })
    await queue()
    await deliverMails(app.deps)
    await app.api('PUT', '/api/settings', { smtp_port: String(sink.port) })
    app.clock.advance(5_000)
    await deliverMails(app.deps)
    expect(sink.mails).toHaveLength(1)
  })

  test('does not repeat what the server refuses for good', async () => {
    const refusing = await another({
      onRcptTo: (_, _session, done) => done(Object.assign(new Error('no such user'), { responseCode: 550 })),
    })
    await app.api('PUT', '/api/settings', refusing.settings)
    await queue()
    await deliverMails(app.deps)
    expect(await rows()).toMatchObject([{ outcome: 'refused', next_try_at: null }])
  })

  test('forgets traces after a day', async () => {
    await queue()
    await deliverMails(app.deps)
    app.clock.advance(25 * 60 * MINUTE)
    await sweepMails(app.deps)
    expect(await rows()).toEqual([])
  })
})

describe('the mail server', () => {
  test('is not reached on an address the owner does not list', async () => {
    await app.api('PUT', '/api/settings', { ssrf_allowed_hosts: '' })
    await expect(app.deps.mailer.send(mail)).rejects.toThrow(OutboundBlocked)
    expect(sink.mails).toEqual([])
  })

  test('gets nothing without TLS unless it is listed', async () => {
    await app.api('PUT', '/api/settings', { ssrf_allowed_hosts: '', ssrf_allow_private_networks: true })
    await expect(app.deps.mailer.send(mail)).rejects.toThrow(/STARTTLS/)
    expect(sink.mails).toEqual([])
    await app.api('PUT', '/api/settings', { ssrf_allow_private_networks: false })
  })

  test('gets mail through STARTTLS where it offers it, and by TLS from the start', async () => {
    const tls = await another({ disabledCommands: [] })
    await app.api('PUT', '/api/settings', tls.settings)
    await app.deps.mailer.send(mail)
    expect(tls.mails).toMatchObject([{ secure: true }])
    // Its certificate is its own making: refused where it has to stand for the name.
    await app.api('PUT', '/api/settings', { ssrf_allowed_hosts: '', ssrf_allow_private_networks: true })
    await expect(app.deps.mailer.send(mail)).rejects.toThrow(/self.signed|certificate/i)
    const implicit = await another({ secure: true })
    await app.api('PUT', '/api/settings', { ...implicit.settings, smtp_security: 'tls' })
    await expect(app.deps.mailer.send(mail)).rejects.toThrow(/self.signed|certificate/i)
    await app.api('PUT', '/api/settings', { ssrf_allow_private_networks: false })
  })

  test('gets user name and password, and a wrong one is worth another try', async () => {
    const strict = await another({
      authOptional: false,
      allowInsecureAuth: true,
      onAuth: ({ username, password }, _, done) =>
        username === 'post' && password === ' right ' ? done(null, { user: 'post' }) : done(new Error('no')),
    })
    await app.api('PUT', '/api/settings', { ...strict.settings, smtp_username: 'post', smtp_password: ' right ' })
    await app.deps.mailer.send(mail)
    expect(strict.mails).toHaveLength(1)
    await app.api('PUT', '/api/settings', { smtp_password: 'wrong' })
    const failure = await app.deps.mailer.send(mail).catch((error: unknown) => error)
    expect(failure).toBeInstanceOf(Error)
    expect(failure).not.toBeInstanceOf(MailRefused)
    await app.api('PUT', '/api/settings', { smtp_password: null })
  })

  test('gets an address as it is, whatever it looks like', async () => {
    await app.deps.mailer.send({ ...mail, to: 'a,b@example.test' })
    expect(sink.mails.map(({ to }) => to)).toEqual([['"a,b"@example.test']])
  })
})

describe('texts of mails', () => {
  test('are in the language the browser asks for first', () => {
    expect([null, '', 'fr', 'zh-CN,zh;q=0.9,en;q=0.8', 'en-GB,zh', 'fr,zh'].map(mailLanguage)).toEqual(['en', 'en', 'en', 'zh', 'en', 'zh'])
  })

  test('hold the code on its own line, and the site’s name is only text', () => {
    const { text, html, subject } = writeMail('a@example.test', '<b>Site</b>', 'zh', { kind: 'registration', code: '012345', minutes: 10 })
    expect(text).toMatch(/^012345$/m)
    expect(html).toContain('&#60;b&#62;Site')
    expect(subject).toBe('您的验证码')
    expect(html.match(/\d{6}/g)).toEqual(['012345'])
  })
})
