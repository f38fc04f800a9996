import type { JsonObject } from '../../contract/json.ts'
import type { AnswerModel } from './protocols/protocol.ts'

/** A member as it stands in JSON text; inside a JSON string its quotes would be escaped, so text of an answer never matches. */
const MEMBERS = {
  model: /"model"(\s*:\s*)"((?:[^"\\]|\\.)*)"/,
  modelVersion: /"modelVersion"(\s*:\s*)"((?:[^"\\]|\\.)*)"/,
} as const

/**
 * Puts the platform's model name where a frame of a stream has the upstream's (additions.md), without parsing the rest: a
 * frame that needs no change stays as it is.
 */
export function showModelInFrame(data: string, model: string, { member, inFrame }: AnswerModel): string {
  if (!inFrame(data)) return data
  const match = MEMBERS[member].exec(data)
  return match ? replaceAt(data, match, member, model) : data
}

/**
 * The same for a whole answer: text that needs no change is returned as it is. Where the member's name stands more than
 * once, as in a tool's input, the body is written anew instead of guessing which is meant.
 */
export function showModel(text: string, json: JsonObject, model: string, answerModel: AnswerModel): string {
  const { member } = answerModel
  const named = json[member]
  if (typeof named !== 'string' || named === model) return text
  const match = MEMBERS[member].exec(text)
  const isOnly = match !== null && !text.includes(`"${member}"`, match.index + 1)
  return isOnly ? replaceAt(text, match, member, model) : JSON.stringify(withModel(json, model, answerModel))
}

/** A parsed answer with the platform's model name. */
export function withModel(json: JsonObject, model: string, { member }: AnswerModel): JsonObject {
  return json[member] !== undefined ? { ...json, [member]: model } : json
}

function replaceAt(text: string, match: RegExpExecArray, member: string, model: string): string {
  if (match[2] === model) return text
  return `${text.slice(0, match.index)}"${member}"${match[1]}${JSON.stringify(model)}${text.slice(match.index + match[0].length)}`
}
