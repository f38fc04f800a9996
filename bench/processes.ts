import { cpuMicros, residentMb } from './measure.ts'

const running: Bun.Subprocess[] = []
const bun = process.execPath
/** A file beside this one. */
export const here = (name: string): string => new URL(name, import.meta.url).pathname

/** A server under load. */
export interface Target {
  name: string
  url: string
  key: string
  pid: number | undefined
  base: string
}
/** What bench/load.ts saw. */
export interface Load {
  requests: number
  errors: number
  chunks: number
  seconds: number
  p50: number
  p99: number
  firstP50: number
  firstP99: number
}

/** A child process, ended with `endAll`. */
export function start(command: string[], env: Record<string, string> = {}): Bun.Subprocess<'ignore', 'pipe', 'inherit'> {
  const child = Bun.spawn(command, {
    stdout: 'pipe',
    stderr: 'inherit',
    stdin: 'ignore',
    env: { ...process.env, BUN_CONFIG_MAX_HTTP_REQUESTS: '65535', ...env },
  })
  running.push(child)
  return child
}

/** The first line a child prints. @throws Error when it ends before */
export async function firstLine(child: Bun.Subprocess<'ignore', 'pipe', 'inherit'>): Promise<string> {
  const reader = child.stdout.getReader()
  let text = ''
  while (!text.includes('\n')) {
    const { done, value } = await reader.read()
    if (done) throw new Error('a process ended before it was ready')
    text += new TextDecoder().decode(value)
  }
  reader.releaseLock()
  return text.slice(0, text.indexOf('\n'))
}

/** A port nobody listens on now. */
export async function freePort(): Promise<number> {
  const probe = Bun.serve({ port: 0, fetch: () => new Response() })
  const { port } = probe
  await probe.stop(true)
  if (port === undefined) throw new Error('no free port')
  return port
}

/** Resolves when the address answers anything. @throws Error after a minute */
export async function waitFor(url: string): Promise<void> {
  for (let tries = 0; tries < 2_400; tries += 1) {
    if (
      await fetch(url).then(
        () => true,
        () => false,
      )
    )
      return
    await Bun.sleep(25)
  }
  throw new Error(`${url} did not come up`)
}

/** Runs bench/load.ts with these arguments. */
export async function load(args: (string | number)[]): Promise<Load> {
  const child = Bun.spawn([bun, here('load.ts'), ...args.map(String)], {
    stdout: 'pipe',
    stderr: 'inherit',
    env: { ...process.env, BUN_CONFIG_MAX_HTTP_REQUESTS: '65535' },
  })
  const text = await new Response(child.stdout).text()
  const seen = JSON.parse(text) as Load
  if (seen.errors > 0) console.error(`  ${seen.errors} failed requests in: ${args.slice(0, 1).join(' ')} ${args[1]}`)
  return seen
}

/** CPU microseconds of the target per `unit` of the load. */
export async function cpuPer(target: Target, unit: 'requests' | 'chunks', args: (string | number)[]): Promise<{ cpu: number; load: Load }> {
  const before = target.pid === undefined ? 0 : cpuMicros(target.pid)
  const seen = await load(args)
  const after = target.pid === undefined ? 0 : cpuMicros(target.pid)
  return { cpu: (after - before) / Math.max(1, seen[unit]), load: seen }
}

/** The highest resident memory of the target while the load runs, MB. */
export async function peakMb(target: Target, args: (string | number)[]): Promise<{ peak: number; load: Load }> {
  let peak = 0
  const watch = setInterval(() => {
    peak = Math.max(peak, residentMb(target.pid ?? 0))
  }, 100)
  const seen = await load(args)
  clearInterval(watch)
  return { peak, load: seen }
}

/** Ends every child. */
export async function endAll(): Promise<void> {
  for (const child of running) child.kill()
  await Promise.all(running.map(({ exited }) => exited))
}
