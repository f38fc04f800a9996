import type OpenAI from 'openai'
import type { Ask, Client, Heard, Step } from './talk.ts'

type Message = OpenAI.ChatCompletionMessageParam

/** The `openai` SDK on Chat Completions. Answers go back with what every such client keeps: content and tool calls. */
export function chatClient(openai: OpenAI): Client {
  return {
    wire: 'chat',
    name: 'openai (chat)',
    async ask(ask, stream) {
      const params = paramsOf(ask)
      if (!stream) {
        const whole = await openai.chat.completions.create({ ...params, stream: false })
        return heardOf(whole, thoughtsIn(whole.choices[0]?.message))
      }
      let thoughts = ''
      const runner = openai.chat.completions.stream({ ...params, stream: true, stream_options: { include_usage: true } })
      runner.on('chunk', (chunk) => {
        thoughts += thoughtsIn(chunk.choices[0]?.delta)
      })
      return heardOf(await runner.finalChatCompletion(), thoughts)
    },
  }
}

function paramsOf(ask: Ask): Omit<OpenAI.ChatCompletionCreateParams, 'stream'> {
  const messages: Message[] = ask.system === undefined ? [] : [{ role: 'system', content: ask.system }]
  return {
    model: ask.model,
    messages: [...messages, ...ask.talk.flatMap(messagesOf)],
    ...(ask.tools && {
      tools: ask.tools.map(({ name, description, schema }) => ({
        type: 'function' as const,
        function: { name, description, parameters: schema },
      })),
    }),
    ...(ask.choice !== undefined && {
      tool_choice: typeof ask.choice === 'string' ? ask.choice : { type: 'function' as const, function: { name: ask.choice.name } },
    }),
    ...(ask.parallel === false && { parallel_tool_calls: false }),
    ...(ask.schema && { response_format: { type: 'json_schema' as const, json_schema: { ...ask.schema, strict: true } } }),
    ...(ask.thinking && { reasoning_effort: 'medium' as const }),
    ...(ask.maxTokens !== undefined && { max_completion_tokens: ask.maxTokens }),
    ...(ask.temperature !== undefined && { temperature: ask.temperature }),
    ...(ask.topP !== undefined && { top_p: ask.topP }),
    ...(ask.stop && { stop: [...ask.stop] }),
  }
}

function messagesOf(step: Step): Message[] {
  if ('assistant' in step) return [{ role: 'assistant', content: step.assistant }]
  if ('heard' in step) return [step.heard.echo as Message]
  if ('results' in step) return step.results.map(({ id, output }) => ({ role: 'tool', tool_call_id: id, content: output }))
  if (!step.media) return [{ role: 'user', content: step.user }]
  const { mediaType, base64, name } = step.media
  const url = `data:${mediaType};base64,${base64}`
  const media: OpenAI.ChatCompletionContentPart = mediaType.startsWith('image/')
    ? { type: 'image_url', image_url: { url } }
    : { type: 'file', file: { file_data: url, filename: name ?? 'file' } }
  return [{ role: 'user', content: [{ type: 'text', text: step.user }, media] }]
}

/** What most vendors call it; OpenAI's own types have no such member. */
function thoughtsIn(from: object | undefined): string {
  const text: unknown = from && 'reasoning_content' in from ? from.reasoning_content : ''
  return typeof text === 'string' ? text : ''
}

function heardOf(answer: OpenAI.ChatCompletion, thoughts: string): Heard {
  const choice = answer.choices[0]
  if (!choice) throw new Error('an answer without a choice')
  const { content, tool_calls: calls = [] } = choice.message
  const usage = answer.usage
  const functions = calls.flatMap((call) => (call.type === 'function' ? [call] : []))
  return {
    model: answer.model,
    text: content ?? '',
    thoughts,
    calls: functions.map(({ id, function: made }) => ({ id, name: made.name, args: JSON.parse(made.arguments) as unknown })),
    stop: choice.finish_reason,
    usage: usage && {
      input: usage.prompt_tokens,
      output: usage.completion_tokens,
      cached: usage.prompt_tokens_details?.cached_tokens ?? 0,
      reasoning: usage.completion_tokens_details?.reasoning_tokens ?? 0,
    },
    echo: {
      role: 'assistant',
      content: content ?? null,
      ...(functions.length > 0 && {
        tool_calls: functions.map(({ id, type, function: made }) => ({
          id,
          type,
          function: { name: made.name, arguments: made.arguments },
        })),
      }),
    },
  }
}
