import { isObject } from '../../../../contract/json.ts'
import type { Json, JsonObject } from '../../../../contract/json.ts'
import { camel, list, member } from './wire.ts'

/**
 * The text a model read or wrote in one part: text, thoughts, names and arguments of calls, answers of tools, code and its output.
 * Media bytes and signatures are no text.
 */
export function partText(part: Json): string {
  if (typeof part === 'string') return part
  if (!isObject(part)) return ''
  if (typeof part.text === 'string') return part.text
  const call = part.functionCall ?? part.function_call
  if (isObject(call)) return `${typeof call.name === 'string' ? call.name : ''}${argumentsText(call)}`
  const answer = part.functionResponse ?? part.function_response
  if (isObject(answer)) return isObject(answer.response) ? JSON.stringify(answer.response) : ''
  const code = part.executableCode ?? part.executable_code
  if (isObject(code)) return typeof code.code === 'string' ? code.code : ''
  const result = part.codeExecutionResult ?? part.code_execution_result
  return isObject(result) && typeof result.output === 'string' ? result.output : ''
}

function argumentsText(call: JsonObject): string {
  if (isObject(call.args)) return JSON.stringify(call.args)
  let text = ''
  for (const partial of list(call.partialArgs ?? call.partial_args)) {
    if (isObject(partial) && typeof partial.stringValue === 'string') text += partial.stringValue
    else if (isObject(partial) && typeof partial.numberValue === 'number') text += String(partial.numberValue)
  }
  return text
}

/** The text of a whole answer, all candidates, without framing. */
export function answerText(body: JsonObject): string {
  const texts: string[] = []
  for (const candidate of list(body.candidates)) {
    if (isObject(candidate) && isObject(candidate.content)) texts.push(...list(candidate.content.parts).map(partText))
  }
  return texts.join('')
}

/** The text of a whole request, without framing: talk, system instruction, tools and the answer's schema. */
export function requestText(raw: JsonObject): string {
  const body = camel(raw)
  const texts: string[] = []
  const add = (content: Json | undefined): void => {
    if (typeof content === 'string') texts.push(content)
    else if (Array.isArray(content)) content.forEach(add)
    else if (isObject(content) && content.parts !== undefined) list(content.parts).forEach((part) => texts.push(partText(part)))
    else if (isObject(content)) texts.push(partText(content))
  }
  add(body.systemInstruction)
  add(body.contents)
  for (const tool of list(body.tools)) {
    if (!isObject(tool)) continue
    for (const declaration of list(camel(tool).functionDeclarations)) {
      if (isObject(declaration)) texts.push(declarationText(camel(declaration)))
    }
  }
  const config = member(body, 'generationConfig', 'generation_config')
  const schema = config?.responseJsonSchema ?? config?.responseSchema
  if (schema !== undefined) texts.push(JSON.stringify(schema))
  return texts.filter((text) => text !== '').join('\n')
}

function declarationText(declaration: JsonObject): string {
  const schema = declaration.parametersJsonSchema ?? declaration.parameters
  return [declaration.name, declaration.description, schema === undefined ? undefined : JSON.stringify(schema)]
    .filter((text) => typeof text === 'string')
    .join('\n')
}
