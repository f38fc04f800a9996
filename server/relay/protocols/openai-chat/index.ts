import { isObject, type JsonObject } from '../../../../contract/json.ts'
import { requireModel, type Peek, type Protocol } from '../protocol.ts'
import { bodyFault, decodeError, encodeError, encodeStreamError } from './error.ts'
import { patch } from './patch.ts'
import { decodeRequest, maxOutputTokens } from './request-decode.ts'
import { encodeRequest } from './request-encode.ts'
import { decodeResponse, encodeResponse } from './response.ts'
import { takesUrl } from './block.ts'
import { words } from './source-words.ts'
import { decodeStream } from './stream-decode.ts'
import { encodeStream } from './stream-encode.ts'
import { tap } from './tap.ts'
import { answerText, requestText } from './texts.ts'
import { count, OWN } from './wire.ts'
import { usageOf } from './usage.ts'

const PATH = '/chat/completions'
/** Bases that name an API version themselves (`/v1`, Zhipu's `/v4`, Volcengine's `/v3`), some with a compatibility folder behind it. */
const VERSIONED = /\/v\d+(beta\d*|alpha\d*)?(\/openai)?$/

function peek(body: JsonObject): Peek {
  const model = requireModel(body.model)
  const cap = maxOutputTokens(body)
  return {
    model,
    stream: body.stream === true,
    ...(cap === undefined ? {} : { maxOutputTokens: cap }),
    choices: Math.max(1, count(body.n) ?? 1),
    wantsUsage: isObject(body.stream_options) && body.stream_options.include_usage === true,
  }
}

/** The chat path below a base, which may end in a version, in the whole path, or carry a query (Azure's `api-version`). */
function chatUrl(base: string): string {
  const at = base.indexOf('?')
  const query = at < 0 ? '' : base.slice(at)
  let path = (at < 0 ? base : base.slice(0, at)).replace(/\/+$/, '')
  if (path.endsWith(PATH)) return path + query
  // A base meant for Gemini's own paths; OpenAI's are below /v1.
  if (path.endsWith('/v1beta')) path = `${path.slice(0, -'/v1beta'.length)}/v1`
  return `${VERSIONED.test(path) ? path : `${path}/v1`}${PATH}${query}`
}

/** OpenAI Chat Completions, and the many vendors that speak it. */
export const openaiChat: Protocol = {
  id: OWN,
  addresses: { '/v1/chat/completions': 'chat.completions', '/v1/completions': 'completions' },
  answerModel: { member: 'model', inFrame: () => true },
  peek,
  patch,
  endpoint: (base) => ({ url: chatUrl(base), headers: (key) => ({ authorization: `Bearer ${key}` }) }),
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
  alternatives: ({ choices }) => (Array.isArray(choices) ? choices.length : 0),
  answerText,
  requestText,
  tap,
  keepAlive: ': keep-alive\n\n',
}
