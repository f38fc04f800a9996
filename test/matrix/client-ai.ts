import { createAnthropic } from '@ai-sdk/anthropic'
import { createGoogleGenerativeAI } from '@ai-sdk/google'
import { createOpenAI } from '@ai-sdk/openai'
import {
  generateText,
  jsonSchema,
  Output,
  streamText,
  tool,
  type JSONSchema7,
  type LanguageModel,
  type ModelMessage,
  type ToolSet,
} from 'ai'
import type { Wire } from '../upstream/script.ts'
import type { Ask, Client, Heard, Step } from './talk.ts'

// It warns of every model name it does not know; ours are all such.
globalThis.AI_SDK_LOG_WARNINGS = false

const STOPS: Record<string, string> = { 'tool-calls': 'tool_calls', 'content-filter': 'content_filter' }
/** What asks each provider to think, and to tell its thoughts. The names of our models say nothing to the SDK. */
const THINKING = {
  openai: { forceReasoning: true, reasoningEffort: 'medium', reasoningSummary: 'auto', include: ['reasoning.encrypted_content'] },
  anthropic: { thinking: { type: 'enabled', budgetTokens: 2_048 } },
  google: { thinkingConfig: { includeThoughts: true, thinkingBudget: 2_048 } },
} as const

/** The Vercel `ai` SDK over its own provider for a protocol: messages go back as it made them. */
export function aiClient(wire: Wire, url: string, apiKey: string): Client {
  const model = modelsOf(wire, url, apiKey)
  return {
    wire,
    name: `ai (${wire})`,
    // OpenAI's own Chat Completions tell no thoughts, so its provider reads none.
    ...(wire === 'chat' && { tellsNoThoughts: true as const }),
    ...(wire === 'gemini' && { output: (name: string, content: string) => JSON.stringify({ name, content }) }),
    async ask(ask, stream) {
      const params = paramsOf(ask, model(ask.model))
      if (!stream) {
        const { text, reasoningText, toolCalls, finishReason, usage, response, responseMessages } = await generateText(params)
        return heardOf({ text, reasoningText, toolCalls, finishReason, usage, modelId: response.modelId, messages: responseMessages })
      }
      let failure: unknown
      const result = streamText({
        ...params,
        onError({ error }) {
          failure = error
        },
      })
      await result.consumeStream()
      if (failure !== undefined) throw failure
      const { modelId } = await result.response
      return heardOf({
        text: await result.text,
        reasoningText: await result.reasoningText,
        toolCalls: await result.toolCalls,
        finishReason: await result.finishReason,
        usage: await result.usage,
        modelId,
        messages: await result.responseMessages,
      })
    },
  }
}

function modelsOf(wire: Wire, url: string, apiKey: string): (name: string) => LanguageModel {
  switch (wire) {
    case 'chat': {
      const openai = createOpenAI({ baseURL: `${url}/v1`, apiKey })
      return (name) => openai.chat(name)
    }
    case 'responses': {
      const openai = createOpenAI({ baseURL: `${url}/v1`, apiKey })
      return (name) => openai.responses(name)
    }
    case 'claude':
      return createAnthropic({ baseURL: `${url}/v1`, apiKey })
    case 'gemini':
      return createGoogleGenerativeAI({ baseURL: `${url}/v1beta`, apiKey })
    default:
      return wire satisfies never
  }
}

function paramsOf(ask: Ask, model: LanguageModel) {
  const tools: ToolSet = {}
  for (const { name, description, schema } of ask.tools ?? [])
    tools[name] = tool({ description, inputSchema: jsonSchema(schema as JSONSchema7) })
  return {
    model,
    maxRetries: 0,
    messages: ask.talk.flatMap(messagesOf),
    ...(ask.system !== undefined && { instructions: ask.system }),
    ...(ask.tools && { tools }),
    ...(ask.choice !== undefined && {
      toolChoice: typeof ask.choice === 'string' ? ask.choice : { type: 'tool' as const, toolName: ask.choice.name },
    }),
    ...(ask.schema && { output: Output.object({ name: ask.schema.name, schema: jsonSchema(ask.schema.schema as JSONSchema7) }) }),
    ...(ask.maxTokens !== undefined && { maxOutputTokens: ask.maxTokens }),
    ...(ask.temperature !== undefined && { temperature: ask.temperature }),
    ...(ask.topP !== undefined && { topP: ask.topP }),
    ...(ask.stop && { stopSequences: [...ask.stop] }),
    providerOptions: {
      openai: { store: false, ...(ask.parallel === false && { parallelToolCalls: false }), ...(ask.thinking && THINKING.openai) },
      anthropic: {
        structuredOutputMode: 'outputFormat',
        ...(ask.parallel === false && { disableParallelToolUse: true }),
        ...(ask.thinking && THINKING.anthropic),
      },
      google: { ...(ask.thinking && THINKING.google) },
    },
  }
}

function messagesOf(step: Step): ModelMessage[] {
  if ('assistant' in step) return [{ role: 'assistant', content: step.assistant }]
  if ('heard' in step) return step.heard.echo as ModelMessage[]
  if ('results' in step) {
    return [
      {
        role: 'tool',
        content: step.results.map(({ id, name, output, isError }) => ({
          type: 'tool-result',
          toolCallId: id,
          toolName: name,
          output: { type: isError ? 'error-text' : 'text', value: output },
        })),
      },
    ]
  }
  if (!step.media) return [{ role: 'user', content: step.user }]
  const { mediaType, base64, name } = step.media
  const file = { type: 'file' as const, mediaType, data: base64, ...(name !== undefined && { filename: name }) }
  return [{ role: 'user', content: [{ type: 'text', text: step.user }, file] }]
}

interface Told {
  text: string
  reasoningText: string | undefined
  toolCalls: readonly { toolCallId: string; toolName: string; input: unknown }[]
  finishReason: string
  usage: {
    inputTokens: number | undefined
    outputTokens: number | undefined
    inputTokenDetails: { cacheReadTokens: number | undefined }
    outputTokenDetails: { reasoningTokens: number | undefined }
  }
  modelId: string
  messages: unknown
}

function heardOf({ text, reasoningText, toolCalls, finishReason, usage, modelId, messages }: Told): Heard {
  return {
    model: modelId,
    text,
    thoughts: reasoningText ?? '',
    calls: toolCalls.map(({ toolCallId, toolName, input }) => ({ id: toolCallId, name: toolName, args: input })),
    stop: STOPS[finishReason] ?? finishReason,
    usage: {
      input: usage.inputTokens ?? 0,
      output: usage.outputTokens ?? 0,
      cached: usage.inputTokenDetails.cacheReadTokens ?? 0,
      reasoning: usage.outputTokenDetails.reasoningTokens ?? 0,
    },
    echo: messages,
  }
}
