import type { Protocol } from '../protocol.ts'
import { bodyFault, decodeError, encodeError, encodeStreamError } from './error.ts'
import { decodeRequest } from './request-decode.ts'
import { encodeRequest } from './request-encode.ts'
import { decodeResponse, encodeResponse } from './response.ts'
import { endpoint, patch, peek } from './route.ts'
import { takesUrl } from './parts.ts'
import { words } from './source-words.ts'
import { SSE_KEEP_ALIVE, decodeStream, encodeStream } from './stream.ts'
import { tap } from './tap.ts'
import { answerText, requestText } from './text.ts'
import { usageOf } from './usage.ts'
import { GEMINI } from './wire.ts'

export { countAnswer, countedRequest, embeddedTexts, embeddingAnswer } from './count.ts'
export { framerFor, wantsArray } from './stream.ts'

/** Google generateContent and streamGenerateContent (Gemini API v1beta). */
export const gemini: Protocol = {
  id: GEMINI,
  // The model stands in its addresses: see ingress.ts.
  addresses: {},
  answerModel: { member: 'modelVersion', inFrame: () => true },
  peek,
  patch,
  endpoint,
  decodeRequest,
  encodeRequest,
  words,
  takesUrl,
  decodeResponse,
  encodeResponse,
  decodeStream,
  encodeStream,
  decodeError,
  bodyFault,
  encodeError,
  encodeStreamError,
  usage: usageOf,
  alternatives: ({ candidates }) => (Array.isArray(candidates) ? candidates.length : 0),
  answerText,
  requestText,
  tap,
  keepAlive: SSE_KEEP_ALIVE,
}
