import { isObject, type Json, type JsonObject } from '../../../../contract/json.ts'
import type { Choice, Completion, Loss } from '../canonical.ts'
import { extensionLosses } from '../loss.ts'
import { WireError, type StreamCall } from '../protocol.ts'
import { encodeAnswer } from './answer.ts'
import { finishExtra, finishMembers, readFinish, writeFinish } from './finish.ts'
import { ASSISTANT_MEMBERS, decodeAssistant } from './message.ts'
import { count, number, object, objects, own, OWN, ownMembers, restSaid, text } from './wire.ts'
import { rawUsage, readUsage, writeUsage } from './usage.ts'

/** The members of an answer that have a canonical name. */
export const BODY_MEMBERS = new Set(['id', 'object', 'created', 'model', 'choices', 'usage', 'service_tier', 'obfuscation'])
const CHOICE = new Set(['index', 'message', 'delta', 'finish_reason', 'logprobs', 'usage', 'text'])

/**
 * Reads a whole answer.
 * @throws WireError when it has no list of choices
 */
export function decodeResponse(body: JsonObject): Completion {
  if (!Array.isArray(body.choices)) throw new WireError('The answer has no choices', 'choices')
  const id = text(body.id) ?? ''
  const raw = rawUsage(body)
  const usage = readUsage(raw)
  const created = number(body.created)
  const tier = text(body.service_tier)
  return {
    id,
    model: text(body.model) ?? '',
    ...(created === undefined ? {} : { created }),
    choices: objects(body.choices).map((choice, index) => decodeChoice(choice, index, id)),
    ...(usage && raw ? { usage, rawUsage: raw } : {}),
    ...(tier === undefined ? {} : { serviceTier: tier }),
    ...own(restSaid(body, BODY_MEMBERS)),
  }
}

function decodeChoice(choice: JsonObject, position: number, id: string): Choice {
  const index = count(choice.index) ?? position
  const message = isObject(choice.message) ? choice.message : { content: choice.text }
  const content = decodeAssistant(message, `choices[${index}].message`, (call) => callId(id, index, call))
  const held = { calls: content.some((block) => block.type === 'call'), refusal: content.some((block) => block.type === 'refusal') }
  const extra = finishExtra(restSaid(choice, CHOICE), restSaid(message, ASSISTANT_MEMBERS))
  const logprobs = readLogprobs(choice.logprobs)
  return { index, content, finish: readFinish(choice.finish_reason, held, extra), ...(logprobs ? { logprobs } : {}) }
}

/** The members of a choice that have a canonical name, for the stream. */
export function choiceRest(choice: JsonObject): JsonObject | undefined {
  return restSaid(choice, CHOICE)
}

/** An id for a call whose vendor gave none; the answer's id makes it unlike those of other turns. */
export function callId(id: string, choice: number, call: number): string {
  return `call_${id}_${choice}_${call}`
}

/** Log probabilities without their nulls: a stream tells those one by one. */
export function readLogprobs(value: Json | undefined): JsonObject | undefined {
  if (!isObject(value)) return undefined
  return restSaid(value, new Set())
}

/** Writes a whole answer. Members another protocol told and this one has no name for are Losses. */
export function encodeResponse(completion: Completion, call: StreamCall): { body: JsonObject; losses: Loss[] } {
  const losses = extensionLosses(completion.ext, OWN, '', 'Chat Completions has no such member')
  const body: JsonObject = {
    id: completion.id || call.id,
    object: 'chat.completion',
    created: completion.created ?? call.created,
    model: call.model,
    choices: completion.choices.map((choice) => encodeChoice(choice, call, losses)),
    ...(completion.usage ? { usage: writeUsage(completion.usage) } : {}),
    ...(completion.serviceTier === undefined ? {} : { service_tier: writeTier(completion.serviceTier) }),
    ...ownMembers(completion.ext),
  }
  return { body, losses }
}

function encodeChoice(choice: Choice, call: StreamCall, losses: Loss[]): JsonObject {
  const path = `choices[${choice.index}]`
  losses.push(...extensionLosses(choice.ext, OWN, `${path}.`, 'Chat Completions has no such member'))
  losses.push(...extensionLosses(choice.finish.ext, OWN, `${path}.`, 'Chat Completions has no such member'))
  const { message, held } = encodeAnswer(choice.content, `${path}.message`, call, losses)
  const extra = finishMembers(choice.finish)
  return {
    index: choice.index,
    message: { ...message, ...extra.message },
    logprobs: writeLogprobs(choice.logprobs),
    finish_reason: writeFinish(choice.finish, held),
    ...extra.choice,
    ...ownMembers(choice.ext),
  }
}

/** Log probabilities with the nulls the API documents. */
export function writeLogprobs(value: Json | undefined): Json {
  return value === undefined ? null : { content: null, refusal: null, ...object(value) }
}

/** The tier that served an answer; Claude's and Gemini's `standard` is OpenAI's `default`. */
export function writeTier(tier: string): string {
  return tier === 'standard' ? 'default' : tier
}
