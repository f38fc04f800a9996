import { parseErrorBody, send, ApiError } from '../../api/http.ts'
import { readEvents } from '../../api/sse.ts'

/** What is known of a streamed call so far. */
export interface Answer {
  readonly text: string
  readonly firstTokenMs: number | undefined
  readonly totalMs: number | undefined
  readonly requestId: string | undefined
}

interface Chunk {
  choices?: { delta?: { content?: string | null } }[]
  error?: unknown
}

/**
 * Streams one chat answer through the gateway with an API key, exactly as a customer's program would.
 * @throws ApiError when the gateway refuses, or when the stream breaks off with an error
 */
export async function streamChat(
  call: { key: string; model: string; prompt: string },
  report: (answer: Answer) => void,
  signal: AbortSignal,
): Promise<Answer> {
  const started = performance.now()
  const response = await send('POST', '/v1/chat/completions', {
    bearer: call.key,
    signal,
    accept: 'text/event-stream',
    body: { model: call.model, stream: true, messages: [{ role: 'user', content: call.prompt }] },
  })
  let answer: Answer = {
    text: '',
    firstTokenMs: undefined,
    totalMs: undefined,
    requestId: response.headers.get('x-tollgate-request-id') ?? undefined,
  }
  report(answer)
  if (response.body) {
    for await (const { data } of readEvents(response.body)) {
      if (data === '[DONE]') break
      const chunk = JSON.parse(data) as Chunk
      if (chunk.error !== undefined) {
        const { message, code } = parseErrorBody(data)
        throw new ApiError(message ?? 'The stream broke off', { status: 502, code: code ?? 'upstream_failed', requestId: answer.requestId })
      }
      const piece = chunk.choices?.[0]?.delta?.content ?? ''
      if (piece === '') continue
      answer = { ...answer, text: answer.text + piece, firstTokenMs: answer.firstTokenMs ?? performance.now() - started }
      report(answer)
    }
  }
  answer = { ...answer, totalMs: performance.now() - started }
  report(answer)
  return answer
}
