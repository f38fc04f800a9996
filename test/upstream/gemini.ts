import type { JsonObject } from '../../contract/json.ts'
import { DEFAULT_TOKENS, piecesOf, sse, stopOf, type Answer, type Part, type SpokenCall, type Speaker, type Stop } from './script.ts'

const REASONS: Record<Stop, string> = {
  stop: 'STOP',
  stop_sequence: 'STOP',
  tool_calls: 'STOP',
  length: 'MAX_TOKENS',
  content_filter: 'SAFETY',
  refusal: 'STOP',
}

/** Google generateContent. */
export const gemini: Speaker = {
  whole(answer, call) {
    return {
      candidates: [
        {
          content: { role: 'model', parts: answer.parts.flatMap((part) => partOf(part)) },
          finishReason: REASONS[stopOf(answer)],
          index: 0,
        },
      ],
      ...usageOf(answer),
      ...head(call),
    }
  },

  frames(answer, call) {
    const chunk = (parts: JsonObject[], finishReason?: string): string =>
      sse({
        candidates: [{ content: { role: 'model', parts }, index: 0, ...(finishReason === undefined ? {} : { finishReason }) }],
        ...usageOf(answer, finishReason === undefined),
        ...head(call),
      })
    const frames: string[] = []
    for (const part of answer.parts) {
      if ('text' in part) for (const text of piecesOf(part.text, call.pieces)) frames.push(chunk([{ text }]))
      else if ('thought' in part) {
        for (const text of piecesOf(part.thought, call.pieces)) frames.push(chunk([{ text, thought: true }]))
        // Google signs the part that follows the thoughts; an answer of text alone is signed at its end.
        if (part.seal !== undefined) frames.push(chunk([{ text: '', thoughtSignature: part.seal }]))
      } else frames.push(chunk(partOf(part)))
    }
    frames.push(chunk([{ text: '' }], REASONS[stopOf(answer)]))
    return frames
  },

  error: (status, message) => ({ error: { code: status, message, status: statusWord(status) } }),
  errorFrame: (message) => sse({ error: { code: 503, message, status: 'UNAVAILABLE' } }),
}

function head(call: SpokenCall): JsonObject {
  return { modelVersion: call.model, responseId: `gem-${call.serial}` }
}

function partOf(part: Part): JsonObject[] {
  if ('text' in part) return [{ text: part.text }]
  if ('refusal' in part) return [{ text: part.refusal }]
  if ('thought' in part)
    return [{ text: part.thought, thought: true }, ...(part.seal === undefined ? [] : [{ text: '', thoughtSignature: part.seal }])]
  if ('redacted' in part) return []
  return [
    {
      functionCall: { id: part.call.id, name: part.call.name, args: part.call.args },
      ...(part.seal === undefined ? {} : { thoughtSignature: part.seal }),
    },
  ]
}

function usageOf({ usage, tokens = DEFAULT_TOKENS }: Answer, underWay = false): JsonObject {
  if (usage === 'missing') return {}
  if (usage !== undefined) return { usageMetadata: usage }
  const { input, output, cachedInput = 0, cacheWrite = 0, reasoning = 0 } = tokens
  const prompt = input + cachedInput + cacheWrite
  if (underWay)
    return {
      usageMetadata: {
        promptTokenCount: prompt,
        totalTokenCount: prompt,
        ...(cachedInput > 0 ? { cachedContentTokenCount: cachedInput } : {}),
      },
    }
  return {
    usageMetadata: {
      promptTokenCount: prompt,
      candidatesTokenCount: output - reasoning,
      totalTokenCount: prompt + output,
      ...(cachedInput > 0 ? { cachedContentTokenCount: cachedInput } : {}),
      ...(reasoning > 0 ? { thoughtsTokenCount: reasoning } : {}),
      promptTokensDetails: [{ modality: 'TEXT', tokenCount: prompt }],
    },
  }
}

function statusWord(status: number): string {
  switch (status) {
    case 400:
      return 'INVALID_ARGUMENT'
    case 401:
      return 'UNAUTHENTICATED'
    case 403:
      return 'PERMISSION_DENIED'
    case 404:
      return 'NOT_FOUND'
    case 429:
      return 'RESOURCE_EXHAUSTED'
    case 503:
      return 'UNAVAILABLE'
    case 504:
      return 'DEADLINE_EXCEEDED'
    default:
      return 'INTERNAL'
  }
}
