import type { Json, JsonObject } from '../../../../contract/json.ts'
import { isObject } from '../../../../contract/json.ts'
import type { Finish, FinishReason } from '../canonical.ts'
import { GEMINI, list, number, text } from './wire.ts'

/** Google's finish and block reasons (Gemini API reference, FinishReason and BlockReason). STOP depends on the calls made. */
const reasons: { [raw: string]: FinishReason | undefined } = {
  STOP: 'stop',
  MAX_TOKENS: 'length',
  SAFETY: 'content_filter',
  RECITATION: 'content_filter',
  BLOCKLIST: 'content_filter',
  PROHIBITED_CONTENT: 'content_filter',
  SPII: 'content_filter',
  IMAGE_SAFETY: 'content_filter',
  IMAGE_PROHIBITED_CONTENT: 'content_filter',
  IMAGE_RECITATION: 'content_filter',
  MODEL_ARMOR: 'content_filter',
  JAILBREAK: 'content_filter',
  CONTINUATION: 'pause',
}

const written: { [reason in FinishReason]: string } = {
  stop: 'STOP',
  stop_sequence: 'STOP',
  tool_calls: 'STOP',
  length: 'MAX_TOKENS',
  context_window: 'MAX_TOKENS',
  content_filter: 'SAFETY',
  refusal: 'SAFETY',
  pause: 'OTHER',
  other: 'OTHER',
}

/** Facts about a candidate that no one asked for: they come back, and are no loss elsewhere. */
const remarks = new Set(['finishMessage', 'safetyRatings', 'avgLogprobs', 'tokenCount'])

/** Whether the text is a reason at all; a chunk in the middle of a stream has none. */
export function isFinished(raw: Json | undefined): raw is string {
  return typeof raw === 'string' && raw !== '' && raw !== 'FINISH_REASON_UNSPECIFIED'
}

/** @param called the candidate called a function, which Google ends with STOP like any answer */
export function decodeFinish(raw: string, called: boolean, ext: JsonObject): Finish {
  const reason = raw === 'STOP' && called ? 'tool_calls' : (reasons[raw] ?? 'other')
  return { reason, raw, ...(Object.keys(ext).length > 0 && { ext: { [GEMINI]: ext } }) }
}

/** The end of an answer whose prompt was blocked: there is no candidate, only `promptFeedback`. */
export function decodeBlocked(feedback: JsonObject): Finish | undefined {
  const raw = text(feedback.blockReason)
  return raw === undefined ? undefined : { reason: 'content_filter', raw, ext: { [GEMINI]: { _promptFeedback: feedback } } }
}

/** All other makers write their reasons in lower case. */
export function encodeFinish(finish: Finish): string {
  return finish.raw !== undefined && /^[A-Z][A-Z0-9_]*$/.test(finish.raw) ? finish.raw : written[finish.reason]
}

/** What a candidate says beside its content, for `Finish.ext`. */
export function candidateExtension(candidate: JsonObject): JsonObject {
  const ext: JsonObject = {}
  for (const name in candidate) {
    if (name === 'content' || name === 'finishReason' || name === 'index' || name === 'logprobsResult') continue
    ext[remarks.has(name) ? `_${name}` : name] = candidate[name]
  }
  return ext
}

/** Back to a candidate's members. */
export function candidateMembers(finish: Finish): JsonObject {
  const members: JsonObject = {}
  for (const [name, value] of Object.entries(finish.ext?.[GEMINI] ?? {})) {
    if (name === '_promptFeedback') continue
    members[name.startsWith('_') ? name.slice(1) : name] = value
  }
  return members
}

/** `logprobsResult` in Chat Completions' form (see Choice.logprobs). */
export function decodeLogprobs(value: Json | undefined): Json | undefined {
  if (!isObject(value)) return undefined
  const top = list(value.topCandidates)
  const content = list(value.chosenCandidates)
    .filter(isObject)
    .map((chosen, index) => {
      const row = top[index]
      return {
        ...toChat(chosen),
        top_logprobs: list(isObject(row) ? row.candidates : undefined)
          .filter(isObject)
          .map(toChat),
      }
    })
  return content.length > 0 ? { content } : undefined
}

function toChat(candidate: JsonObject): JsonObject {
  return { token: text(candidate.token) ?? '', logprob: number(candidate.logProbability) ?? 0, bytes: null }
}

/** Log probabilities in Chat Completions' form as a `logprobsResult`. */
export function encodeLogprobs(value: Json | undefined): JsonObject | undefined {
  const rows = isObject(value) ? list(value.content).filter(isObject) : []
  if (rows.length === 0) return undefined
  const back = (row: JsonObject): JsonObject => ({ token: row.token, logProbability: row.logprob })
  return {
    topCandidates: rows.map((row) => ({ candidates: list(row.top_logprobs).filter(isObject).map(back) })),
    chosenCandidates: rows.map(back),
  }
}
