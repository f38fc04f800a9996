import { sendTo } from '../clouds/index.ts'
import type { ChannelAccess } from '../../features/channels/health.ts'
import { describeError, redact } from '../../lib/log.ts'
import { endpointOf, suitedBody } from '../endpoint.ts'
import { readBounded } from '../bounded.ts'
import { parsed } from '../attempt.ts'
import { MAX_ERROR_BYTES } from '../limits.ts'
import { protocols } from '../protocols/index.ts'
import type { Turn } from '../protocols/canonical.ts'
import { parseSse } from '../protocols/sse.ts'
import type { ProbeDeps } from './probe.ts'

/** How one model did. */
export interface ModelResult {
  model: string
  ok: boolean
  first_token_ms: number | null
  total_ms: number
  tokens: number | null
  error?: string
}

/** Enough for a word, and for models that think before they speak. */
const MAX_TOKENS = 64
/** An answer of a few tokens; more is a fault of the upstream. */
const MAX_STREAM_BYTES = 1024 * 1024

const turn: Omit<Turn, 'model'> = {
  stream: true,
  system: [],
  tools: [],
  maxOutputTokens: MAX_TOKENS,
  messages: [{ role: 'user', content: [{ type: 'text', text: 'Reply with the single word: ok' }] }],
}

/** One tiny streamed call straight to the upstream; never throws. */
export async function tryModel(access: ChannelAccess, model: string, timeoutMs: number, deps: ProbeDeps): Promise<ModelResult> {
  const started = deps.clock.monotonic()
  const took = (): number => Math.round(deps.clock.monotonic() - started)
  const failed = (error: string): ModelResult => ({
    model,
    ok: false,
    first_token_ms: null,
    total_ms: took(),
    tokens: null,
    error: withoutKey(error, access.key),
  })
  const protocol = protocols[access.protocol]
  const { url, headers } = endpointOf(access, { model, stream: true })
  const body = suitedBody(protocol.patch(protocol.encodeRequest({ ...turn, model }).body, { model, stream: true }), access)
  try {
    const response = await sendTo(
      access,
      url,
      {
        method: 'POST',
        body: JSON.stringify(body),
        signal: AbortSignal.timeout(timeoutMs),
        headers: { ...headers(access.key), 'content-type': 'application/json', accept: 'text/event-stream' },
      },
      deps,
    )
    if (response.status !== 200 || !response.body) {
      const bytes = await readBounded(response, MAX_ERROR_BYTES)
      return failed(protocol.decodeError(response.status, bytes && parsed(bytes)).message)
    }
    const parser = parseSse()
    let firstTokenMs: number | null = null
    let tokens: number | null = null
    let size = 0
    for await (const chunk of response.body) {
      size += chunk.byteLength
      if (size > MAX_STREAM_BYTES) return failed('the answer does not end')
      for (const frame of parser.push(chunk)) {
        const found = protocol.tap(frame)
        if (found.fault) return failed(found.fault.message)
        if (found.content) firstTokenMs ??= took()
        if (found.usage?.output !== undefined) tokens = found.usage.output
      }
    }
    if (firstTokenMs === null) return failed('the answer was empty')
    return { model, ok: true, first_token_ms: firstTokenMs, total_ms: took(), tokens }
  } catch (error) {
    return failed((error as Error).name === 'TimeoutError' ? `no answer within ${timeoutMs} ms` : describeError(error))
  }
}

function withoutKey(text: string, key: string): string {
  return redact(key.length >= 8 ? text.replaceAll(key, '[redacted]') : text)
}
