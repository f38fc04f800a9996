import { expect, test } from 'bun:test'
import { protocols } from './protocols/index.ts'
import { showModel, showModelInFrame } from './model-name.ts'

test('the upstream name becomes the platform name, all other bytes stay', () => {
  expect(showModelInFrame('{"id":"a", "model" : "up-1", "choices":[]}', 'gpt', protocols['openai-chat'].answerModel)).toBe(
    '{"id":"a", "model" : "gpt", "choices":[]}',
  )
  expect(showModelInFrame('{"modelVersion":"up"}', 'gem', protocols.gemini.answerModel)).toBe('{"modelVersion":"gem"}')
})

test('text of the answer and inputs of tools that speak of a model stay as they are', () => {
  const chat = '{"choices":[{"delta":{"content":"\\"model\\":\\"x\\""}}],"model":"up"}'
  expect(showModelInFrame(chat, 'gpt', protocols['openai-chat'].answerModel)).toBe(chat.replace('"up"', '"gpt"'))
  const start = '{"type":"content_block_start","content_block":{"type":"tool_use","input":{"model":"T"}}}'
  expect(showModelInFrame(start, 'claude', protocols.claude.answerModel)).toBe(start)
  const call = '{"candidates":[{"content":{"parts":[{"functionCall":{"args":{"model":"T"}}}]}}],"modelVersion":"up"}'
  expect(showModelInFrame(call, 'gem', protocols.gemini.answerModel)).toBe(call.replace('"up"', '"gem"'))
  const whole = '{"content":[{"type":"tool_use","input":{"model":"T"}}],"model":"up"}'
  expect(JSON.parse(showModel(whole, JSON.parse(whole), 'claude', protocols.claude.answerModel))).toEqual({
    content: [{ type: 'tool_use', input: { model: 'T' } }],
    model: 'claude',
  })
})

test('nothing is written anew when the names agree', () => {
  const body = '{ "model":"m" , "n": 1.0 }'
  expect(showModel(body, JSON.parse(body), 'm', protocols['openai-chat'].answerModel)).toBe(body)
  expect(showModel(body, JSON.parse(body), 'n', protocols['openai-chat'].answerModel)).toBe('{ "model":"n" , "n": 1.0 }')
})
