/** One thing done on a connection, in order. */
export type Step =
  | { send: string }
  | { waitMs: number }
  /** `fin`: closes in order. `reset`: breaks the connection off. `silence`: keeps it open and says nothing. */
  | { then: 'fin' | 'reset' | 'silence' }

/** A provider below HTTP: answers each request with scripted bytes, for faults a proper server cannot commit. */
export interface RawUpstream {
  readonly url: string
  /** Requests that arrived. */
  readonly count: number
  steps: readonly Step[]
  stop(): void
}

/** Starts one on a port of its own. */
export function startRawUpstream(steps: readonly Step[] = []): RawUpstream {
  let count = 0
  const raw = { steps }
  const listener = Bun.listen<{ text: string; answered: boolean }>({
    hostname: '127.0.0.1',
    port: 0,
    socket: {
      open(socket) {
        socket.data = { text: '', answered: false }
      },
      async data(socket, bytes) {
        const { data } = socket
        data.text += bytes.toString('latin1')
        if (data.answered || !isWhole(data.text)) return
        data.answered = true
        count += 1
        for (const step of raw.steps) {
          if ('send' in step) socket.write(step.send)
          else if ('waitMs' in step) await Bun.sleep(step.waitMs)
          else if (step.then === 'fin') socket.end()
          else if (step.then === 'reset') socket.terminate()
        }
      },
    },
  })
  return {
    url: `http://127.0.0.1:${listener.port}`,
    get count() {
      return count
    },
    get steps() {
      return raw.steps
    },
    set steps(next) {
      raw.steps = next
    },
    stop: () => listener.stop(true),
  }
}

function isWhole(text: string): boolean {
  const at = text.indexOf('\r\n\r\n')
  if (at < 0) return false
  const length = Number(/content-length: (\d+)/i.exec(text)?.[1] ?? 0)
  return text.length >= at + 4 + length
}
