import { expect, test } from 'bun:test'
import { channelTypeOf, protocolOfType } from './channel-types.ts'

test('each type of the contract speaks its protocol, an unknown stored one OpenAI chat', () => {
  const types = {
    completion: 'openai-chat',
    completions: 'openai-chat',
    chat_completion: 'openai-chat',
    chat_completions: 'openai-chat',
    openai: 'openai-chat',
    newapi: 'openai-chat',
    oneapi: 'openai-chat',
    responses: 'openai-responses',
    response: 'openai-responses',
    openai_responses: 'openai-responses',
    claude: 'claude',
    anthropic: 'claude',
    gemini: 'gemini',
    google: 'gemini',
    deepseek: 'openai-chat',
    dashscope: 'openai-chat',
    'of another time': 'openai-chat',
  }
  for (const [type, protocol] of Object.entries(types)) expect<string>(`${type} ${protocolOfType(type)}`).toBe(`${type} ${protocol}`)
})

test('a type is read whatever its case and hyphens, and names of object members are none', () => {
  expect(channelTypeOf(' Openai-Responses ')).toBe('openai_responses')
  expect(channelTypeOf('constructor')).toBeUndefined()
  expect(channelTypeOf('')).toBeUndefined()
})
