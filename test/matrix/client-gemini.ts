import {
  FunctionCallingConfigMode,
  type Content,
  type GenerateContentParameters,
  type GenerateContentResponse,
  type GoogleGenAI,
  type Part,
} from '@google/genai'
import type { Ask, Client, Heard, Step } from './talk.ts'

const STOPS: Record<string, string> = { STOP: 'stop', MAX_TOKENS: 'length', SAFETY: 'content_filter' }

/** The `@google/genai` SDK: parts go back as they came, as its own chats do it. */
export function geminiClient(google: GoogleGenAI): Client {
  return {
    wire: 'gemini',
    name: '@google/genai',
    async ask(ask, stream) {
      const params = paramsOf(ask)
      if (!stream) return heardOf([await google.models.generateContent(params)])
      const chunks: GenerateContentResponse[] = []
      for await (const chunk of await google.models.generateContentStream(params)) chunks.push(chunk)
      return heardOf(chunks)
    },
  }
}

function paramsOf(ask: Ask): GenerateContentParameters {
  const mode = ask.choice === 'none' ? FunctionCallingConfigMode.NONE : FunctionCallingConfigMode.ANY
  const allowedFunctionNames = typeof ask.choice === 'object' ? [ask.choice.name] : undefined
  return {
    model: ask.model,
    contents: ask.talk.map(contentOf),
    config: {
      ...(ask.system !== undefined && { systemInstruction: ask.system }),
      ...(ask.tools && {
        tools: [
          { functionDeclarations: ask.tools.map(({ name, description, schema }) => ({ name, description, parametersJsonSchema: schema })) },
        ],
      }),
      ...(ask.choice !== undefined && {
        toolConfig: { functionCallingConfig: { mode, ...(allowedFunctionNames && { allowedFunctionNames }) } },
      }),
      ...(ask.schema && { responseMimeType: 'application/json', responseJsonSchema: ask.schema.schema }),
      ...(ask.thinking && { thinkingConfig: { includeThoughts: true, thinkingBudget: 2_048 } }),
      ...(ask.maxTokens !== undefined && { maxOutputTokens: ask.maxTokens }),
      ...(ask.temperature !== undefined && { temperature: ask.temperature }),
      ...(ask.topP !== undefined && { topP: ask.topP }),
      ...(ask.stop && { stopSequences: [...ask.stop] }),
    },
  }
}

function contentOf(step: Step): Content {
  if ('assistant' in step) return { role: 'model', parts: [{ text: step.assistant }] }
  if ('heard' in step) return step.heard.echo as Content
  if ('results' in step) {
    return {
      role: 'user',
      parts: step.results.map(({ id, name, output, isError }) => ({
        functionResponse: { id, name, response: isError ? { error: output } : { output } },
      })),
    }
  }
  const media: Part[] = step.media ? [{ inlineData: { mimeType: step.media.mediaType, data: step.media.base64 } }] : []
  return { role: 'user', parts: [{ text: step.user }, ...media] }
}

function heardOf(chunks: readonly GenerateContentResponse[]): Heard {
  const last = chunks.at(-1)
  const parts = chunks.flatMap((chunk) => chunk.candidates?.[0]?.content?.parts ?? [])
  const finish: string = chunks.map((chunk) => chunk.candidates?.[0]?.finishReason).findLast((reason) => reason !== undefined) ?? ''
  const usage = last?.usageMetadata
  const calls = parts.flatMap(({ functionCall: call }) =>
    call ? [{ id: call.id ?? call.name ?? '', name: call.name ?? '', args: call.args }] : [],
  )
  const thoughts = usage?.thoughtsTokenCount ?? 0
  return {
    model: last?.modelVersion ?? '',
    text: parts.flatMap((part) => (part.thought || part.text === undefined ? [] : [part.text])).join(''),
    thoughts: parts.flatMap((part) => (part.thought ? [part.text ?? ''] : [])).join(''),
    calls,
    stop: finish === 'STOP' && calls.length > 0 ? 'tool_calls' : (STOPS[finish] ?? finish),
    usage: usage && {
      input: usage.promptTokenCount ?? 0,
      output: (usage.candidatesTokenCount ?? 0) + thoughts,
      cached: usage.cachedContentTokenCount ?? 0,
      reasoning: thoughts,
    },
    echo: { role: 'model', parts },
  }
}
