import { isObject, type Json, type JsonObject } from '../../../../contract/json.ts'
import type { Block, Completion, Finish, FinishReason, Loss, Seal } from '../canonical.ts'
import { extensionLosses } from '../loss.ts'
import type { StreamCall } from '../protocol.ts'
import { freeFormNames, freeText } from './asked.ts'
import { foreign, readCall, readImageCall, readMessage, readReasoning } from './block.ts'
import { NO_MEMBER, writeReasoning } from './block-encode.ts'
import {
  answerPart,
  callItem,
  idBase,
  imageItem,
  isImage,
  itemId,
  logprobList,
  messageItem,
  messageMembers,
  responseId,
  responseObject,
  writeStatus,
} from './items.ts'
import { readUsage, writeUsage } from './usage.ts'
import { count, isNative, list, object, OWN, remembered, text } from './wire.ts'

/** Members of a response that the canonical completion has names for; the others come back through `finish.ext`. */
const KNOWN = new Set(['id', 'object', 'created_at', 'model', 'output', 'output_text', 'status', 'error', 'incomplete_details', 'usage'])

/** Reads a whole answer. */
export function decodeResponse(body: JsonObject): Completion {
  const content: Block[] = []
  const carried = new Map<string, Seal>()
  for (const item of list(body.output)) {
    if (!isObject(item)) continue
    for (const block of readOutputItem(item, carried)) content.push(block)
  }
  for (const block of content) {
    const seal = block.type === 'call' && !block.seal ? carried.get(block.id) : undefined
    if (block.type === 'call' && seal) block.seal = seal
  }
  const created = count(body.created_at)
  const usage = readUsage(body.usage)
  const logprobs = readLogprobs(body.output)
  return {
    id: text(body.id) ?? '',
    model: text(body.model) ?? '',
    ...(created === undefined ? {} : { created }),
    choices: [
      { index: 0, content, finish: readFinish(body, content), ...(logprobs.length > 0 ? { logprobs: { content: logprobs } } : {}) },
    ],
    ...(usage ? { usage } : {}),
    ...(usage && isObject(body.usage) ? { rawUsage: body.usage } : {}),
    ext: { [OWN]: {} },
  }
}

/** Reads one item of an answer; the seal of a call that an item only carries goes into `carried`. */
export function readOutputItem(item: JsonObject, carried: Map<string, Seal>): Block[] {
  switch (item.type) {
    case 'message':
      return readMessage(item, 'answer')?.blocks ?? [foreign(item)]
    case 'reasoning': {
      const block = readReasoning(item, 'answer')
      if (!block) return [foreign(item)]
      if ('type' in block) return [block]
      carried.set(block.callId, block.seal)
      return []
    }
    case 'function_call':
    case 'custom_tool_call':
      return [readCall(item, 'answer') ?? foreign(item)]
    case 'image_generation_call':
      return [readImageCall(item) ?? foreign(item)]
    default:
      return [foreign(item)]
  }
}

function readLogprobs(output: Json | undefined): Json[] {
  const found: Json[] = []
  for (const item of list(output)) {
    if (!isObject(item) || item.type !== 'message') continue
    for (const part of list(item.content)) if (isObject(part)) found.push(...list(part.logprobs))
  }
  return found
}

/** How an answer ended. A call or a refusal in a completed answer is its reason. */
export function readFinish(response: JsonObject, content: Iterable<{ type: string }>): Finish {
  const memory: JsonObject = {}
  for (const key of Object.keys(response)) if (!KNOWN.has(key) && response[key] !== undefined) memory[key] = response[key]
  // A usage that tells nothing is no usage, but was said.
  if (isObject(response.usage) && !readUsage(response.usage)) memory.usage = response.usage
  const ext = { [OWN]: { _response: memory } }
  const status = text(response.status) ?? 'completed'
  if (status === 'completed') {
    let reason: FinishReason = 'stop'
    for (const block of content) {
      if (block.type === 'call') reason = 'tool_calls'
      else if (block.type === 'refusal' && reason === 'stop') reason = 'refusal'
    }
    return { reason, raw: status, ext }
  }
  if (status !== 'incomplete') return { reason: 'other', raw: status, ext }
  const raw = text(object(response.incomplete_details).reason) ?? status
  const reason = raw === 'max_output_tokens' ? 'length' : raw === 'content_filter' ? 'content_filter' : 'other'
  return { reason, raw, ext }
}

