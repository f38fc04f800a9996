import { isObject, type Json, type JsonObject } from '../../../../contract/json.ts'
import { deltaText, partsText } from './tap.ts'
import { objects, text } from './wire.ts'

/** Text of a whole answer, for counting when usage is missing and for the filter. */
export function answerText(body: JsonObject): string {
  const texts: string[] = []
  for (const choice of objects(body.choices)) texts.push(isObject(choice.message) ? deltaText(choice.message) : (text(choice.text) ?? ''))
  return texts.join('\n')
}

/** Text of a whole request without its framing: messages, thoughts and calls sent back, and the tools as the model reads them. */
export function requestText(body: JsonObject): string {
  const texts: string[] = []
  for (const message of objects(body.messages)) {
    const written = deltaText(message)
    if (written !== '') texts.push(written)
  }
  const prompt = promptText(body.prompt)
  if (prompt !== '') texts.push(prompt)
  for (const tool of objects(body.tools)) texts.push(JSON.stringify(tool.function ?? tool.custom ?? tool))
  for (const definition of objects(body.functions)) texts.push(JSON.stringify(definition))
  if (isObject(body.response_format) && isObject(body.response_format.json_schema))
    texts.push(JSON.stringify(body.response_format.json_schema))
  return texts.join('\n')
}

/** The `prompt` of `/v1/completions` as text; token ids have none. */
export function promptText(prompt: Json | undefined): string {
  if (typeof prompt === 'string') return prompt
  if (Array.isArray(prompt)) return prompt.every((each) => typeof each === 'string') ? prompt.join('\n') : partsText(prompt)
  return isObject(prompt) ? (text(prompt.text) ?? text(prompt.content) ?? '') : ''
}
