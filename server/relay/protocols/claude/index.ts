import type { Protocol } from '../protocol.ts'
import { bodyFault, decodeError, encodeError, encodeStreamError } from './error.ts'
import { mediaByUrl, withMedia } from './by-url.ts'
import { decodeRequest } from './request-decode.ts'
import { encodeRequest } from './request-encode.ts'
import { decodeResponse, encodeResponse } from './response.ts'
import { endpoint, patch, peek } from './road.ts'
import { takesUrl } from './media.ts'
import { mendFrame, mendMessage } from './mend.ts'
import { words } from './source-words.ts'
import { decodeStream } from './stream-decode.ts'
import { encodeStream } from './stream-encode.ts'
import { tap } from './tap.ts'
import { usageOf } from './usage.ts'
import { OWN } from './wire.ts'
import { answerText, requestText } from './words.ts'

/** The Anthropic Messages API (platform.claude.com/docs/en/api/messages). */
export const claude: Protocol = {
  id: OWN,
  addresses: { '/v1/messages': 'messages' },
  answerModel: { member: 'model', inFrame: (data) => data.includes('"message_start"') },
  peek,
  patch,
  endpoint,
  decodeRequest,
  encodeRequest,
  words,
  takesUrl,
  mediaByUrl,
  withMedia,
  decodeResponse,
  encodeResponse,
  decodeStream,
  encodeStream,
  bodyFault,
  decodeError,
  encodeError,
  encodeStreamError,
  usage: usageOf,
  answerText,
  requestText,
  tap,
  mendMessage,
  mendFrame,
  keepAlive: 'event: ping\ndata: {"type": "ping"}\n\n',
}
