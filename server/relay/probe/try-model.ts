import type { Usage, UsageDetails } from '../../../contract/meters.ts'
import { sendTo } from '../clouds/index.ts'
import type { ChannelAccess } from '../../features/channels/health.ts'
import { describeError, redact } from '../../lib/log.ts'
import { endpointOf, suitedBody } from '../endpoint.ts'
import { readBounded } from '../bounded.ts'
import { parsed } from '../attempt.ts'
import { MAX_ERROR_BYTES } from '../limits.ts'
import { protocols } from '../protocols/index.ts'
import type { Turn } from '../protocols/canonical.ts'
import { mergeTapUsage } from '../protocols/merge-usage.ts'
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

/** What one tiny call brought. */
export interface Asked {
  text: string
  usage: Partial<Usage & UsageDetails>
  firstTokenMs: number | null
  totalMs: number
  /** Absent: the model answered. */
  error?: string
}

const turn: Omit<Turn, 'model' | 'messages'> = { stream: true, system: [], tools: [], maxOutputTokens: MAX_TOKENS }

/** One tiny streamed call straight to the upstream; never throws. */
export async function tryModel(access: ChannelAccess, model: string, timeoutMs: number, deps: ProbeDeps): Promise<ModelResult> {
  const question = 'Reply with the single word: ok'
  const { usage, firstTokenMs, totalMs, error } = await askModel(access, { model, question }, AbortSignal.timeout(timeoutMs), deps)
  return error === undefined
    ? { model, ok: true, first_token_ms: firstTokenMs, total_ms: totalMs, tokens: usage.output ?? null }
    : { model, ok: false, first_token_ms: null, total_ms: totalMs, tokens: null, error }
}

/**
 * Asks a model one question, straight at its upstream, and reads the streamed answer; never throws.
 * @param model as the upstream calls it
 */
export async function askModel(
  access: ChannelAccess,
  { model, question }: { model: string; question: string },
  signal: AbortSignal,
  deps: ProbeDeps,
): Promise<Asked> {
  const started = deps.clock.monotonic()
  const took = (): number => Math.round(deps.clock.monotonic() - started)
  const asked: Asked = { text: '', usage: {}, firstTokenMs: null, totalMs: 0 }
  const failed = (error: string): Asked => ({ ...asked, totalMs: took(), error: withoutKey(error, access.key) })
  const protocol = protocols[access.protocol]
  const messages: Turn['messages'] = [{ role: 'user', content: [{ type: 'text', text: question }] }]
  try {
    const { url, headers } = endpointOf(access, { model, stream: true })
    const encoded = protocol.encodeRequest({ ...turn, messages, model }).body
    const response = await sendTo(
      access,
      url,
      {
        method: 'POST',
        body: JSON.stringify(suitedBody(protocol.patch(encoded, { model, stream: true }), access)),
        signal,
        headers: { ...headers(access.key), 'content-type': 'application/json', accept: 'text/event-stream' },
      },
      deps,
    )
    if (response.status !== 200 || !response.body) {
      const bytes = await readBounded(response, MAX_ERROR_BYTES)
      return failed(protocol.decodeError(response.status, bytes && parsed(bytes)).message)
    }
    const parser = parseSse()
    let size = 0
    for await (const chunk of response.body) {
      size += chunk.byteLength
      if (size > MAX_STREAM_BYTES) return failed('the answer does not end')
      for (const frame of parser.push(chunk)) {
        const found = protocol.tap(frame)
        if (found.fault) return failed(found.fault.message)
        if (found.content) asked.firstTokenMs ??= took()
        asked.text += found.text
        mergeTapUsage(asked.usage, found)
      }
    }
    return asked.firstTokenMs === null ? failed('the answer was empty') : { ...asked, totalMs: took() }
  } catch (error) {
    return failed((error as Error).name === 'TimeoutError' ? `no answer within ${took()} ms` : describeError(error))
  }
}

function withoutKey(text: string, key: string): string {
  return redact(key.length >= 8 ? text.replaceAll(key, '[redacted]') : text)
}
