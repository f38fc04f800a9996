import type { ClientWords } from '../places.ts'

/** What a Chat client calls what was lost of its request. */
export const words: ClientWords = {
  parameters: {
    system: 'messages',
    reasoning: 'reasoning_effort',
    'reasoning.effort': 'reasoning_effort',
    'response_format.schema': 'response_format.json_schema.schema',
    'response_format.description': 'response_format.json_schema.description',
  },
  messages: 'messages',
  content: 'content',
  result: 'content',
  members: {
    'media.name': 'file.filename',
    'media.detail': 'image_url.detail',
    'call.input': 'function.arguments',
    'call.signature': 'id',
    'tool.parameters': 'function.parameters',
    'tool.format': 'custom.format',
  },
}
