import { isObject, type Json, type JsonObject } from '../../contract/json.ts'
import type { Wire } from '../upstream/script.ts'
import type { Seen, SeenPart, ToolSpec } from './talk.ts'

/*
 * What the four APIs understand of a request, by their documentation and without the gateway's codecs.
 */

/** Google's documented stand-in for a signature on calls it did not make. */
const NO_SIGNATURE = 'skip_thought_signature_validator'
const DATA_URL = /^data:([^;]+);base64,(.*)$/s

const readers: Record<Wire, (body: JsonObject) => Seen> = { chat, responses, claude, gemini }

/** Reads a body that an upstream received. */
export function seenIn(wire: Wire, body: JsonObject): Seen {
  const seen = readers[wire](body)
  return { ...seen, parts: merged(seen.parts) }
}

/** Text of the assistant in several pieces, as clients send back what was streamed, is one text. */
function merged(parts: readonly SeenPart[]): SeenPart[] {
  const found: SeenPart[] = []
  for (const part of parts) {
    const last = found.at(-1)
    if (last && 'assistant' in last && 'assistant' in part) last.assistant += part.assistant
    else found.push('assistant' in part ? { ...part } : part)
  }
  return found
}

const list = (value: Json | undefined): JsonObject[] => (Array.isArray(value) ? value.filter(isObject) : [])
const object = (value: Json | undefined): JsonObject => (isObject(value) ? value : {})
const text = (value: Json | undefined): string => (typeof value === 'string' ? value : '')
const number = (value: Json | undefined): number | undefined => (typeof value === 'number' ? value : undefined)
const strings = (value: Json | undefined): string[] => (Array.isArray(value) ? value.map(text) : typeof value === 'string' ? [value] : [])
const optional = (value: Json | undefined): JsonObject | undefined => (isObject(value) ? value : undefined)
const inline = (url: string): SeenPart => ({ media: DATA_URL.exec(url)?.[1] ?? url, base64: DATA_URL.exec(url)?.[2] ?? '' })

/** Text of a string or of a list of text parts. */
function textOf(content: Json | undefined): string {
  return typeof content === 'string'
    ? content
    : list(content)
        .map((part) => text(part.text))
        .join('')
}

function chat(body: JsonObject): Seen {
  const system: string[] = []
  const parts: SeenPart[] = []
  for (const message of list(body.messages)) {
    if (message.role === 'system' || message.role === 'developer') system.push(textOf(message.content))
    else if (message.role === 'tool') parts.push({ result: text(message.tool_call_id), output: textOf(message.content), isError: false })
    else if (message.role === 'assistant') {
      if (typeof message.reasoning_content === 'string') parts.push({ thought: message.reasoning_content, seal: undefined })
      if (textOf(message.content) !== '') parts.push({ assistant: textOf(message.content) })
      for (const call of list(message.tool_calls)) {
        const made = object(call.function)
        parts.push({ call: { id: text(call.id), name: text(made.name), args: JSON.parse(text(made.arguments)) } })
      }
    } else if (typeof message.content === 'string') parts.push({ user: message.content })
    else {
      for (const part of list(message.content)) {
        if (part.type === 'image_url') parts.push(inline(text(object(part.image_url).url)))
        else if (part.type === 'file') parts.push(inline(text(object(part.file).file_data)))
        else parts.push({ user: text(part.text) })
      }
    }
  }
  const choice = body.tool_choice
  return {
    system: system.join('\n'),
    parts,
    tools: list(body.tools).map((tool) => toolOf(object(tool.function), 'parameters')),
    choice: isObject(choice) ? text(object(choice.function).name) : text(choice) || undefined,
    parallel: typeof body.parallel_tool_calls === 'boolean' ? body.parallel_tool_calls : undefined,
    schema: optional(object(object(body.response_format).json_schema).schema),
    maxTokens: number(body.max_completion_tokens) ?? number(body.max_tokens),
    temperature: number(body.temperature),
    topP: number(body.top_p),
    stop: strings(body.stop),
    thinking: body.reasoning_effort !== undefined,
  }
}

function responses(body: JsonObject): Seen {
  const system: string[] = typeof body.instructions === 'string' ? [body.instructions] : []
  const parts: SeenPart[] = []
  for (const item of typeof body.input === 'string' ? [{ role: 'user', content: body.input }] : list(body.input)) {
    if (item.type === 'function_call')
      parts.push({ call: { id: text(item.call_id), name: text(item.name), args: JSON.parse(text(item.arguments)) } })
    else if (item.type === 'function_call_output') parts.push({ result: text(item.call_id), output: textOf(item.output), isError: false })
    else if (item.type === 'reasoning') parts.push({ thought: textOf(item.summary), seal: text(item.encrypted_content) || undefined })
    else if (item.role === 'system' || item.role === 'developer') system.push(textOf(item.content))
    else if (item.role === 'assistant') parts.push({ assistant: textOf(item.content) })
    else if (typeof item.content === 'string') parts.push({ user: item.content })
    else {
      for (const part of list(item.content)) {
        if (part.type === 'input_image') parts.push(inline(text(part.image_url)))
        else if (part.type === 'input_file') parts.push(inline(text(part.file_data)))
        else parts.push({ user: text(part.text) })
      }
    }
  }
  const choice = body.tool_choice
  return {
    system: system.join('\n'),
    parts,
    tools: list(body.tools).map((tool) => toolOf(tool, 'parameters')),
    choice: isObject(choice) ? text(choice.name) : text(choice) || undefined,
    parallel: typeof body.parallel_tool_calls === 'boolean' ? body.parallel_tool_calls : undefined,
    schema: optional(object(object(body.text).format).schema),
    maxTokens: number(body.max_output_tokens),
    temperature: number(body.temperature),
    topP: number(body.top_p),
    stop: [],
    thinking: isObject(body.reasoning),
  }
}

