import type { Fault } from '../canonical.ts'
import type { Frame, Protocol } from '../protocol.ts'
import { bodyFault, decodeError, encodeError, failureEvents } from './error.ts'
import { decodeRequest } from './request-decode.ts'
import { encodeRequest } from './request-encode.ts'
import { decodeResponse, encodeResponse } from './response.ts'
import { endpoint, patch, peek } from './road.ts'
import { takesUrl } from './media.ts'
import { words } from './source-words.ts'
import { decodeStream } from './stream-decode.ts'
import { encodeStream } from './stream-encode.ts'
import { tap } from './tap.ts'
import { usageOf } from './usage.ts'
import { OWN } from './wire.ts'
import { answerText, requestText } from './words.ts'

/** The end of a stream that was passed on as it came: its own numbers and id are not known here. */
function encodeStreamError(fault: Fault, requestId: string): Frame[] {
  const id = `resp_${requestId.replace(/[^A-Za-z0-9]+/g, '')}`
  return failureEvents(fault, 0, { id, object: 'response', created_at: 0, incomplete_details: null, output: [], usage: null })
}

/** The OpenAI Responses API (platform.openai.com/docs/api-reference/responses). */
export const openaiResponses: Protocol = {
  id: OWN,
  addresses: { '/v1/responses': 'responses' },
  answerModel: { member: 'model', inFrame: (data) => data.includes('"response":') },
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
  answerText,
  requestText,
  tap,
  keepAlive: ': keep-alive\n\n',
}
