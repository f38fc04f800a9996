import { isObject, type Json, type JsonObject } from '../../../../contract/json.ts'
import type { Frame, TapResult } from '../protocol.ts'
import { bodyFault } from './error.ts'
import { parseJson } from './seals.ts'
import { DONE } from './stream-decode.ts'
import { rawUsage, readUsage } from './usage.ts'

const NOTHING: TapResult = Object.freeze({ text: '', content: false })
const END: TapResult = Object.freeze({ text: '', content: false, end: true })

/** Reads one chunk: one parse, and nothing built but its result. Chunks of `/v1/completions` (`choices[].text`) are read too. */
export function tap(frame: Frame): TapResult {
  const { data } = frame
  if (data === DONE || data.trim() === DONE) return END
  const chunk = parseJson(data)
  if (!isObject(chunk)) return NOTHING
  const found: TapResult = { text: '', content: false }
  const { choices } = chunk
  if (Array.isArray(choices)) for (const choice of choices) if (isObject(choice)) tapChoice(choice, found)
  found.content = found.text !== ''
  const raw = rawUsage(chunk)
  const usage = raw && readUsage(raw)
  if (usage) found.usage = usage
  if (raw && Array.isArray(choices) && choices.length === 0) found.usageOnly = true
  const fault = frame.event === 'error' ? (bodyFault(chunk) ?? bodyFault({ error: chunk })) : bodyFault(chunk)
  if (fault) found.fault = fault
  return found
}

function tapChoice(choice: JsonObject, found: TapResult): void {
  const delta = choice.delta ?? choice.message
  if (isObject(delta)) found.text += deltaText(delta)
  else if (typeof choice.text === 'string') found.text += choice.text
  if (typeof choice.finish_reason === 'string') found.finish = choice.finish_reason
  if (typeof choice.index === 'number' && choice.index > (found.choice ?? 0)) found.choice = choice.index
}

/** Everything of a message or delta that the model wrote. */
export function deltaText(delta: JsonObject): string {
  const { content, reasoning_content: thoughts, reasoning, refusal, tool_calls: calls, function_call: legacy, audio } = delta
  let text = typeof content === 'string' ? content : Array.isArray(content) ? partsText(content) : ''
  if (typeof thoughts === 'string' && thoughts !== '') text += thoughts
  else if (typeof reasoning === 'string') text += reasoning
  if (typeof refusal === 'string') text += refusal
  if (Array.isArray(calls)) for (const entry of calls) if (isObject(entry)) text += callText(entry.function ?? entry.custom)
  if (legacy !== undefined) text += callText(legacy)
  if (isObject(audio) && typeof audio.transcript === 'string') text += audio.transcript
  return text
}

function callText(call: Json | undefined): string {
  if (!isObject(call)) return ''
  const { name, arguments: input, input: free } = call
  const written = input ?? free
  return (typeof name === 'string' ? name : '') + (typeof written === 'string' ? written : isObject(written) ? JSON.stringify(written) : '')
}

/** The text of content parts, Mistral's thoughts included; pictures and files have none. */
export function partsText(parts: Json[]): string {
  let text = ''
  for (const part of parts) {
    if (typeof part === 'string') text += part
    else if (isObject(part)) {
      if (typeof part.text === 'string') text += part.text
      else if (typeof part.refusal === 'string') text += part.refusal
      else if (Array.isArray(part.thinking)) text += partsText(part.thinking)
    }
  }
  return text
}