function claude(body: JsonObject): Seen {
  const parts: SeenPart[] = []
  for (const message of list(body.messages)) {
    const own = message.role === 'assistant'
    if (typeof message.content === 'string') parts.push(own ? { assistant: message.content } : { user: message.content })
    else {
      for (const block of list(message.content)) {
        if (block.type === 'thinking') parts.push({ thought: text(block.thinking), seal: text(block.signature) })
        else if (block.type === 'redacted_thinking') parts.push({ thought: '', seal: text(block.data) })
        else if (block.type === 'tool_use') parts.push({ call: { id: text(block.id), name: text(block.name), args: block.input } })
        else if (block.type === 'tool_result')
          parts.push({ result: text(block.tool_use_id), output: textOf(block.content), isError: block.is_error === true })
        else if (block.type === 'text') parts.push(own ? { assistant: text(block.text) } : { user: text(block.text) })
        else {
          const source = object(block.source)
          parts.push({ media: text(source.media_type), base64: text(source.data) })
        }
      }
    }
  }
  const choice = object(body.tool_choice)
  return {
    system: textOf(body.system),
    parts,
    tools: list(body.tools).map((tool) => toolOf(tool, 'input_schema')),
    choice: choice.type === 'tool' ? text(choice.name) : choice.type === 'any' ? 'required' : text(choice.type) || undefined,
    parallel: typeof choice.disable_parallel_tool_use === 'boolean' ? !choice.disable_parallel_tool_use : undefined,
    schema: optional(object(object(body.output_config).format).schema),
    maxTokens: number(body.max_tokens),
    temperature: number(body.temperature),
    topP: number(body.top_p),
    stop: strings(body.stop_sequences),
    thinking: isObject(body.thinking) || object(body.output_config).effort !== undefined,
  }
}

function gemini(body: JsonObject): Seen {
  const parts: SeenPart[] = []
  for (const content of list(body.contents)) {
    for (const part of list(content.parts)) {
      const call = optional(part.functionCall)
      const result = optional(part.functionResponse)
      const signature = text(part.thoughtSignature)
      if (signature !== '' && signature !== NO_SIGNATURE)
        parts.push({ thought: part.thought === true ? text(part.text) : '', seal: signature })
      if (call) parts.push({ call: { id: text(call.id), name: text(call.name), args: call.args } })
      else if (result) {
        const { output, error, result: value } = object(result.response)
        const shown = output ?? error ?? value
        parts.push({
          result: text(result.id),
          output: typeof shown === 'string' ? shown : JSON.stringify(result.response),
          isError: error !== undefined,
        })
      } else if (isObject(part.inlineData)) parts.push({ media: text(part.inlineData.mimeType), base64: text(part.inlineData.data) })
      else if (part.thought === true || text(part.text) === '') continue
      else parts.push(content.role === 'model' ? { assistant: text(part.text) } : { user: text(part.text) })
    }
  }
  const config = object(body.generationConfig)
  const calling = object(object(body.toolConfig).functionCallingConfig)
  const named = strings(calling.allowedFunctionNames)
  return {
    system: textOf(object(body.systemInstruction).parts),
    parts,
    tools: list(body.tools)
      .flatMap((tool) => list(tool.functionDeclarations))
      .map((tool) => toolOf(tool, tool.parametersJsonSchema === undefined ? 'parameters' : 'parametersJsonSchema')),
    choice:
      named.length === 1
        ? named[0]
        : calling.mode === 'ANY'
          ? 'required'
          : calling.mode === 'NONE'
            ? 'none'
            : text(calling.mode).toLowerCase() || undefined,
    parallel: undefined,
    schema: optional(config.responseJsonSchema) ?? optional(config.responseSchema),
    maxTokens: number(config.maxOutputTokens),
    temperature: number(config.temperature),
    topP: number(config.topP),
    stop: strings(config.stopSequences),
    thinking: isObject(config.thinkingConfig),
  }
}

function toolOf(tool: JsonObject, schema: string): ToolSpec {
  return { name: text(tool.name), description: text(tool.description), schema: object(tool[schema]) }
}
