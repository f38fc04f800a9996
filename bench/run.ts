/**
 * `npm run bench`: what the README says about speed, run by anyone. A cheap upstream, the server as a user runs it
 * (auth, routing, hold, settlement, log row, SQLite with synchronous=FULL), a floor (nginx) and a peer (Portkey) beside
 * it when they can be had, all in one interleaved run. Prints one table.
 *
 *   npm run bench            everything
 *   npm run bench -- quick   P1 and P2 only, fewer requests
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { cpus, tmpdir, totalmem } from 'node:os'
import { join } from 'node:path'
import { setUpSite } from '../test/site.ts'
import { longPrompts } from './long.ts'
import { median, residentMb } from './measure.ts'
import { sellOnAll, translatedStreams } from './pairs.ts'
import { findNginx, findPortkey } from './peers.ts'
import { cpuPer, endAll, firstLine, freePort, here, load, peakMb, start, waitFor, type Target } from './processes.ts'

const quick = process.argv.includes('quick')
const ROUNDS = quick ? 1 : 3
const REQUESTS = quick ? 3_000 : 6_000
const CONCURRENCY = 32
const WARM_UP = 10_000
const folder = mkdtempSync(join(tmpdir(), 'tollgate-bench-'))

/** As `npm start` runs it, without npm's own 0.3 s. */
const SERVER = ['sh', here('../scripts/start.sh')]

async function startTollgate(upstream: string, database: string): Promise<Target> {
  const port = await freePort()
  const child = start(SERVER, { PORT: String(port), HOST: '127.0.0.1', DB_PATH: join(folder, database), LOG_LEVEL: 'warn' })
  const base = `http://127.0.0.1:${port}`
  await waitFor(`${base}/health`)
  const site = await setUpSite(base)
  const channel = await site.addChannel({ baseUrl: upstream })
  for (const model of ['fast', 'paced', 'chunks-2000', 'chunks-128000']) await site.sell(channel, model)
  await sellOnAll(site, upstream)
  await site.setBalance('1000000')
  const { secret } = await site.addKey()
  return { name: 'Tollgate', url: `${base}/v1/chat/completions`, key: secret, pid: child.pid, base }
}

const rows: { id: string; what: string; goal: string; values: Map<string, string> }[] = []
function row(id: string, what: string, goal: string, values: Record<string, string>): void {
  rows.push({ id, what, goal, values: new Map(Object.entries(values)) })
  console.error(
    `  ${id} ${what}: ${Object.entries(values)
      .map(([name, value]) => `${name} ${value}`)
      .join(', ')}`,
  )
}

async function interleaved(
  targets: Target[],
  unit: 'requests' | 'chunks',
  argsOf: (target: Target) => (string | number)[],
  rounds = ROUNDS,
): Promise<Record<string, string>> {
  const found = new Map<string, number[]>()
  for (let round = 0; round < rounds; round += 1) {
    for (const target of targets) {
      const { cpu, load: seen } = await cpuPer(target, unit, argsOf(target))
      // A target that cannot do it (the peer's streams break on some versions of Node) has no figure.
      found.set(target.name, [...(found.get(target.name) ?? []), seen.errors > seen.requests ? Number.NaN : cpu])
    }
  }
  const figure = (list: number[]): string => (list.some(Number.isNaN) ? 'fails' : `${median(list).toFixed(0)} us`)
  return Object.fromEntries([...found].map(([name, list]) => [name, figure(list)]))
}

