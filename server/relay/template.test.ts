import { expect, test } from 'bun:test'
import { claude } from './protocols/claude/index.ts'
import { openaiChat } from './protocols/openai-chat/index.ts'
import type { Frame } from './protocols/protocol.ts'
import { FrameTemplate } from './template.ts'

const chat = (delta: object, rest: object = {}): Frame => ({
  data: JSON.stringify({ id: 'c', model: 'up', choices: [{ index: 0, delta, finish_reason: null }], ...rest }),
})
const shownAs = (frame: Frame): Frame => ({ ...frame, data: frame.data.replace('"up"', '"gpt"') })
const learned = (frame: Frame): FrameTemplate => {
  const template = new FrameTemplate()
  template.learn(frame, shownAs(frame), openaiChat.tap(frame))
  return template
}

test('a frame that differs in its text only is read and shown without parsing it', () => {
  const template = learned(chat({ content: 'Hello' }))
  const next = chat({ content: ' wörld, 你好' })
  expect(template.match(next)).toEqual({ text: openaiChat.tap(next).text, shown: shownAs(next) })
  expect(template.match(chat({ content: '' }))?.text).toBe('')
})

test('anything else is read in full: escapes, quotes, other members, usage, a finish, another event', () => {
  const template = learned(chat({ content: 'Hello' }))
  const others = [
    chat({ content: 'a "quote"' }),
    chat({ content: 'line\nbreak' }),
    chat({ content: 'x', refusal: 'y' }),
    chat({ reasoning_content: 'x' }),
    chat({ content: 'x' }, { usage: { prompt_tokens: 1, completion_tokens: 1 } }),
    { data: chat({ content: 'x' }).data.replace('null', '"stop"') },
    { ...chat({ content: 'x' }), event: 'other' },
    { data: '[DONE]' },
  ]
  expect(others.map((frame) => template.match(frame))).toEqual(others.map(() => undefined))
})

test('nothing is learned from a frame whose text stands twice, nor from one that ends or counts', () => {
  const twice = chat({ content: 'c' })
  expect(learned(twice).match(twice)).toBeUndefined()
  const counted = chat({ content: 'Hello' }, { usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 } })
  expect(learned(counted).match(counted)).toBeUndefined()
})

test('other protocols: a Claude delta of the same block is like the one before, of another block it is not', () => {
  const delta = (index: number, text: string): Frame => ({
    event: 'content_block_delta',
    data: JSON.stringify({ type: 'content_block_delta', index, delta: { type: 'text_delta', text } }),
  })
  const template = new FrameTemplate()
  template.learn(delta(0, 'Hel'), delta(0, 'Hel'), claude.tap(delta(0, 'Hel')))
  expect(template.match(delta(0, 'lo'))).toEqual({ text: 'lo', shown: delta(0, 'lo') })
  expect(template.match(delta(1, 'lo'))).toBeUndefined()
})
