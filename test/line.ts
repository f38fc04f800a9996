/** One end of a line through which a test leads connections. */
export interface Side {
  /** What did not fit into the socket yet. */
  queue: Uint8Array[]
  other: Bun.Socket<Side> | undefined
}

/** Sends behind what still waits. */
export function write(socket: Bun.Socket<Side>, bytes: Uint8Array): void {
  const { queue } = socket.data
  queue.push(bytes)
  if (queue.length === 1) flush(socket)
}

/** Sends what waits, as far as the socket takes it: what `drain` does. */
export function flush(socket: Bun.Socket<Side>): void {
  const { queue } = socket.data
  for (let bytes = queue[0]; bytes; bytes = queue[0]) {
    const written = Math.max(0, socket.write(bytes))
    if (written < bytes.length) {
      queue[0] = bytes.subarray(written)
      return
    }
    queue.shift()
  }
}
