import { flush, write, type Side } from '../line.ts'

/** Where in an answer a connection comes to grief: before its first byte, so many bytes into its headers, right behind them, or so many bytes into its body. */
export type Where = 'first-byte' | { head: number } | 'body' | { body: number }

/** What the line does to every answer. */
export type Line =
  /** `reset`: broken off. `fin`: closed in order. `stall`: open, and nothing comes any more. */
  | { at: Where; then: 'reset' | 'fin' | 'stall' }
  /** So many bytes at a time, each after a pause (0: a turn of the event loop). */
  | { bytes: number; everyMs: number }

/** A line between the gateway and a provider, below HTTP. */
export interface FaultProxy {
  readonly url: string
  /** Connections that came. */
  readonly connections: number
  stop(): void
}

/** So that what was sent before the end arrives before it. */
const SETTLE_MS = 100

/**
 * Starts one on a port of its own. Requests pass as they are, answers are treated as `line` says, each byte otherwise as it came.
 * @param target the provider, `http://host:port`
 */
export function startFaultProxy(target: string, line: Line): FaultProxy {
  const { hostname, port } = new URL(target)
  let connections = 0
  const listener = Bun.listen<Side>({
    hostname: '127.0.0.1',
    port: 0,
    socket: {
      open(client) {
        connections += 1
        client.data = { queue: [], other: undefined }
        void connect(client, hostname, Number(port), line)
      },
      data(client, bytes) {
        if (client.data.other) write(client.data.other, Uint8Array.from(bytes))
        else client.data.queue.push(Uint8Array.from(bytes))
      },
      drain: flush,
      close(client) {
        client.data.other?.terminate()
      },
    },
  })
  return {
    url: `http://127.0.0.1:${listener.port}`,
    get connections() {
      return connections
    },
    stop: () => listener.stop(true),
  }
}

async function connect(client: Bun.Socket<Side>, hostname: string, port: number, line: Line): Promise<void> {
  const answer = treat(line, client)
  const provider = await Bun.connect<Side>({
    hostname,
    port,
    data: { queue: [], other: client },
    socket: {
      data: (_, bytes) => answer.push(Uint8Array.from(bytes)),
      drain: flush,
      close: () => answer.end(),
    },
  })
  const early = client.data.queue
  client.data.queue = []
  client.data.other = provider
  for (const bytes of early) write(provider, bytes)
}

/** Passes an answer on by the line's rule; one answer a connection, since a line that failed carries no second one. */
function treat(line: Line, client: Bun.Socket<Side>): { push(bytes: Uint8Array): void; end(): void } {
  if ('bytes' in line) return sliced(client, line.bytes, line.everyMs)
  let head: Uint8Array = new Uint8Array()
  let bodyStart = -1
  let passed = 0
  let over = false
  const limit = (): number => {
    const { at } = line
    if (at === 'first-byte') return 0
    if (typeof at === 'object' && 'head' in at) return at.head
    return bodyStart < 0 ? Infinity : bodyStart + (at === 'body' ? 0 : at.body)
  }
  return {
    push(bytes) {
      if (over) return
      if (bodyStart < 0) {
        head = Buffer.concat([head, bytes])
        const end = Buffer.from(head).indexOf('\r\n\r\n')
        if (end >= 0) bodyStart = end + 4
      }
      const left = Math.max(0, Math.min(bytes.length, limit() - passed))
      if (left > 0) write(client, bytes.subarray(0, left))
      passed += left
      if (passed < limit()) return
      over = true
      if (line.then === 'stall') return
      setTimeout(() => (line.then === 'fin' ? client.end() : client.terminate()), SETTLE_MS)
    },
    end() {
      if (!over) client.end()
    },
  }
}

function sliced(client: Bun.Socket<Side>, size: number, everyMs: number): { push(bytes: Uint8Array): void; end(): void } {
  const waiting: Uint8Array[] = []
  let running = false
  let ended = false
  const run = async (): Promise<void> => {
    if (running) return
    running = true
    for (let bytes = waiting.shift(); bytes; bytes = waiting.shift()) {
      for (let at = 0; at < bytes.length; at += size) {
        write(client, bytes.subarray(at, at + size))
        await Bun.sleep(everyMs)
      }
    }
    running = false
    if (ended) client.end()
  }
  return {
    push(bytes) {
      waiting.push(bytes)
      void run()
    },
    end() {
      ended = true
      void run()
    },
  }
}