async function main(): Promise<void> {
  const upstreamPort = await firstLine(start([process.execPath, here('upstream.ts')]))
  const upstream = `http://127.0.0.1:${upstreamPort}`
  const direct: Target = { name: 'direct', url: `${upstream}/v1/chat/completions`, key: 'x', pid: undefined, base: upstream }
  const tollgate = await startTollgate(upstream, 'bench.db')
  const nginx = await findNginx(folder, upstream, await freePort(), start)
  const portkey = quick ? undefined : await findPortkey(upstream, await freePort(), start)
  const peers = [nginx, portkey].filter((peer) => peer !== undefined)
  for (const peer of peers) await waitFor(peer.base)
  const all = [tollgate, ...peers]

  // A server runs for days: what is measured is code that the runtime has compiled.
  for (const target of all)
    for (const stream of [0, 1]) await load(['closed', target.url, target.key, 'fast', stream, CONCURRENCY, WARM_UP])
  row(
    'P1',
    'CPU per whole answer',
    '<= 150 us',
    await interleaved(all, 'requests', (target) => ['closed', target.url, target.key, 'fast', 0, CONCURRENCY, REQUESTS]),
  )
  row(
    'P2',
    'CPU per stream of 20 chunks at once',
    '<= 200 us',
    await interleaved(all, 'requests', (target) => ['closed', target.url, target.key, 'fast', 1, CONCURRENCY, REQUESTS]),
  )
  if (!quick) {
    row(
      'P2b',
      'CPU per chunk, 500 paced streams',
      '<= 40 us',
      await interleaved(all, 'chunks', (target) => ['hold', target.url, target.key, 'paced', 500, 6], 1),
    )
    const plain = await load(['open', direct.url, direct.key, 'fast', 0, 300, 3_000])
    const through = await load(['open', tollgate.url, tollgate.key, 'fast', 0, 300, 3_000])
    row('P5', 'added latency at 300 requests/s', 'p50 <= 1 ms, p99 <= 3 ms', {
      Tollgate: `p50 ${(through.p50 - plain.p50).toFixed(2)} ms, p99 ${(through.p99 - plain.p99).toFixed(2)} ms`,
    })
    const plainFirst = await load(['hold', direct.url, direct.key, 'paced', 200, 5])
    const throughFirst = await load(['hold', tollgate.url, tollgate.key, 'paced', 200, 5])
    row('P6', 'added first-token delay, 200 streams', 'p99 <= 3 ms', {
      Tollgate: `p99 ${(throughFirst.firstP99 - plainFirst.firstP99).toFixed(2)} ms`,
    })
    const flood = await load(['closed', tollgate.url, tollgate.key, 'fast', 0, 64, 15_000])
    row('P4', 'requests/s, upstream and load on the same cores', '>= 5,000', {
      Tollgate: `${(flood.requests / flood.seconds).toFixed(0)}/s, p99 ${flood.p99.toFixed(0)} ms`,
    })
    for (const { id, what, goal, value } of await translatedStreams(tollgate)) row(id, what, goal, { Tollgate: value })
    await memory(tollgate, await startTollgate(upstream, 'fresh.db'))
    for (const { id, what, goal, value } of await longPrompts(tollgate)) row(id, what, goal, { Tollgate: value })
    await coldStart()
  }
  print(all.map(({ name }) => name))
}

/** What 2,000 streams take: on a server that has just started, and on the one that all the rows above were asked of. */
async function memory(used: Target, fresh: Target): Promise<void> {
  for (const [state, target] of [
    ['fresh server', fresh],
    ['after all rows above', used],
  ] as const) {
    if (target.pid === undefined) continue
    await load(['closed', target.url, target.key, 'fast', 0, CONCURRENCY, REQUESTS])
    const idle = residentMb(target.pid)
    const { peak } = await peakMb(target, ['hold', target.url, target.key, 'paced', 2_000, 8])
    await Bun.sleep(5_000)
    const after = residentMb(target.pid)
    row('P7', `memory with 2,000 paced streams, ${state}`, '<= 200 MB', {
      Tollgate: `${peak.toFixed(0)} MB (before ${idle.toFixed(0)}, after ${after.toFixed(0)})`,
    })
  }
}

async function coldStart(): Promise<void> {
  const times: number[] = []
  for (let round = 0; round < 5; round += 1) {
    const port = await freePort()
    const started = performance.now()
    const child = start(SERVER, { PORT: String(port), HOST: '127.0.0.1', DB_PATH: join(folder, 'cold.db'), LOG_LEVEL: 'warn' })
    for (;;) {
      if (
        await fetch(`http://127.0.0.1:${port}/health`).then(
          ({ ok }) => ok,
          () => false,
        )
      )
        break
      await Bun.sleep(3)
    }
    times.push(performance.now() - started)
    child.kill('SIGTERM')
    await child.exited
  }
  const [first = 0, ...later] = times
  row('P9', 'cold start to first answer', '<= 300 ms (first ever 1.5 s)', {
    Tollgate: `${median(later).toFixed(0)} ms (first ever ${first.toFixed(0)} ms)`,
  })
}

function print(names: string[]): void {
  const cpu = cpus()[0]?.model.trim() ?? 'unknown CPU'
  const lines = [
    `${new Date().toISOString().slice(0, 10)}, ${cpus().length} x ${cpu}, ${(totalmem() / 2 ** 30).toFixed(0)} GiB, Bun ${Bun.version}; load, upstream and server share the cores`,
    '',
    `| id | what | must reach | ${names.join(' | ')} |`,
    `|---|---|---|${names.map(() => '--:').join('|')}|`,
    ...rows.map(
      ({ id, what, goal, values }) => `| ${id} | ${what} | ${goal} | ${names.map((name) => values.get(name) ?? '-').join(' | ')} |`,
    ),
  ]
  console.log(`\n${lines.join('\n')}\n`)
  writeFileSync(join(tmpdir(), 'tollgate-bench.md'), `${lines.join('\n')}\n`)
}

try {
  await main()
} finally {
  await endAll()
  rmSync(folder, { recursive: true, force: true })
}
