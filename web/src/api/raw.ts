/** An answer as it came: its status, its headers of interest, its text. */
export interface RawAnswer {
  readonly status: number
  readonly ms: number
  readonly requestId: string | undefined
  readonly type: string
  readonly text: string
  /** The text was longer than is kept. */
  readonly cut: boolean
}

/** Longer answers make the page slow; who needs them whole uses a terminal. */
const MAX_CHARS = 200_000

/**
 * Sends a request that a person wrote and keeps the answer whatever its status; neither ends the session nor is repeated.
 * @param onText told of what has come so far, for streams
 * @throws TypeError when the server cannot be reached, DOMException when `signal` ends it
 */
export async function sendRaw(
  method: string,
  path: string,
  options: { body?: string; bearer?: string; signal: AbortSignal; onText(text: string): void },
): Promise<RawAnswer> {
  const headers = new Headers()
  if (options.bearer !== undefined) headers.set('authorization', `Bearer ${options.bearer}`)
  if (options.body !== undefined) headers.set('content-type', 'application/json')
  const startedMs = performance.now()
  const response = await fetch(path, { method, headers, body: options.body, signal: options.signal, redirect: 'manual' })
  const { text, cut } = await read(response, options.onText)
  return {
    status: response.status,
    ms: Math.round(performance.now() - startedMs),
    requestId: response.headers.get('x-tollgate-request-id') ?? response.headers.get('x-request-id') ?? undefined,
    type: response.headers.get('content-type')?.split(';')[0] ?? '',
    text,
    cut,
  }
}

async function read(response: Response, onText: (text: string) => void): Promise<{ text: string; cut: boolean }> {
  if (response.body === null) return { text: '', cut: false }
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader()
  let text = ''
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return { text, cut: false }
    text += value
    onText(text.slice(0, MAX_CHARS))
    if (text.length > MAX_CHARS) {
      await reader.cancel()
      return { text: text.slice(0, MAX_CHARS), cut: true }
    }
  }
}
