import type { Mail } from '../../lib/mailer.ts'

export type MailLanguage = 'en' | 'zh'

/** What mails there are; a `code` has six digits. */
export type MailContent =
  | { kind: 'registration' | 'password_change' | 'password_reset'; code: string; minutes: number }
  | { kind: 'account_exists' | 'password_changed' | 'test' }
  | { kind: 'monitor'; name: string; up: boolean; message: string }

interface Words {
  subject: string
  lead: string
  code?: string
  end: string
}

/** The language a browser asks for: Chinese when it comes before English, else English. */
export function mailLanguage(acceptLanguage: string | null): MailLanguage {
  const first = (acceptLanguage ?? '')
    .split(',')
    .map((part) => part.trim().slice(0, 2).toLowerCase())
    .find((code) => code === 'zh' || code === 'en')
  return first === 'zh' ? 'zh' : 'en'
}

/** Writes a mail as plain text and as HTML without anything that is loaded from elsewhere. */
export function writeMail(to: string, site: string, language: MailLanguage, content: MailContent): Mail {
  const words = language === 'zh' ? chinese(site, content) : english(site, content)
  const text = [words.lead, words.code, words.end].filter((part) => part !== undefined).join('\n\n')
  const code =
    words.code === undefined
      ? ''
      : `<p style="font:600 28px/1.2 ui-monospace,Consolas,monospace;letter-spacing:.18em;margin:24px 0">${escape(words.code)}</p>`
  const html =
    `<!doctype html><html lang="${language === 'zh' ? 'zh-CN' : 'en'}"><meta charset="utf-8"><meta name="color-scheme" content="light dark">` +
    `<body style="font:16px/1.6 system-ui,sans-serif;max-width:480px;margin:0 auto;padding:32px 20px">` +
    `<p style="font-weight:600;margin:0 0 24px">${escape(site)}</p><p>${escape(words.lead)}</p>${code}` +
    `<p style="opacity:.7;font-size:14px">${escape(words.end)}</p></body></html>`
  return { to, subject: words.subject, text: `${text}\n`, html }
}

function english(site: string, content: MailContent): Words {
  switch (content.kind) {
    case 'registration':
      return {
        subject: 'Your verification code',
        lead: `Your code to register at ${site}:`,
        code: content.code,
        end: `It is valid for ${content.minutes} minutes and works once. If you did not ask for it, ignore this mail.`,
      }
    case 'password_change':
      return {
        subject: 'Your verification code',
        lead: `Your code to change your password at ${site}:`,
        code: content.code,
        end: `It is valid for ${content.minutes} minutes and works once. If you did not ask for it, somebody else is signed in to your account: end all sessions in the settings.`,
      }
    case 'password_reset':
      return {
        subject: 'Your verification code',
        lead: `Your code to set a new password at ${site}:`,
        code: content.code,
        end: `It is valid for ${content.minutes} minutes and works once. If you did not ask for it, ignore this mail: your password stays as it is.`,
      }
    case 'account_exists':
      return {
        subject: `You already have an account at ${site}`,
        lead: `Somebody, probably you, wanted to register at ${site} with this address. It already has an account: sign in, or set a new password if you have forgotten yours.`,
        end: 'If that was not you, ignore this mail: nothing has changed.',
      }
    case 'password_changed':
      return {
        subject: `Your password at ${site} was changed`,
        lead: `The password of your account at ${site} was changed, and all sessions have ended.`,
        end: 'If that was not you, set a new password at once and tell the site owner.',
      }
    case 'monitor':
      return content.up
        ? { subject: `${content.name} is up again`, lead: `${content.name}, watched by ${site}, works again.`, end: content.message }
        : {
            subject: `${content.name} is down`,
            lead: `${content.name}, watched by ${site}, does not answer as it should.`,
            end: content.message,
          }
    case 'test':
      return {
        subject: `Test mail from ${site}`,
        lead: `This mail shows that ${site} can send mail.`,
        end: 'It was sent from the settings page.',
      }
  }
}

function chinese(site: string, content: MailContent): Words {
  switch (content.kind) {
    case 'registration':
      return {
        subject: '您的验证码',
        lead: `您在 ${site} 注册的验证码：`,
        code: content.code,
        end: `${content.minutes} 分钟内有效，仅可使用一次。如非本人操作，请忽略此邮件。`,
      }
    case 'password_change':
      return {
        subject: '您的验证码',
        lead: `您在 ${site} 修改密码的验证码：`,
        code: content.code,
        end: `${content.minutes} 分钟内有效，仅可使用一次。如非本人操作，说明有人登录了您的账户，请在设置中结束所有会话。`,
      }
    case 'password_reset':
      return {
        subject: '您的验证码',
        lead: `您在 ${site} 重设密码的验证码：`,
        code: content.code,
        end: `${content.minutes} 分钟内有效，仅可使用一次。如非本人操作，请忽略此邮件，密码不会改变。`,
      }
    case 'account_exists':
      return {
        subject: `您在 ${site} 已有账户`,
        lead: `有人（可能是您）用此邮箱在 ${site} 注册。该邮箱已有账户：请直接登录，忘记密码可以重设。`,
        end: '如非本人操作，请忽略此邮件，一切保持不变。',
      }
    case 'password_changed':
      return {
        subject: `您在 ${site} 的密码已修改`,
        lead: `您在 ${site} 的账户密码已修改，所有会话均已结束。`,
        end: '如非本人操作，请立即重设密码并联系站长。',
      }
    case 'monitor':
      return content.up
        ? { subject: `${content.name} 已恢复`, lead: `${site} 监控的 ${content.name} 已恢复正常。`, end: content.message }
        : { subject: `${content.name} 不可用`, lead: `${site} 监控的 ${content.name} 没有正常响应。`, end: content.message }
    case 'test':
      return { subject: `来自 ${site} 的测试邮件`, lead: `收到此邮件说明 ${site} 可以发送邮件。`, end: '由设置页面发送。' }
  }
}

function escape(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)
}
