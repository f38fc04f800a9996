import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { GATEWAY_CALLS } from '../fuzz/gateway-calls.ts'
import { startFleet, type Fleet } from '../processes/fleet.ts'
import { floodRaw } from './raw-client.ts'

/* S5 at its own figures, against a server process of its own whose memory is looked at from outside; test/security/limits.test.ts is small. */

const MIB = 1024 * 1024
const GIB = 1024 * MIB
/** S5 says 64 MiB; 21 and 52 were measured, and when the heap is collected is not ours to say, so what fails is half more. */
const MEMORY = 96 * MIB
/**
 * The same with both crowds at once: 66 and 8 (after the bodies above had grown the heap). A slow body holds some 14 KiB, and each byte
 * that comes for itself leaves half a KiB of garbage until the next collection.
 */
const CROWD_MEMORY = 128 * MIB
/** S5: what may be printed. */
const PRINTED = MIB
/** Of each kind: a head that never ends and a body that hardly comes. */
const SLOW_SOCKETS = 2_000
const SLOW_MS = 60_000
/** A byte so often: always something, never enough. */
const DRIP_MS = 1_000
/** S5 says 500 ms; this machine is shared, so what fails is ten times that, and the figure is printed. */
const NORMAL_MS = 5_000

const dir = mkdtempSync(join(tmpdir(), 'tollgate-limits-'))
const printed = join(dir, 'printed')
let fleet: Fleet
let key: string
let port: number
beforeAll(async () => {
  fleet = await startFleet(1, { LOG_LEVEL: 'info' }, printed)
  key = (await fleet.site.addKey()).secret
  port = Number(new URL(fleet.site.base).port)
  // What a first call loads is no growth.
  for (let call = 0; call < 1_000; call += 1) await normal()
}, 60_000)
afterAll(async () => {
  await fleet.close()
  rmSync(dir, { recursive: true })
})

/** A call that everybody else makes; milliseconds. */
async function normal(): Promise<number> {
  const began = performance.now()
  const answer = await fleet.chat(0, key)
  await answer.text()
  expect(answer.status).toBe(200)
  return performance.now() - began
}

const rss = (): number =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${fleet.servers[0]?.pid}/status`, 'utf8'))?.[1] ?? Number.NaN) * 1_024

/** The most that memory grew by while something ran. */
async function growth(work: () => Promise<void>): Promise<number> {
  const before = rss()
  let peak = before
  const timer = setInterval(() => (peak = Math.max(peak, rss())), 20)
  await work()
  clearInterval(timer)
  return Math.max(peak, rss()) - before
}

/** Every address that takes a body of whoever is not signed in, and every operation of the gateway. */
async function targets(): Promise<string[]> {
  const { paths } = (await (await fetch(`${fleet.site.base}/openapi.json`)).json()) as {
    paths: Record<string, Record<string, { 'x-access'?: string }>>
  }
  const open = Object.entries(paths).flatMap(([path, { post }]) => (post?.['x-access'] === 'public' ? [path] : []))
  return [...new Set([...open, ...GATEWAY_CALLS.map(({ path }) => path.replace('MODEL', 'm'))])]
}

describe('S5', () => {
  test('a body of 1 GiB, with its length and in chunks, to each public route: refused at once, memory flat', async () => {
    const addresses = await targets()
    expect(addresses.length).toBeGreaterThan(20)
    let slowest = 0
    const wrong: string[] = []
    const grown = await growth(async () => {
      for (const path of addresses)
        for (const chunked of [false, true]) {
          const length = chunked ? 'Transfer-Encoding: chunked' : `Content-Length: ${GIB}`
          const head = `POST ${path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nAuthorization: Bearer ${key}\r\n${length}\r\n\r\n`
          const { statuses, answeredMs } = await floodRaw(port, head, { bytes: GIB, chunked })
          // Payment providers are told what theirs understand: that it was not taken.
          if (statuses[0] !== (path.endsWith('/notify') ? 400 : 413)) wrong.push(`${path} ${length}: ${statuses.join()}`)
          slowest = Math.max(slowest, answeredMs)
        }
    })
    console.log(`  ${addresses.length * 2} bodies, slowest answer ${slowest.toFixed(0)} ms, memory + ${(grown / MIB).toFixed(1)} MiB`)
    expect(wrong).toEqual([])
    expect(grown).toBeLessThan(MEMORY)
    await normal()
  }, 600_000)

  test(`${SLOW_SOCKETS} slow heads and ${SLOW_SOCKETS} slow bodies for ${SLOW_MS / 1_000} s: memory bounded, little printed, others served`, async () => {
    const before = statSync(printed).size
    const statuses = new Map<string, number>()
    const latencies: number[] = []
    const head = { opening: 'POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\n', drip: 'A' }
    const body = {
      opening: `POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${key}\r\nContent-Length: 900000\r\n\r\n{"a":"`,
      drip: 'x',
    }
    const crowd: Slow[] = []
    const grown = await growth(async () => {
      for (let index = 0; index < SLOW_SOCKETS; index += 1)
        for (const kind of [head, body]) crowd.push(new Slow(port, kind, (status) => statuses.set(status, (statuses.get(status) ?? 0) + 1)))
      const until = performance.now() + SLOW_MS
      for (let next = performance.now(); performance.now() < until; next += DRIP_MS) {
        for (const slow of crowd) slow.drip()
        for (let call = 0; call < 4; call += 1) latencies.push(await normal())
        await Bun.sleep(Math.max(0, next + DRIP_MS - performance.now()))
      }
    })
    const opened = crowd.reduce((sum, slow) => sum + slow.opened, 0)
    for (const slow of crowd) slow.end()
    latencies.sort((a, b) => a - b)
    const most = latencies.at(-1) ?? Infinity
    console.log(
      `  ${opened} connections, ended with ${JSON.stringify(Object.fromEntries(statuses))}; ${latencies.length} other calls, median ` +
        `${latencies[latencies.length >> 1]?.toFixed(1)} ms, slowest ${most.toFixed(0)} ms; memory + ${(grown / MIB).toFixed(1)} MiB, ` +
        `printed + ${statSync(printed).size - before} bytes`,
    )
    expect([...statuses.keys()].filter((status) => !['408', 'closed'].includes(status))).toEqual([])
    expect(most).toBeLessThan(NORMAL_MS)
    expect(statSync(printed).size - before).toBeLessThan(PRINTED)
    expect(grown).toBeLessThan(CROWD_MEMORY)
    await normal()
  }, 180_000)
})

/** A connection that says a byte now and then, and comes again whenever it is closed. */
class Slow {
  opened = 0
  readonly #port: number
  readonly #kind: { opening: string; drip: string }
  readonly #ended: (status: string) => void
  #socket: Socket | undefined

  constructor(at: number, kind: { opening: string; drip: string }, ended: (status: string) => void) {
    this.#port = at
    this.#kind = kind
    this.#ended = ended
    this.#open()
  }

  drip(): void {
    if (this.#socket?.writable) this.#socket.write(this.#kind.drip)
  }

  end(): void {
    const socket = this.#socket
    this.#socket = undefined
    socket?.destroy()
  }

  #open(): void {
    this.opened += 1
    let text = ''
    const socket = connect(this.#port, '127.0.0.1')
    this.#socket = socket
    socket.on('data', (bytes) => (text += bytes.toString('latin1')))
    socket.on('error', () => undefined)
    socket.on('close', () => {
      if (this.#socket !== socket) return
      this.#ended(/^HTTP\/1\.1 (\d+)/.exec(text)?.[1] ?? 'closed')
      this.#open()
    })
    socket.write(this.#kind.opening)
  }
}
