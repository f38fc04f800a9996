import type { UpstreamProtocol } from '../../../contract/channel-types.ts'
import { claude } from './claude/index.ts'
import { gemini } from './gemini/index.ts'
import type { Protocol } from './protocol.ts'
import { openaiChat } from './openai-chat/index.ts'
import { openaiResponses } from './openai-responses/index.ts'

/**
 * Every wire protocol the gateway speaks, to clients and to upstreams. Adding one is a folder, a row here and, for its upstreams, a row
 * of contract/channel-types.ts.
 */
export const protocols = {
  'openai-chat': openaiChat,
  'openai-responses': openaiResponses,
  claude,
  gemini,
} satisfies Record<UpstreamProtocol, Protocol>
