import { isObject } from '../../../../contract/json.ts'
import type { JsonObject } from '../../../../contract/json.ts'
import type { Choice, Completion, Event, Loss } from '../canonical.ts'
import { collect } from '../collect.ts'
import { WireError } from '../protocol.ts'
import type { StreamCall } from '../protocol.ts'
import { AnswerPartsWriter } from './answer-parts.ts'
import { extensionLosses } from '../loss.ts'
import { candidateMembers, encodeFinish, encodeLogprobs } from './finish.ts'
import { AnswerReader } from './stream-decode.ts'
import { writeUsage } from './usage.ts'
import { GEMINI } from './wire.ts'

/**
 * A whole answer, read as a stream of one chunk, so that both give the same blocks.
 * @throws WireError when the body is an error object instead of an answer
 */
export function decodeResponse(body: JsonObject): Completion {
  if (isObject(body.error)) throw new WireError('the answer is an error object', 'error')
  const reader = new AnswerReader()
  const events: Event[] = []
  reader.read(body, events)
  const completion = collect([...events, ...reader.end()])
  if (completion.choices.length === 0) completion.choices.push({ index: 0, content: [], finish: { reason: 'other' } })
  for (const choice of completion.choices) {
    // A whole answer is over, also where a server in between left the reason out.
    if (choice.finish.raw === undefined && choice.content.length > 0) {
      choice.finish = { reason: choice.content.some((block) => block.type === 'call') ? 'tool_calls' : 'stop' }
    }
  }
  return completion
}

/** An answer of any protocol as a GenerateContentResponse that shows the platform's model name. */
export function encodeResponse(completion: Completion, call: StreamCall): { body: JsonObject; losses: Loss[] } {
  const losses = extensionLosses(completion.ext, GEMINI, '', 'Gemini has no name for it')
  const body: JsonObject = {}
  const { _createTime, _promptFeedback, ...own } = completion.ext?.[GEMINI] ?? {}
  const blocked = completion.choices.find((choice) => choice.finish.ext?.[GEMINI]?._promptFeedback !== undefined)
  const shown = completion.choices.filter((choice) => choice !== blocked || choice.content.length > 0)
  if (shown.length > 0) body.candidates = shown.map((choice) => encodeChoice(choice, losses))
  const feedback = blocked?.finish.ext?.[GEMINI]?._promptFeedback ?? _promptFeedback
  if (feedback !== undefined) body.promptFeedback = feedback
  if (completion.usage) body.usageMetadata = writeUsage(completion.usage, completion.rawUsage)
  body.modelVersion = call.model
  body.createTime = _createTime ?? timestamp(completion.created, call)
  body.responseId = completion.id === '' ? call.id : completion.id
  return { body: { ...body, ...own }, losses }
}

function encodeChoice(choice: Choice, losses: Loss[]): JsonObject {
  const path = `candidates[${choice.index}]`
  losses.push(...extensionLosses(choice.ext, GEMINI, `${path}.`, 'Gemini has no name for it'))
  losses.push(...extensionLosses(choice.finish.ext, GEMINI, `${path}.`, 'Gemini has no name for it'))
  if (choice.finish.stopSequence !== undefined) {
    losses.push({ path: `${path}.stop_sequence`, reason: 'Gemini does not tell which stop sequence was met' })
  }
  const writer = new AnswerPartsWriter()
  const parts: JsonObject[] = []
  choice.content.forEach((block, index) => writer.write(block, parts, { losses, path: `${path}.content.parts[${index}]` }))
  const logprobs = encodeLogprobs(choice.logprobs)
  return {
    content: { parts, role: 'model' },
    finishReason: encodeFinish(choice.finish),
    index: choice.index,
    ...(logprobs && { logprobsResult: logprobs }),
    ...candidateMembers(choice.finish),
  }
}

/** The last second of the year 9999, where Google's form of a time ends (google.protobuf.Timestamp). */
const LAST_SECOND = 253_402_300_799

/** Google's JSON form of the time an answer was made, from the maker's Unix seconds; the call's own where those are none or no time. */
export function timestamp(made: number | undefined, call: StreamCall): string {
  const seconds = made !== undefined && made >= 0 && made <= LAST_SECOND ? made : call.created
  return new Date(seconds * 1000).toISOString()
}
