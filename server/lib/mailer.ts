import { isIP } from 'node:net'
import type { LiveSettings } from './live-settings.ts'
import { guardedAddress } from './outbound.ts'

export interface Mail {
  to: string
  subject: string
  text: string
  html: string
}

/** How to reach the mail server; as the settings have it, or as an unsaved form does. */
export interface SmtpSettings {
  host: string
  port: number
  username: string
  password: string
  /** `a@b.example` or `Name <a@b.example>`. */
  from: string
  /** `auto`: TLS from the start on port 465, STARTTLS elsewhere. */
  security: 'auto' | 'tls' | 'starttls'
}

/** The server said no for good (5xx): the same mail again would get the same answer. */
export class MailRefused extends Error {
  override readonly name = 'MailRefused'
}

export interface Mailer {
  /** Host and sender are set (contract.md 5.1). */
  configured(): boolean
  /**
   * Hands one mail to the server; resolves once that has taken it.
   * @throws MailRefused when the server refuses it for good; OutboundBlocked; any network error
   */
  send(mail: Mail, smtp?: SmtpSettings): Promise<void>
}

/** A mail server answers within these or is down; the whole stays below the lease of the queue (features/mail). */
const CONNECT_TIMEOUT_MS = 10_000
const GREETING_TIMEOUT_MS = 10_000
const SOCKET_TIMEOUT_MS = 20_000
/** The port whose protocol is TLS from the first byte (RFC 8314). */
const IMPLICIT_TLS_PORT = 465

/** Sends through SMTP as the settings say at that moment. */
export function createMailer(settings: LiveSettings): Mailer {
  return {
    configured: () => settings.text('smtp_host') !== '' && settings.text('smtp_from') !== '',
    async send(mail, smtp = smtpSettings(settings)) {
      // Loaded with the first mail: 19 MB that a server without a mail server does without.
      const { createTransport } = await import('nodemailer')
      const { address, listed } = await guardedAddress(settings, smtp.host, smtp.port)
      const implicit = smtp.security === 'tls' || (smtp.security === 'auto' && smtp.port === IMPLICIT_TLS_PORT)
      const transport = createTransport({
        // The checked address itself: a second DNS answer cannot lead elsewhere. The certificate is for the name.
        host: address,
        port: smtp.port,
        secure: implicit,
        // Without TLS only to a host the owner lists as his own; there a self-made certificate is no worse than none.
        requireTLS: !implicit && !listed,
        tls: { ...(isIP(smtp.host) === 0 ? { servername: smtp.host } : {}), rejectUnauthorized: implicit || !listed },
        ...(smtp.username === '' ? {} : { auth: { user: smtp.username, pass: smtp.password } }),
        name: domainOf(smtp.from),
        connectionTimeout: CONNECT_TIMEOUT_MS,
        greetingTimeout: GREETING_TIMEOUT_MS,
        socketTimeout: SOCKET_TIMEOUT_MS,
        disableFileAccess: true,
        disableUrlAccess: true,
      })
      try {
        await transport.sendMail({
          from: smtp.from,
          ...mail,
          to: { name: '', address: mail.to },
          headers: { 'Auto-Submitted': 'auto-generated' },
        })
      } catch (error) {
        const { code, responseCode } = error as { code?: unknown; responseCode?: unknown }
        // A refused log-in or STARTTLS is not the mail's fault: the owner may mend the settings while it waits.
        if ((code === 'EENVELOPE' || code === 'EMESSAGE') && typeof responseCode === 'number' && responseCode >= 500)
          throw new MailRefused(`the mail server answered ${responseCode}`, { cause: error })
        throw error
      } finally {
        transport.close()
      }
    },
  }
}

/** The mail server of the settings. */
export function smtpSettings(settings: LiveSettings): SmtpSettings {
  const security = settings.text('smtp_security')
  return {
    host: settings.text('smtp_host'),
    port: settings.integer('smtp_port'),
    username: settings.text('smtp_username'),
    password: settings.text('smtp_password'),
    from: settings.text('smtp_from'),
    security: security === 'tls' || security === 'starttls' ? security : 'auto',
  }
}

/** What we call ourselves to the server: the sender's domain, not the name of this machine. */
function domainOf(from: string): string {
  return /@([a-z0-9.-]+)/i.exec(from)?.[1] ?? 'localhost'
}
