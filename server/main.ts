import { ConfigError, helpText, readConfig, type AppConfig } from './config.ts'
import { createApp, type RunningApp } from './app.ts'
import { isLoopback } from './lib/client-ip.ts'
import { describeError } from './lib/log.ts'
import { consoleDir } from './lib/paths.ts'
import { listen } from './listen.ts'
import { startGateway } from './relay/start.ts'

/** Running calls may take this long to end after a stop was asked for. */
const DRAIN_MS = 30_000
const DRAIN_STEP_MS = 25
/** npm passes on the Ctrl-C that the terminal has already sent to us: only a later signal means "now". */
const SAME_SIGNAL_MS = 1_000

if (process.argv.includes('--help') || process.argv.includes('-h')) {
  process.stdout.write(helpText)
} else {
  // Not awaited: npm start runs a bytecode bundle, which has no top-level await (scripts/build.mjs).
  start().catch((error: unknown) => {
    const text =
      error instanceof ConfigError
        ? `The configuration is not usable:\n${error.message}`
        : `Tollgate could not start: ${describeError(error)}`
    process.stderr.write(`${text}\n`)
    process.exit(1)
  })
}

async function start(): Promise<void> {
  const config = readConfig()
  const app = await createApp({ config, gateway: startGateway, consoleDir })
  const server = listen(app, { port: config.port, hostname: config.host })
  let stoppingSince: number | undefined
  const stop = (): void => {
    if (stoppingSince !== undefined) {
      if (performance.now() - stoppingSince > SAME_SIGNAL_MS) process.exit(1)
      return
    }
    stoppingSince = performance.now()
    void drain(app, server).then(() => process.exit(0))
  }
  process.on('SIGTERM', stop)
  process.on('SIGINT', stop)
  await announce(config, app, server.port ?? config.port)
}

/** Accepts nothing more, lets what runs finish, then closes the database. */
async function drain(app: RunningApp, server: Bun.Server<unknown>): Promise<void> {
  app.drain()
  void server.stop()
  const until = performance.now() + DRAIN_MS
  while (server.pendingRequests > 0 && performance.now() < until) await Bun.sleep(DRAIN_STEP_MS)
  await server.stop(true)
  await app.close()
}

/** One line with the address; before setup, and when others can reach the port, the link that lets them do it. */
async function announce(config: AppConfig, app: RunningApp, port: number): Promise<void> {
  const address = `http://${isWildcard(config.host) ? 'localhost' : config.host.includes(':') ? `[${config.host}]` : config.host}:${port}`
  process.stdout.write(`Tollgate is running at ${address}\n`)
  const link = await app.setupLink()
  if (link === undefined) return
  if (config.host === 'localhost' || isLoopback(config.host)) process.stdout.write(`First start: open ${address} to set it up\n`)
  else
    process.stdout.write(
      `First start: open ${address} on this machine, or from another one this link, once:\n  http://<this host>:${port}${link}\n`,
    )
}

function isWildcard(host: string): boolean {
  return host === '0.0.0.0' || host === '::'
}
