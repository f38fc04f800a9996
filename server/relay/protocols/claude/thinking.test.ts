import { describe, expect, test } from 'bun:test'
import type { JsonObject } from '../../../../contract/json.ts'
import type { Message, Turn } from '../canonical.ts'
import { encode, TOOL, user } from './test-kit.ts'

describe("thinking, asked for in another protocol's words", () => {
  const rows: [string, Partial<Turn>, JsonObject, string[]][] = [
    [
      'effort on a new model',
      { reasoning: { effort: 'minimal', summary: 'auto' } },
      { thinking: { type: 'adaptive', display: 'summarized' }, output_config: { effort: 'low' } },
      [],
    ],
    [
      'a budget on a new model',
      { reasoning: { budgetTokens: 20_000 } },
      { thinking: { type: 'adaptive' }, output_config: { effort: 'high' } },
      [],
    ],
    ['none', { reasoning: { effort: 'none' } }, { thinking: { type: 'disabled' } }, []],
    [
      'effort on a model that takes a budget',
      { model: 'claude-sonnet-4-5', reasoning: { effort: 'medium' } },
      { thinking: { type: 'enabled', budget_tokens: 8192 }, max_tokens: 16_384 },
      [],
    ],
    [
      'a budget above the cap',
      { model: 'claude-haiku-4-5-20251001', maxOutputTokens: 3000, reasoning: { budgetTokens: 5000 } },
      { thinking: { type: 'enabled', budget_tokens: 2999 }, max_tokens: 3000 },
      [],
    ],
    [
      'a cap too small to think',
      { model: 'claude-opus-4-1', maxOutputTokens: 500, reasoning: { effort: 'high' } },
      { max_tokens: 500 },
      ['reasoning'],
    ],
    [
      'a forced tool',
      { tools: [TOOL], toolChoice: { type: 'required' }, reasoning: { effort: 'high' } },
      { tool_choice: { type: 'any' } },
      ['reasoning'],
    ],
    [
      'sampling',
      { temperature: 0.2, topK: 3, topP: 0.5, reasoning: { effort: 'high' } },
      { thinking: { type: 'adaptive' } },
      ['temperature', 'top_p', 'top_k'],
    ],
    [
      "effort on another vendor's model",
      { model: 'kimi-k3', reasoning: { effort: 'low' } },
      { thinking: { type: 'enabled', budget_tokens: 4096 } },
      [],
    ],
  ]
  for (const [name, members, expected, lost] of rows) {
    test(name, () => expect(encode(members)).toMatchObject({ body: expected, paths: lost }))
  }

  test('by a budget is given up in the middle of a tool use Claude did not think about', () => {
    const messages: Message[] = [
      user('Hi'),
      { role: 'assistant', content: [{ type: 'call', id: 'a', name: 'ls', input: '{}' }] },
      { role: 'user', content: [{ type: 'result', callId: 'a', isError: false, content: [] }] },
    ]
    const { body, paths } = encode({ model: 'claude-sonnet-4', messages, reasoning: { effort: 'high' } })
    expect(body.thinking).toBeUndefined()
    expect(paths).toEqual(['reasoning'])
    expect(encode({ messages, reasoning: { effort: 'high' } }).body.thinking).toEqual({ type: 'adaptive' })
  })
})
