import type { RunningApp } from './app.ts'
import { describeError } from './lib/log.ts'

/**
 * Above what any client sends: Bun answers larger bodies itself and without a text. Ours are read up to the limit that they have
 * (http/body.ts), and the rest is dropped as it comes, so that this allows nobody any memory.
 */
const MAX_REQUEST_BYTES = 2 ** 31
/**
 * How long a connection may be silent between calls and within a later request's head; Bun counts it from the head's first byte, so that
 * dripping does not help, and gives the first head 12 s. Longer than the 60 s of the load balancers in front of us: who closes first loses a call.
 */
const IDLE_SECONDS = 75
/** Bun's largest, of a client that has stopped reading its answer. Streams are never silent as long (relay/limits.ts KEEP_ALIVE_MS). */
const READING_SECONDS = 255

/**
 * Serves the application.
 * @returns Bun's server: `port`, `pendingRequests`, `stop()`
 */
export function listen(app: RunningApp, at: { port: number; hostname: string }): Bun.Server<unknown> {
  return Bun.serve({
    ...at,
    maxRequestBodySize: MAX_REQUEST_BYTES,
    idleTimeout: IDLE_SECONDS,
    async fetch(request, self) {
      const answer = app.fetch(request, self.requestIP(request)?.address ?? '')
      if (request.method !== 'POST') return answer
      // An upstream may take its time; how long a body may take is http/collect.ts's to say.
      self.timeout(request, 0)
      const response = await answer
      // What was switched off for this call would stay off for the connection.
      self.timeout(request, READING_SECONDS)
      return response
    },
    error(error) {
      app.deps.log.error('request failed outside the application', { cause: describeError(error) })
      return Response.json({ error: 'Something went wrong on our side' }, { status: 500 })
    },
  })
}
