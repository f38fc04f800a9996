import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

/** An address that a channel may be given, and what must be let go afterwards. */
export interface DeadEnd {
  readonly url: string
  stop(): void
}

/** Nobody listens. */
export async function refusingPort(): Promise<DeadEnd> {
  const probe = Bun.serve({ port: 0, hostname: '127.0.0.1', fetch: () => new Response() })
  const url = `http://127.0.0.1:${probe.port}`
  await probe.stop(true)
  return { url, stop: () => undefined }
}

/** A name that does not exist, and by RFC 6761 never will. */
export const unknownName: DeadEnd = { url: 'http://upstream.invalid', stop: () => undefined }

/** Speaks TLS with a certificate that nobody vouches for. */
export function selfSigned(): DeadEnd {
  const server = Bun.serve({ port: 0, hostname: '127.0.0.1', tls: SELF_SIGNED, fetch: () => new Response('{}') })
  return { url: `https://127.0.0.1:${server.port}`, stop: () => void server.stop(true) }
}

/** Prints its port and accepts as long as it runs; the parent stops it. */
const LISTENER = `require('net').createServer(() => {}).listen({ port: 0, host: '127.0.0.1', backlog: 1 }, function () { console.log(this.address().port) })`
/** More than a backlog of one and its rounding take. */
const FILLERS = 4
const FILLED_AFTER_MS = 100

/** Answers no SYN: a stopped process whose queue of connections is full, as a host behind a firewall that drops. */
export async function blackHole(): Promise<DeadEnd> {
  const child = Bun.spawn(['node', '-e', LISTENER], { stdin: 'ignore', stdout: 'pipe', stderr: 'inherit' })
  const { value } = await child.stdout.getReader().read()
  const port = Number(new TextDecoder().decode(value))
  child.kill('SIGSTOP')
  const fillers: Socket[] = []
  for (let index = 0; index < FILLERS; index += 1) {
    const filler = connect(port, '127.0.0.1')
    filler.on('error', () => undefined)
    fillers.push(filler)
    await Promise.race([once(filler, 'connect'), Bun.sleep(FILLED_AFTER_MS)])
  }
  return {
    url: `http://127.0.0.1:${port}`,
    stop() {
      for (const filler of fillers) filler.destroy()
      child.kill('SIGKILL')
    },
  }
}

/** For this test only; it protects nothing. */
const SELF_SIGNED = {
  key: `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgNT2ZrSwzlxJcbXjF
dnPznmr2Wgl2YErL7MVzAdG5vwGhRANCAATAXQNFuG9Y5t/vBBF2Liqd8r1Z1aL0
CRi+SN9pFyxHkdjFp9/vX0KpZfOC8iQlFwADErC6IUdXK5gqkmZiIn1A
-----END PRIVATE KEY-----`,
  cert: `-----BEGIN CERTIFICATE-----
MIIBgjCCASmgAwIBAgIUe3cKFCj2/7Oek6aszKSC1WJqU74wCgYIKoZIzj0EAwIw
FjEUMBIGA1UEAwwLbm9ib2R5LnRlc3QwIBcNMjYxMTIzMDQzMzA2WhgPMjEyNjEw
MzAwNDMzMDZaMBYxFDASBgNVBAMMC25vYm9keS50ZXN0MFkwEwYHKoZIzj0CAQYI
KoZIzj0DAQcDQgAEwF0DRbhvWObf7wQRdi4qnfK9WdWi9AkYvkjfaRcsR5HYxaff
719CqWXzgvIkJRcAAxKwuiFHVyuYKpJmYiJ9QKNTMFEwHQYDVR0OBBYEFO8/3H24
YNOZ54Kn3eaCbiYJCNuDMB8GA1UdIwQYMBaAFO8/3H24YNOZ54Kn3eaCbiYJCNuD
MA8GA1UdEwEB/wQFMAMBAf8wCgYIKoZIzj0EAwIDRwAwRAIgdzNG3mZAUl2l4VgV
GmaLW5J9/rjCBioIPidSwVaSzkMCICzVf2YChN5TT3rLsUXNU6mezkORPiXkU/tT
zq4M0C1u
-----END CERTIFICATE-----`,
}
