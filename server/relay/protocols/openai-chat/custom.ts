import type { JsonObject } from '../../../../contract/json.ts'
import type { Block, Loss, Tool, Turn } from '../canonical.ts'
import { text } from './wire.ts'

/** Models of OpenAI that take free-form tools; every other server of this protocol refuses a tool that is no function. */
const TAKES_CUSTOM = /(^|\/)(gpt-[5-9]|codex)/

/**
 * The turn with its free-form tools, and the calls of them, as functions whose only argument is the text `input`, where the model takes
 * no others; the very same turn elsewhere. The answer's calls then have `{"input": "..."}`, which the client's side reads back.
 */
export function withoutCustom(turn: Turn, losses: Loss[]): Turn {
  if (TAKES_CUSTOM.test(turn.model)) return turn
  const called = turn.messages.some((message) => message.content.some(isCustomCall))
  if (!called && !turn.tools.some((tool) => tool.type === 'custom')) return turn
  return {
    ...turn,
    tools: turn.tools.map((tool, index) => (tool.type === 'custom' ? functionOf(tool, `tools[${index}]`, losses) : tool)),
    messages: turn.messages.map((message) =>
      message.content.some(isCustomCall) ? { ...message, content: message.content.map(asFunctionCall) } : message,
    ),
  }
}

function isCustomCall(block: Block): boolean {
  return block.type === 'call' && block.custom === true
}

function asFunctionCall(block: Block): Block {
  if (block.type !== 'call' || block.custom !== true) return block
  const { custom: _custom, ...call } = block
  return { ...call, input: JSON.stringify({ input: block.input }) }
}

function functionOf(tool: Extract<Tool, { type: 'custom' }>, path: string, losses: Loss[]): Tool {
  const format = tool.format && tool.format.type !== 'text' ? tool.format : undefined
  if (format) losses.push({ path: `${path}.format`, reason: 'This model cannot be held to a grammar; it was told in the description' })
  const grammar = format ? `\n\nThe input must have this format: ${text(format.definition) ?? JSON.stringify(format)}` : ''
  const schema: JsonObject = {
    type: 'object',
    properties: { input: { type: 'string', description: 'The whole input of the tool as text' } },
    required: ['input'],
    additionalProperties: false,
  }
  return {
    type: 'function',
    name: tool.name,
    description: `${tool.description ?? ''}${grammar}`.trim(),
    schema,
    ...(tool.ext && { ext: tool.ext }),
  }
}
