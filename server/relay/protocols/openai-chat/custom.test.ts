import { expect, test } from 'bun:test'
import { encode } from './test-kit.ts'

test("a free-form tool stays one for OpenAI's newer models and is a function elsewhere", () => {
  const asked = {
    tools: [{ type: 'custom' as const, name: 'sh', description: 'Runs' }],
    toolChoice: { type: 'tool' as const, name: 'sh' },
  }
  const kinds = (model: string) => {
    const { tools, tool_choice: choice } = encode({ ...asked, model }).body
    return [tools, choice].flat().map((one) => (one as { type: string }).type)
  }
  expect(kinds('openai/gpt-5.1')).toEqual(['custom', 'custom'])
  expect(kinds('deepseek-chat')).toEqual(['function', 'function'])
  expect(encode(asked).paths).toEqual([])
})
