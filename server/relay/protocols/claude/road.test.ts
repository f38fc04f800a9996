import { describe, expect, test } from 'bun:test'
import type { JsonObject } from '../../../../contract/json.ts'
import { WireError } from '../protocol.ts'
import { packSeal } from '../seal.ts'
import { claude } from './index.ts'

describe('a Claude request', () => {
  const body = (content: JsonObject[]): JsonObject => ({ model: 'm', max_tokens: 1, messages: [{ role: 'assistant', content }] })

  test('gives packed seals back to their makers: thoughts, and the signature that rode beside a call', () => {
    const packed = packSeal({ by: 'gemini', value: 'sig' }, 'claude')
    const [message] = claude.decodeRequest(
      body([
        { type: 'thinking', thinking: 'a', signature: packed },
        { type: 'thinking', thinking: 'b', signature: 'tg1.none.' },
        { type: 'thinking', thinking: 'c', signature: 'tg1.!!' },
        { type: 'redacted_thinking', data: `${packed}.tg_a_x2e_b` },
        { type: 'tool_use', id: 'tg_a_x2e_b', name: 'ls', input: {} },
      ]),
      {},
    ).messages
    expect(message?.content).toEqual([
      { type: 'reasoning', text: 'a', seal: { by: 'gemini', value: 'sig' } },
      { type: 'reasoning', text: 'b' },
      { type: 'reasoning', text: 'c', seal: { by: 'invalid', value: '' } },
      { type: 'call', id: 'a.b', name: 'ls', input: '{}', seal: { by: 'gemini', value: 'sig' } },
    ])
  })

  test('is patched without a copy unless a foreign seal must go', () => {
    const clean = body([{ type: 'thinking', thinking: 'a', signature: 'EqQB' }])
    expect(claude.patch(clean, { model: 'up', stream: false })).toEqual({ ...clean, model: 'up' })
    expect(claude.patch(clean, { model: 'up', stream: true }).messages).toBe(clean.messages as JsonObject[])
    const sealed = {
      ...body([
        { type: 'thinking', thinking: 'a', signature: 'tg1.none.' },
        { type: 'tool_use', id: 'a', name: 'ls', input: {} },
      ]),
      thinking: { type: 'enabled', budget_tokens: 2000 },
    }
    const patched = claude.patch(sealed, { model: 'up', stream: false })
    expect(patched.messages).toEqual([{ role: 'assistant', content: [{ type: 'tool_use', id: 'a', name: 'ls', input: {} }] }])
    expect(patched.thinking).toBeUndefined()
  })

  test('that cannot be understood is refused with the member that is wrong', () => {
    const refused = (request: JsonObject) => {
      try {
        claude.decodeRequest(request, {})
      } catch (error) {
        return error instanceof WireError ? error.param : error
      }
      return 'accepted'
    }
    expect(refused({ messages: [] })).toBe('model')
    expect(refused({ model: 'm' })).toBe('messages')
    expect(refused({ model: 'm', messages: [{ role: 'user', content: 5 }] })).toBe('messages.0.content')
    expect(refused({ model: 'm', messages: [{ role: 'user', content: ['x'] }] })).toBe('messages.0.content.0')
    expect(() => claude.peek({ messages: [] }, {})).toThrow(WireError)
  })

  test('is peeked at, and its words are counted without base64, ids and signatures', () => {
    expect(claude.peek({ model: 'm', stream: true, max_tokens: 7 }, {})).toEqual({
      model: 'm',
      stream: true,
      maxOutputTokens: 7,
      choices: 1,
      wantsUsage: true,
    })
    const words = claude.requestText({
      ...body([
        { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'BYTES' } },
        { type: 'text', text: 'see' },
        { type: 'document', source: { type: 'text', media_type: 'text/plain', data: 'note' } },
        { type: 'thinking', thinking: 'hm', signature: 'SIG' },
        { type: 'tool_result', tool_use_id: 'ID', content: [{ type: 'text', text: 'found' }] },
        { type: 'tool_use', id: 'ID', name: 'ls', input: { a: 1 } },
      ]),
      system: 'rules',
      tools: [{ name: 'ls', description: 'lists', input_schema: { type: 'object' } }],
    })
    expect(words.split('\n')).toEqual(['rules', 'see', 'note', 'hm', 'found', 'ls', '{"a":1}', 'ls', 'lists', '{"type":"object"}'])
  })

  test('goes to /v1/messages below any base, with the key and the version', () => {
    for (const base of ['https://a.test', 'https://a.test/', 'https://a.test/v1', 'https://a.test/v1/', 'https://a.test/v1beta']) {
      expect(claude.endpoint(base, { model: 'm', stream: true }).url).toBe('https://a.test/v1/messages')
    }
    expect(claude.endpoint('https://a.test/anthropic', { model: 'm', stream: false }).url).toBe('https://a.test/anthropic/v1/messages')
    expect(claude.endpoint('https://a.test', { model: 'm', stream: false }).headers('k')).toEqual({
      'x-api-key': 'k',
      'anthropic-version': '2023-06-01',
    })
  })
})
