import type { ClientWords } from '../places.ts'

/** What a Messages client calls what was lost of its request. */
export const words: ClientWords = {
  parameters: {
    reasoning: 'thinking',
    'reasoning.effort': 'output_config.effort',
    stop: 'stop_sequences',
    user: 'metadata.user_id',
    response_format: 'output_config.format',
    parallel_tool_calls: 'tool_choice.disable_parallel_tool_use',
  },
  messages: 'messages',
  content: 'content',
  result: 'content',
  members: { 'media.name': 'title', 'tool.parameters': 'input_schema' },
}
