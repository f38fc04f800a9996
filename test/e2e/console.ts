import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { chromium, type Browser, type Page } from 'playwright-core'

const CHROMIUM = '/usr/bin/chromium'
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]
/** A cold start with migrations on a busy machine. */
const START_MS = 15_000

export interface RunningServer {
  readonly url: string
  stop(): Promise<void>
}

/** Starts the real server on an empty database and a free port; its console has to be built. */
export async function startServer(): Promise<RunningServer> {
  const folder = mkdtempSync(join(tmpdir(), 'tollgate-e2e-'))
  const child = Bun.spawn([process.execPath, 'server/main.ts'], {
    cwd: new URL('../..', import.meta.url).pathname,
    // Nothing of the caller's environment: a developer's own DATABASE_URL must not be set up by a test.
    env: { PORT: '0', HOST: '127.0.0.1', DB_PATH: join(folder, 'tollgate.db'), LOG_LEVEL: 'warn' },
    stdout: 'pipe',
    stderr: 'inherit',
  })
  const stop = async () => {
    child.kill()
    await child.exited
    rmSync(folder, { recursive: true, force: true })
  }
  const reader = child.stdout.getReader()
  let said = ''
  const deadline = AbortSignal.timeout(START_MS)
  while (!deadline.aborted) {
    const { value, done } = await reader.read()
    said += new TextDecoder().decode(value)
    const url = /running at (http:\/\/\S+)/.exec(said)?.[1]
    if (url !== undefined) return { url, stop }
    if (done) break
  }
  await stop()
  throw new Error(`the server did not start: ${said}`)
}

export async function startBrowser(): Promise<Browser> {
  return chromium.launch({ executablePath: CHROMIUM, args: FLAGS })
}

/** What must not happen on any page; collected while it is driven (console.md section 6). */
export interface Faults {
  readonly console: string[]
  readonly csp: string[]
  readonly failed: string[]
  readonly foreign: string[]
}

/** Watches a page for console errors, policy violations, 4xx and 5xx answers, and requests to anybody else. */
export async function watch(page: Page, origin: string): Promise<Faults> {
  const faults: Faults = { console: [], csp: [], failed: [], foreign: [] }
  await page.exposeFunction('__violated', (text: string) => faults.csp.push(text))
  await page.addInitScript(() => {
    document.addEventListener('securitypolicyviolation', (event) => {
      const told = globalThis as unknown as { __violated(text: string): void }
      told.__violated(`${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}:${event.lineNumber}`)
    })
  })
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') faults.console.push(message.text())
  })
  page.on('pageerror', (error) => faults.console.push(String(error)))
  page.on('request', (request) => {
    if (!/^(data|blob):/.test(request.url()) && new URL(request.url()).origin !== origin) faults.foreign.push(request.url())
  })
  page.on('response', (response) => {
    if (response.status() >= 400) faults.failed.push(`${response.status()} ${response.request().method()} ${response.url()}`)
  })
  return faults
}
