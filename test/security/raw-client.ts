import { connect } from 'node:net'

/** What came back on one connection. */
export interface RawAnswer {
  /** Status of each answer, in order. */
  readonly statuses: readonly number[]
  /** Everything that was received. */
  readonly text: string
  /** The server closed the connection. */
  readonly closed: boolean
}

/** After this a connection is given up: far above what an answer takes on a busy machine. */
const GIVE_UP_MS = 10_000
const STATUS = /HTTP\/1\.1 (\d{3}) /g

/**
 * Writes bytes as they are and reads until the server closes, until `answers` answers have come whole, or until it is given up.
 * @param latin1 the bytes, one character each
 */
export function sendRaw(port: number, latin1: string, { answers = 1, giveUpMs = GIVE_UP_MS } = {}): Promise<RawAnswer> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    let text = ''
    const done = (closed: boolean): void => {
      clearTimeout(timer)
      socket.destroy()
      resolve({ statuses: [...text.matchAll(STATUS)].map(([, status]) => Number(status)), text, closed })
    }
    const timer = setTimeout(() => done(false), giveUpMs)
    socket.on('data', (bytes) => {
      text += bytes.toString('latin1')
      if (wholeAnswers(text) >= answers) done(false)
    })
    socket.on('error', () => done(true))
    socket.on('close', () => done(true))
    socket.write(Buffer.from(latin1, 'latin1'))
  })
}

/** How many answers with a length, or without a body, stand whole in a text. */
function wholeAnswers(text: string): number {
  let count = 0
  for (let at = 0; ;) {
    const end = text.indexOf('\r\n\r\n', at)
    if (end < 0) return count
    const head = text.slice(at, end)
    const length = Number(/^content-length: (\d+)\r?$/im.exec(`${head}\r`)?.[1] ?? 0)
    if (/^transfer-encoding: chunked/im.test(head)) {
      const last = text.indexOf('\r\n0\r\n\r\n', end)
      if (last < 0) return count
      at = last + 7
    } else {
      at = end + 4 + length
      if (text.length < at) return count
    }
    // 100 Continue is none.
    if (!head.startsWith('HTTP/1.1 1')) count += 1
  }
}

const CHUNK_BYTES = 64 * 1024

/** Sends a head and then a body of many bytes until all went out or the server closed; what it answered meanwhile, and after how long. */
export function floodRaw(
  port: number,
  head: string,
  { bytes, chunked }: { bytes: number; chunked: boolean },
): Promise<RawAnswer & { readonly answeredMs: number }> {
  const plain = Buffer.alloc(CHUNK_BYTES, 'a')
  const piece = chunked ? Buffer.concat([Buffer.from(`${CHUNK_BYTES.toString(16)}\r\n`), plain, Buffer.from('\r\n')]) : plain
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    let text = ''
    let sent = 0
    let answeredMs = Infinity
    const began = performance.now()
    const done = (closed: boolean): void => {
      clearTimeout(timer)
      socket.destroy()
      resolve({ statuses: [...text.matchAll(STATUS)].map(([, status]) => Number(status)), text, closed, answeredMs })
    }
    const timer = setTimeout(() => done(false), 60_000)
    const more = (): void => {
      while (sent < bytes && !socket.destroyed) {
        sent += CHUNK_BYTES
        if (!socket.write(piece)) return void socket.once('drain', more)
      }
      if (wholeAnswers(text) > 0) done(false)
    }
    socket.on('data', (part) => {
      text += part.toString('latin1')
      answeredMs = Math.min(answeredMs, performance.now() - began)
      if (sent >= bytes && wholeAnswers(text) > 0) done(false)
    })
    socket.on('error', () => done(true))
    socket.on('close', () => done(true))
    socket.write(head, 'latin1')
    more()
  })
}
