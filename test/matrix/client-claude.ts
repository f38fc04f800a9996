import type Anthropic from '@anthropic-ai/sdk'
import type { Ask, Client, Heard, Step } from './talk.ts'

type Content = Anthropic.ContentBlockParam[]

const STOPS: Record<string, string> = { end_turn: 'stop', max_tokens: 'length', tool_use: 'tool_calls', refusal: 'content_filter' }
/** This protocol needs a ceiling. */
const MAX_TOKENS = 4_096
const BUDGET = 2_048

/** The `@anthropic-ai/sdk`: blocks go back as they came. */
export function claudeClient(anthropic: Anthropic): Client {
  return {
    wire: 'claude',
    name: '@anthropic-ai/sdk',
    async ask(ask, stream) {
      const params = paramsOf(ask)
      return heardOf(stream ? await anthropic.messages.stream(params).finalMessage() : await anthropic.messages.create(params))
    },
  }
}

function paramsOf(ask: Ask): Anthropic.MessageCreateParamsNonStreaming {
  const parallel = ask.parallel === false ? { disable_parallel_tool_use: true } : {}
  const choice: Anthropic.ToolChoice | undefined =
    ask.choice === undefined
      ? ask.parallel === false
        ? { type: 'auto', ...parallel }
        : undefined
      : ask.choice === 'none'
        ? { type: 'none' }
        : ask.choice === 'required'
          ? { type: 'any', ...parallel }
          : { type: 'tool', name: ask.choice.name, ...parallel }
  return {
    model: ask.model,
    max_tokens: ask.maxTokens ?? MAX_TOKENS,
    messages: ask.talk.map(messageOf),
    ...(ask.system !== undefined && { system: ask.system }),
    ...(ask.tools && {
      tools: ask.tools.map(({ name, description, schema }) => ({ name, description, input_schema: schema as Anthropic.Tool.InputSchema })),
    }),
    ...(choice && { tool_choice: choice }),
    ...(ask.schema && { output_config: { format: { type: 'json_schema' as const, schema: ask.schema.schema } } }),
    ...(ask.thinking && { thinking: { type: 'enabled' as const, budget_tokens: BUDGET } }),
    ...(ask.temperature !== undefined && { temperature: ask.temperature }),
    ...(ask.topP !== undefined && { top_p: ask.topP }),
    ...(ask.stop && { stop_sequences: [...ask.stop] }),
  }
}

function messageOf(step: Step): Anthropic.MessageParam {
  if ('assistant' in step) return { role: 'assistant', content: step.assistant }
  if ('heard' in step) return { role: 'assistant', content: step.heard.echo as Content }
  if ('results' in step) {
    return {
      role: 'user',
      content: step.results.map(({ id, output, isError }) => ({
        type: 'tool_result',
        tool_use_id: id,
        content: output,
        ...(isError && { is_error: true }),
      })),
    }
  }
  if (!step.media) return { role: 'user', content: step.user }
  const { mediaType, base64 } = step.media
  const media: Anthropic.ContentBlockParam = mediaType.startsWith('image/')
    ? { type: 'image', source: { type: 'base64', media_type: mediaType as 'image/png', data: base64 } }
    : { type: 'document', source: { type: 'base64', media_type: 'application/pdf', data: base64 } }
  return { role: 'user', content: [{ type: 'text', text: step.user }, media] }
}

function heardOf(answer: Anthropic.Message): Heard {
  const { usage } = answer
  const details = (usage as { output_tokens_details?: { thinking_tokens?: number } | null }).output_tokens_details
  return {
    model: answer.model,
    text: answer.content.flatMap((block) => (block.type === 'text' ? [block.text] : [])).join(''),
    thoughts: answer.content.flatMap((block) => (block.type === 'thinking' ? [block.thinking] : [])).join(''),
    calls: answer.content.flatMap((block) => (block.type === 'tool_use' ? [{ id: block.id, name: block.name, args: block.input }] : [])),
    stop: STOPS[answer.stop_reason ?? ''] ?? answer.stop_reason ?? '',
    usage: {
      input: usage.input_tokens + (usage.cache_read_input_tokens ?? 0) + (usage.cache_creation_input_tokens ?? 0),
      output: usage.output_tokens,
      cached: usage.cache_read_input_tokens ?? 0,
      reasoning: details?.thinking_tokens ?? 0,
    },
    echo: answer.content,
  }
}
