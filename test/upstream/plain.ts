/** One request as it arrived. */
export interface PlainRequest {
  readonly method: string
  /** With the query. */
  readonly path: string
  readonly headers: Headers
  readonly bytes: Uint8Array
  /** The body as JSON; undefined when it is none. */
  readonly json: Record<string, unknown> | undefined
}

/** A provider that answers whatever a test says, for operations beside the four protocols. */
export interface PlainUpstream {
  readonly url: string
  readonly received: PlainRequest[]
  readonly last: PlainRequest
  answer: (request: PlainRequest) => Response | Promise<Response>
  stop(): Promise<void>
}

/** Starts one on a port of its own. */
export function startPlainUpstream(): PlainUpstream {
  const received: PlainRequest[] = []
  const upstream = { answer: (_: PlainRequest): Response | Promise<Response> => new Response('{}', { status: 500 }) }
  const server = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    async fetch(request) {
      const url = new URL(request.url)
      const bytes = await request.bytes()
      const got: PlainRequest = {
        method: request.method,
        path: url.pathname + url.search,
        headers: request.headers,
        bytes,
        json: jsonOf(bytes),
      }
      received.push(got)
      return upstream.answer(got)
    },
  })
  return {
    url: `http://127.0.0.1:${server.port}`,
    received,
    get last() {
      const last = received.at(-1)
      if (!last) throw new Error('the upstream was not asked')
      return last
    },
    get answer() {
      return upstream.answer
    },
    set answer(next) {
      upstream.answer = next
    },
    stop: () => server.stop(true),
  }
}

function jsonOf(bytes: Uint8Array): Record<string, unknown> | undefined {
  try {
    return JSON.parse(new TextDecoder().decode(bytes)) as Record<string, unknown>
  } catch {
    return undefined
  }
}
