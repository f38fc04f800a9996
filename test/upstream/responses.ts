import type { JsonObject } from '../../contract/json.ts'
import { DEFAULT_TOKENS, piecesOf, sse, stopOf, type Answer, type Part, type SpokenCall, type Speaker } from './script.ts'

const CREATED = 1_790_000_000

/** OpenAI Responses. */
export const responses: Speaker = {
  whole: (answer, call) =>
    response(
      answer,
      call,
      answer.parts.flatMap((part, index) => itemOf(part, index, call)),
      true,
    ),

  frames(answer, call) {
    const frames: string[] = []
    const event = (type: string, rest: JsonObject): void => {
      frames.push(sse({ type, ...rest, sequence_number: frames.length }, type))
    }
    const begun = response(answer, call, [], false)
    event('response.created', { response: begun })
    event('response.in_progress', { response: begun })
    let at = 0
    const items: JsonObject[] = []
    answer.parts.forEach((part, index) => {
      const item = itemOf(part, index, call)[0]
      if (!item) return
      items.push(item)
      const where: JsonObject = { item_id: item.id, output_index: at }
      const added: JsonObject = { ...item, ...('status' in item ? { status: 'in_progress' } : {}) }
      if (item.type === 'message') added.content = []
      if (item.type === 'reasoning') Object.assign(added, { summary: [] })
      if (item.type === 'function_call') added.arguments = ''
      event('response.output_item.added', { output_index: at, item: added })
      if ('text' in part) speak(part.text, where, { type: 'output_text', text: '', annotations: [] }, 'output_text', 'text')
      else if ('refusal' in part) speak(part.refusal, where, { type: 'refusal', refusal: '' }, 'refusal', 'refusal')
      else if ('thought' in part) think(part.thought, where)
      else if ('call' in part) {
        const args = JSON.stringify(part.call.args)
        for (const delta of piecesOf(args, call.pieces)) event('response.function_call_arguments.delta', { ...where, delta })
        event('response.function_call_arguments.done', { ...where, arguments: args, name: part.call.name })
      }
      event('response.output_item.done', { output_index: at, item })
      at += 1
    })
    const stop = stopOf(answer)
    const done = response(answer, call, items, true)
    event(stop === 'length' || stop === 'content_filter' ? 'response.incomplete' : 'response.completed', { response: done })
    return frames

    function speak(text: string, where: JsonObject, empty: JsonObject, name: string, member: string): void {
      const place = { ...where, content_index: 0 }
      event('response.content_part.added', { ...place, part: empty })
      for (const delta of piecesOf(text, call.pieces))
        event(`response.${name}.delta`, { ...place, delta, ...(name === 'output_text' ? { logprobs: [] } : {}) })
      event(`response.${name}.done`, { ...place, [member]: text, ...(name === 'output_text' ? { logprobs: [] } : {}) })
      event('response.content_part.done', { ...place, part: { ...empty, [member]: text } })
    }

    function think(text: string, where: JsonObject): void {
      const place = { ...where, summary_index: 0 }
      event('response.reasoning_summary_part.added', { ...place, part: { type: 'summary_text', text: '' } })
      for (const delta of piecesOf(text, call.pieces)) event('response.reasoning_summary_text.delta', { ...place, delta })
      event('response.reasoning_summary_text.done', { ...place, text })
      event('response.reasoning_summary_part.done', { ...place, part: { type: 'summary_text', text } })
    }
  },

  error: (status, message) => ({
    error: { message, type: status >= 500 ? 'server_error' : 'invalid_request_error', param: null, code: null },
  }),
  errorFrame: (message) => sse({ type: 'error', code: 'server_error', message, param: null, sequence_number: 99 }, 'error'),
}

function itemOf(part: Part, index: number, call: SpokenCall): JsonObject[] {
  const tail = `${call.serial}_${index}`
  if ('text' in part)
    return [
      {
        id: `msg_${tail}`,
        type: 'message',
        status: 'completed',
        role: 'assistant',
        content: [{ type: 'output_text', text: part.text, annotations: [], logprobs: [] }],
      },
    ]
  if ('refusal' in part)
    return [
      { id: `msg_${tail}`, type: 'message', status: 'completed', role: 'assistant', content: [{ type: 'refusal', refusal: part.refusal }] },
    ]
  if ('thought' in part) {
    return [
      {
        id: `rs_${tail}`,
        type: 'reasoning',
        summary: [{ type: 'summary_text', text: part.thought }],
        ...(part.seal === undefined ? {} : { encrypted_content: part.seal }),
      },
    ]
  }
  if ('redacted' in part) return []
  return [
    {
      id: `fc_${tail}`,
      type: 'function_call',
      status: 'completed',
      call_id: part.call.id,
      name: part.call.name,
      arguments: JSON.stringify(part.call.args),
    },
  ]
}

function response(answer: Answer, call: SpokenCall, output: JsonObject[], done: boolean): JsonObject {
  const stop = stopOf(answer)
  const cut = stop === 'length' ? 'max_output_tokens' : stop === 'content_filter' ? 'content_filter' : undefined
  return {
    id: `resp_${call.serial}`,
    object: 'response',
    created_at: CREATED,
    model: call.model,
    error: null,
    status: !done ? 'in_progress' : cut === undefined ? 'completed' : 'incomplete',
    incomplete_details: done && cut !== undefined ? { reason: cut } : null,
    instructions: null,
    max_output_tokens: null,
    output,
    parallel_tool_calls: true,
    previous_response_id: null,
    reasoning: { effort: null, summary: null },
    store: false,
    temperature: 1,
    text: { format: { type: 'text' } },
    tool_choice: 'auto',
    tools: [],
    top_p: 1,
    truncation: 'disabled',
    metadata: {},
    usage: done ? usageOf(answer) : null,
  }
}

function usageOf({ usage, tokens = DEFAULT_TOKENS }: Answer): JsonObject | null {
  if (usage === 'missing') return null
  if (usage !== undefined) return usage
  const { input, output, cachedInput = 0, cacheWrite = 0, reasoning = 0 } = tokens
  const all = input + cachedInput + cacheWrite
  return {
    input_tokens: all,
    input_tokens_details: { cached_tokens: cachedInput, ...(cacheWrite > 0 ? { cache_write_tokens: cacheWrite } : {}) },
    output_tokens: output,
    output_tokens_details: { reasoning_tokens: reasoning },
    total_tokens: all + output,
  }
}
