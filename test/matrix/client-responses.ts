import type OpenAI from 'openai'
import type { Ask, Client, Heard, Step } from './talk.ts'

type Item = OpenAI.Responses.ResponseInputItem

/** The `openai` SDK on Responses, stateless as agents use it: items go back as they came. */
export function responsesClient(openai: OpenAI): Client {
  return {
    wire: 'responses',
    name: 'openai (responses)',
    async ask(ask, stream) {
      const params = paramsOf(ask)
      return heardOf(
        stream
          ? await openai.responses.stream({ ...params, stream: true }).finalResponse()
          : await openai.responses.create({ ...params, stream: false }),
      )
    },
  }
}

function paramsOf(ask: Ask): OpenAI.Responses.ResponseCreateParamsNonStreaming {
  return {
    model: ask.model,
    store: false,
    input: ask.talk.flatMap(itemsOf),
    ...(ask.system !== undefined && { instructions: ask.system }),
    ...(ask.tools && {
      tools: ask.tools.map(({ name, description, schema }) => ({
        type: 'function' as const,
        name,
        description,
        parameters: schema,
        strict: false,
      })),
    }),
    ...(ask.choice !== undefined && {
      tool_choice: typeof ask.choice === 'string' ? ask.choice : { type: 'function' as const, name: ask.choice.name },
    }),
    ...(ask.parallel === false && { parallel_tool_calls: false }),
    ...(ask.schema && { text: { format: { type: 'json_schema' as const, ...ask.schema, strict: true } } }),
    ...(ask.thinking && {
      reasoning: { effort: 'medium' as const, summary: 'auto' as const },
      include: ['reasoning.encrypted_content' as const],
    }),
    ...(ask.maxTokens !== undefined && { max_output_tokens: ask.maxTokens }),
    ...(ask.temperature !== undefined && { temperature: ask.temperature }),
    ...(ask.topP !== undefined && { top_p: ask.topP }),
  }
}

function itemsOf(step: Step): Item[] {
  if ('assistant' in step) return [{ role: 'assistant', content: step.assistant }]
  if ('heard' in step) return step.heard.echo as Item[]
  if ('results' in step) return step.results.map(({ id, output }) => ({ type: 'function_call_output', call_id: id, output }))
  if (!step.media) return [{ role: 'user', content: step.user }]
  const { mediaType, base64, name } = step.media
  const url = `data:${mediaType};base64,${base64}`
  const media: OpenAI.Responses.ResponseInputContent = mediaType.startsWith('image/')
    ? { type: 'input_image', image_url: url, detail: 'auto' }
    : { type: 'input_file', file_data: url, filename: name ?? 'file' }
  return [{ role: 'user', content: [{ type: 'input_text', text: step.user }, media] }]
}

function heardOf(answer: OpenAI.Responses.Response): Heard {
  const calls = answer.output.flatMap((item) => (item.type === 'function_call' ? [item] : []))
  const thoughts = answer.output.flatMap((item) => (item.type === 'reasoning' ? item.summary.map(({ text }) => text) : []))
  const { usage } = answer
  const cut = answer.incomplete_details?.reason
  return {
    model: answer.model,
    text: answer.output_text,
    thoughts: thoughts.join(''),
    calls: calls.map(({ call_id: id, name, arguments: args }) => ({ id, name, args: JSON.parse(args) as unknown })),
    stop:
      cut === 'max_output_tokens'
        ? 'length'
        : (cut ?? (answer.status !== 'completed' ? (answer.status ?? '') : calls.length > 0 ? 'tool_calls' : 'stop')),
    usage: usage && {
      input: usage.input_tokens,
      output: usage.output_tokens,
      cached: usage.input_tokens_details.cached_tokens,
      reasoning: usage.output_tokens_details.reasoning_tokens,
    },
    echo: answer.output,
  }
}
