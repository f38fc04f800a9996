import type { ClientWords } from '../places.ts'

/** What a Responses client calls what was lost of its request. */
export const words: ClientWords = {
  parameters: {
    system: 'instructions',
    response_format: 'text.format',
    verbosity: 'text.verbosity',
    max_tokens: 'max_output_tokens',
    logprobs: 'include',
  },
  messages: 'input',
  content: 'content',
  result: 'output',
  members: { 'media.name': 'filename', 'call.input': 'arguments', 'call.signature': 'call_id' },
}
