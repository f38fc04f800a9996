import type { testMail } from '../../../contract/api/settings.ts'
import type { BodyOf, ResponseOf } from '../../../contract/endpoint.ts'
import { checkSetting, type TextKey } from '../../../contract/settings.ts'
import type { Deps } from '../../http/deps.ts'
import { smtpSettings, type SmtpSettings } from '../../lib/mailer.ts'
import { guardedAddress } from '../../lib/outbound.ts'
import { isMask } from '../../lib/secret-box.ts'
import { countAttempt } from '../attempts/service.ts'
import { writeMail, type MailLanguage } from '../mail/templates.ts'
import { requireUser } from '../users/service.ts'
import { MAX_MESSAGE, TESTS, wordsOf } from './steps.ts'

type Answer = ResponseOf<typeof testMail>
type Form = BodyOf<typeof testMail>

/**
 * Sends a mail to the one who asks, with what the form says over what is stored. What goes wrong is the answer, in the
 * words of the server or the network: the caller may see the settings anyhow.
 * @throws AppError too_many_requests
 */
export async function tryMail(deps: Deps, userId: number, form: Form, language: MailLanguage): Promise<Answer> {
  await countAttempt(deps, `mail test:${userId}`, TESTS)
  const { email } = await requireUser(deps.db.query, userId)
  const steps: Answer['steps'] = []
  const step = async (name: Answer['steps'][number]['name'], work: () => Promise<string> | string): Promise<boolean> => {
    try {
      steps.push({ name, ok: true, message: await work() })
      return true
    } catch (error) {
      steps.push({ name, ok: false, message: wordsOf(error).slice(0, MAX_MESSAGE) })
      return false
    }
  }
  const smtp = merged(smtpSettings(deps.settings), form)
  const ok =
    (await step('settings', () => checked(smtp))) &&
    (await step('address', async () => (await guardedAddress(deps.settings, smtp.host, smtp.port)).address)) &&
    (await step('delivery', async () => {
      await deps.mailer.send(writeMail(email, deps.settings.text('site_name'), language, { kind: 'test' }), smtp)
      return email
    }))
  return { ok, steps }
}

function merged(stored: SmtpSettings, form: Form): SmtpSettings {
  const { security } = stored
  const smtp: SmtpSettings = {
    host: form.smtp_host?.trim() ?? stored.host,
    port: Number(form.smtp_port ?? stored.port),
    username: form.smtp_username?.trim() ?? stored.username,
    from: form.smtp_from?.trim() ?? stored.from,
    security:
      form.smtp_security === 'tls' || form.smtp_security === 'starttls' || form.smtp_security === 'auto' ? form.smtp_security : security,
    password: '',
  }
  // The stored password goes to the server it was stored for and to no other.
  const same = smtp.host === stored.host && smtp.port === stored.port && smtp.username === stored.username
  const { smtp_password: typed } = form
  if (typed === undefined || typed === '' || (typed !== null && isMask(typed))) smtp.password = same ? stored.password : ''
  else smtp.password = typed ?? ''
  return smtp
}

/** @throws Error naming the setting that is at fault */
function checked(smtp: SmtpSettings): string {
  const texts: Partial<Record<TextKey, string>> = { smtp_host: smtp.host, smtp_port: String(smtp.port), smtp_from: smtp.from }
  for (const [key, value] of Object.entries(texts) as [TextKey, string][]) {
    const fault = value === '' ? 'must not be empty' : checkSetting(key, value)
    if (fault !== undefined) throw new Error(`${key}: ${fault}`)
  }
  return `${smtp.host}:${smtp.port}`
}
