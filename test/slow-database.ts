import { flush, write, type Side } from './line.ts'

/** A line between the server and PostgreSQL on which every transaction takes longer. */
export interface SlowDatabase {
  /** The database's address through the line. */
  readonly url: string
  /** How much longer; may be changed at any time. */
  delayMs: number
  stop(): void
}

/** ReadyForQuery outside a transaction (postgresql.org/docs/current/protocol-message-formats.html): a transaction is over, be it of one statement. */
const READY_IDLE = Buffer.from('Z\0\0\0\x05I', 'latin1')

/**
 * Starts one on a port of its own. The answer that ends a transaction is kept back, as by a slow disk or by a standby that is waited
 * for; what is asked within one is answered at once. A delay of each round trip would be eight times as long for a booking.
 */
export function startSlowDatabase(target: string): SlowDatabase {
  const there = new URL(target)
  const slow = { delayMs: 0 }
  const listener = Bun.listen<Side>({
    hostname: '127.0.0.1',
    port: 0,
    socket: {
      open(client) {
        client.data = { queue: [], other: undefined }
        void connect(client, there, () => slow.delayMs)
      },
      data(client, bytes) {
        if (client.data.other) write(client.data.other, Uint8Array.from(bytes))
        else client.data.queue.push(Uint8Array.from(bytes))
      },
      drain: flush,
      close: (client) => client.data.other?.terminate(),
    },
  })
  const here = new URL(target)
  here.host = `127.0.0.1:${listener.port}`
  return Object.assign(slow, { url: here.href, stop: () => listener.stop(true) })
}

async function connect(client: Bun.Socket<Side>, there: URL, delayMs: () => number): Promise<void> {
  /** Answers leave in the order in which they came. */
  let last = Promise.resolve()
  const server = await Bun.connect<Side>({
    hostname: there.hostname,
    port: Number(there.port),
    data: { queue: [], other: client },
    socket: {
      data(_, bytes) {
        const copy = Buffer.from(bytes)
        const wait = copy.subarray(-READY_IDLE.length).equals(READY_IDLE) ? delayMs() : 0
        last = last.then(() => (wait === 0 ? undefined : Bun.sleep(wait))).then(() => write(client, copy))
      },
      drain: flush,
      close: () => {
        client.end()
      },
    },
  })
  const early = client.data.queue
  client.data.queue = []
  client.data.other = server
  for (const bytes of early) write(server, bytes)
}
