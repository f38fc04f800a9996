import type { AddressInfo } from 'node:net'
import { SMTPServer, type SMTPServerOptions } from 'smtp-server'

/** A mail as the sink got it. */
export interface SunkMail {
  to: string[]
  from: string
  /** Whether it came through TLS. */
  secure: boolean
  /** Header lines by lower-case name. */
  headers: Map<string, string>
  /** The plain text part, decoded. */
  text: string
  raw: string
}

export interface SmtpSink {
  readonly port: number
  readonly mails: SunkMail[]
  /** Settings that make an application send here. */
  readonly settings: Record<string, unknown>
  /** The code of the newest mail to an address. */
  codeFor(email: string): string | undefined
  close(): Promise<void>
}

/** A real mail server on this machine that keeps what it gets; without TLS unless `options` say otherwise. */
export async function smtpSink(options: SMTPServerOptions = {}): Promise<SmtpSink> {
  const mails: SunkMail[] = []
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    disableReverseLookup: true,
    logger: false,
    onData(stream, session, done) {
      const chunks: Buffer[] = []
      stream.on('data', (chunk: Buffer) => chunks.push(chunk))
      stream.on('end', () => {
        const { mailFrom, rcptTo } = session.envelope
        const from = mailFrom === false ? '' : mailFrom.address
        mails.push(
          parse(Buffer.concat(chunks).toString('utf8'), { from, to: rcptTo.map(({ address }) => address), secure: session.secure }),
        )
        done()
      })
    },
    ...options,
  })
  server.on('error', () => undefined)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.server.address() as AddressInfo
  return {
    port,
    mails,
    settings: {
      smtp_host: '127.0.0.1',
      smtp_port: String(port),
      smtp_from: 'Tollgate <no-reply@site.test>',
      ssrf_allowed_hosts: '127.0.0.1',
    },
    codeFor: (email) => /^\d{6}$/m.exec(mails.findLast(({ to }) => to.includes(email))?.text ?? '')?.[0],
    close: () => new Promise((resolve) => server.close(() => resolve())),
  }
}

function parse(raw: string, envelope: Pick<SunkMail, 'from' | 'to' | 'secure'>): SunkMail {
  const [head = '', ...rest] = raw.split('\r\n\r\n')
  const headers = headersOf(head)
  const boundary = /boundary="([^"]+)"/.exec(headers.get('content-type') ?? '')?.[1]
  const parts = boundary === undefined ? [raw] : rest.join('\r\n\r\n').split(`--${boundary}`)
  const plain = parts.find((part) => /content-type: text\/plain/i.test(part)) ?? ''
  const [partHead = '', ...body] = plain.trim().split('\r\n\r\n')
  return { ...envelope, raw, headers, text: decode(body.join('\r\n\r\n'), headersOf(partHead).get('content-transfer-encoding') ?? '7bit') }
}

function headersOf(head: string): Map<string, string> {
  const lines = head.replace(/\r\n[ \t]+/g, ' ').split('\r\n')
  return new Map(lines.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]))
}

function decode(body: string, encoding: string): string {
  if (encoding === 'base64') return Buffer.from(body, 'base64').toString('utf8')
  if (encoding !== 'quoted-printable') return body
  const bytes = body.replace(/=\r\n/g, '').replace(/=([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
  return Buffer.from(bytes, 'latin1').toString('utf8')
}
