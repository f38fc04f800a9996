import { isObject, type JsonObject } from '../../../../contract/json.ts'
import type { Completion, Loss } from '../canonical.ts'
import { extensionLosses } from '../loss.ts'
import { WireError, type StreamCall } from '../protocol.ts'
import { encodeBlocks } from './block-encode.ts'
import { decodeContent } from './block.ts'
import { readFinish, writeStop } from './finish.ts'
import { usageOf, writeUsage } from './usage.ts'
import { isNative, OWN, ownMembers, rest, text } from './wire.ts'

/** Members of an answer with a canonical name; the others stay with its finish, where a stream tells them too. */
export const MESSAGE_MEMBERS: ReadonlySet<string> = new Set([
  'id',
  'type',
  'role',
  'model',
  'content',
  'stop_reason',
  'stop_sequence',
  'usage',
])

/**
 * Reads a whole Messages answer.
 * @throws WireError when it has no content list (an error object, or another protocol's answer)
 */
export function decodeResponse(body: JsonObject): Completion {
  if (!Array.isArray(body.content)) throw new WireError('content: must be a list of blocks', 'content')
  const usage = usageOf(body)
  const tier = isObject(body.usage) ? text(body.usage.service_tier) : undefined
  return {
    id: text(body.id) ?? '',
    model: text(body.model) ?? '',
    choices: [
      {
        index: 0,
        content: decodeContent(body.content, 'answer', 'content').map(unlisted),
        finish: readFinish(body.stop_reason, body.stop_sequence, rest(body, MESSAGE_MEMBERS)),
      },
    ],
    ...(usage ? { usage } : {}),
    ...(isObject(body.usage) ? { rawUsage: body.usage } : {}),
    ...(tier === undefined ? {} : { serviceTier: tier }),
    ext: { [OWN]: {} },
  }
}

/** An answer's content is always a list; there is no other way of writing to remember. */
function unlisted<B extends Completion['choices'][number]['content'][number]>(block: B): B {
  if (block.type === 'text' && block.ext?.[OWN]?._list) delete block.ext
  return block
}

/** Writes an answer as a Messages body under the platform's model name. Claude knows one alternative and no log probabilities. */
export function encodeResponse(completion: Completion, call: StreamCall): { body: JsonObject; losses: Loss[] } {
  const losses: Loss[] = extensionLosses(completion.ext, OWN, '', 'A Claude answer has no such member')
  const native = isNative(completion)
  const [choice] = completion.choices
  for (const other of completion.choices.slice(1)) {
    losses.push({ path: `choices[${other.index}]`, reason: 'A Claude answer has one alternative' })
  }
  if (choice?.logprobs !== undefined && choice.logprobs !== null) {
    losses.push({ path: 'logprobs', reason: 'Claude tells no log probabilities' })
  }
  const finish = choice?.finish ?? { reason: 'other' }
  losses.push(...extensionLosses(choice?.ext, OWN, '', 'A Claude answer has no such member'))
  losses.push(...extensionLosses(finish.ext, OWN, '', 'A Claude answer has no such member'))
  const blocks = choice?.content ?? []
  const usage =
    native && isObject(completion.rawUsage)
      ? completion.rawUsage
      : completion.usage
        ? writeUsage(completion.usage)
        : { input_tokens: call.estimatedInput ?? 0, output_tokens: 0 }
  const body: JsonObject = {
    id: completion.id || call.id,
    type: 'message',
    role: 'assistant',
    model: call.model,
    content: encodeBlocks(blocks, 'content', { road: 'answer', native, losses }),
    ...writeStop(
      finish,
      blocks.some((block) => block.type === 'call'),
      native,
    ),
    ...ownMembers(finish.ext),
    usage,
  }
  return { body, losses }
}