/** Writes a whole answer under the platform's model name. */
export function encodeResponse(completion: Completion, call: StreamCall): { body: JsonObject; losses: Loss[] } {
  const losses = extensionLosses(completion.ext, OWN, '', NO_MEMBER)
  const [choice, ...others] = completion.choices
  for (const other of others) losses.push({ path: `choices[${other.index}]`, reason: 'The Responses API gives one answer' })
  const finish: Finish = choice?.finish ?? { reason: 'other' }
  const native = isNative(completion)
  losses.push(...extensionLosses(finish.ext, OWN, '', NO_MEMBER))
  const content = choice?.content ?? []
  const status = writeStatus(
    finish,
    native,
    content.some((block) => block.type === 'refusal'),
  )
  const output = writeOutput(content, logprobList(choice?.logprobs), text(status.status) ?? 'completed', call, losses)
  const usage = native && isObject(completion.rawUsage) ? completion.rawUsage : completion.usage ? writeUsage(completion.usage) : undefined
  const memory = remembered(finish.ext, 'response')
  const id = responseId(completion.id, native, call)
  const body = responseObject(id, completion.created ?? call.created, call, isObject(memory) ? memory : undefined, {
    ...status,
    ...(completion.serviceTier === undefined ? {} : { service_tier: completion.serviceTier }),
    output,
    ...(usage ? { usage } : {}),
  })
  return { body, losses }
}

function writeOutput(content: Block[], logprobs: Json[], status: string, call: StreamCall, losses: Loss[]): JsonObject[] {
  const base = idBase(call)
  const output: JsonObject[] = []
  const lose = (index: number, reason: string) => losses.push({ path: `output[${index}]`, reason })
  let parts: JsonObject[] | undefined
  let free: ReadonlySet<string> | undefined
  let logprobsFrom = 0
  /** The last message of a cut answer is the one that was cut. */
  const lastWords = content.findLastIndex((block) => block.type === 'text' || block.type === 'refusal')
  for (const [index, block] of content.entries()) {
    if (block.type !== 'foreign') losses.push(...extensionLosses(block.ext, OWN, `output[${index}].`, NO_MEMBER))
    const isPart = block.type === 'text' || block.type === 'refusal' || (block.type === 'foreign' && block.data._part === true)
    if (!isPart) parts = undefined
    else if (!parts || messageMembers(block)) {
      parts = []
      const members = messageMembers(block)
      output.push(messageItem(text(members?.id) ?? `msg_${base}_${output.length}`, members, 'completed', parts))
    }
    switch (block.type) {
      case 'text': {
        const share = block.ext?.[OWN] ? (count(remembered(block.ext, 'logprobs')) ?? 0) : logprobs.length
        parts?.push(answerPart(block, block.text, list(block.ext?.[OWN]?.annotations), logprobs.slice(logprobsFrom, logprobsFrom + share)))
        logprobsFrom += share
        break
      }
      case 'refusal':
        parts?.push(answerPart(block, block.text, [], []))
        break
      case 'reasoning':
        if (block.text !== '' || block.seal || block.ext?.[OWN]) output.push(writeReasoning(block, `rs_${base}_${output.length}`))
        break
      case 'call': {
        free ??= freeFormNames(call.request)
        const said = !block.custom && free.has(block.name) ? { ...block, custom: true, input: freeText(block.input) } : block
        output.push(callItem(said, itemId(said, said.custom ? 'ctc' : 'fc', base, output.length), 'completed', said.input))
        break
      }
      case 'media':
        if (isImage(block) && 'base64' in block.data) {
          output.push(imageItem(block, itemId(block, 'ig', base, output.length), block.data.base64, 'completed'))
        } else lose(index, 'An answer of the Responses API cannot carry this kind of media')
        break
      case 'result':
        lose(index, 'An answer of the Responses API cannot carry tool results')
        break
      case 'foreign': {
        const { _part, _message, ...data } = block.data
        if (block.from !== OWN) lose(index, `OpenAI does not know this block of ${block.from}`)
        else if (_part === true) parts?.push(data)
        else output.push(block.data)
        break
      }
      default:
        block satisfies never
    }
    if (index === lastWords && status === 'incomplete') Object.assign(output.at(-1) ?? {}, { status })
  }
  return output
}
