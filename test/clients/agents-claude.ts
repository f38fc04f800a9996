import type { JsonObject } from '../../contract/json.ts'
import { bearer, LONG, RESULT, schema, TOOL, type Agent } from './agent.ts'

const MARK: JsonObject = { cache_control: { type: 'ephemeral' } }
const BETAS = 'interleaved-thinking-2025-05-14,structured-outputs-2025-11-13,prompt-caching-2024-07-31'
const apiKey = (key: string): Record<string, string> => ({ 'x-api-key': key, 'anthropic-version': '2023-06-01' })
const withBetas = (key: string): Record<string, string> => ({ ...apiKey(key), 'anthropic-beta': BETAS })
/** Marks that only Claude has: on the system prompt, the tool, the call and its result. */
const MARKS = ['system[].cache_control', 'tools[].cache_control', 'messages[].content[].cache_control']

interface Habits extends Partial<Pick<Agent, 'headers' | 'title'>> {
  system?: string | JsonObject[]
  user?: string | JsonObject[]
  tool?: JsonObject
  rest?: JsonObject
  /** Marks the call and its result too. */
  marks?: boolean
  thinks?: boolean
  says?: Partial<Agent['says']>
  loses?: Agent['loses']
}

function agent(name: string, { system, user, tool, rest, marks = false, thinks = false, says, loses = {}, ...more }: Habits): Agent {
  const asked: JsonObject[] = [{ role: 'user', content: user ?? [{ type: 'text', text: 'Read a.txt' }] }]
  const body = (model: string, messages: JsonObject[]): JsonObject => ({
    model,
    max_tokens: 32_000,
    stream: true,
    system: system ?? [{ type: 'text', text: 'You are an agent.' }],
    messages,
    tools: [{ name: TOOL, description: 'Reads a file', input_schema: schema, ...tool }],
    ...rest,
  })
  const mark = marks ? MARK : {}
  return {
    name: `${name} claude`,
    wire: 'claude',
    headers: apiKey,
    first: (model) => body(model, asked),
    second: (model, heard) =>
      body(model, [
        ...asked,
        // Thoughts go back, with their signatures, only from programs that asked for them.
        {
          role: 'assistant',
          content: heard.own.flatMap((block) =>
            block.type === 'thinking' && !thinks ? [] : block.type === 'tool_use' ? [{ ...block, ...mark }] : [block],
          ),
        },
        { role: 'user', content: heard.calls.map(({ id }) => ({ type: 'tool_result', tool_use_id: id, content: RESULT, ...mark })) },
      ]),
    says: { system: 'You are an agent.', users: ['Read a.txt'], tools: [TOOL], maxTokens: 32_000, thinking: thinks, ...says },
    loses,
    ...more,
  }
}

const others = (...paths: string[]): Agent['loses'] => ({ chat: paths, responses: paths, gemini: paths })

/** Programs that speak Claude Messages. */
export const claudeAgents: Agent[] = [
  agent('qwen-code', {
    headers: (key) => ({ ...bearer(key), 'anthropic-version': '2023-06-01', 'anthropic-beta': BETAS }),
    system: [{ type: 'text', text: LONG, ...MARK }],
    tool: MARK,
    marks: true,
    thinks: true,
    rest: { thinking: { type: 'enabled', budget_tokens: 8_000 } },
    says: { system: LONG },
    loses: others(...MARKS),
  }),
  agent('opencode', {
    headers: (key) => ({ ...withBetas(key), 'x-session-id': 'ses_1' }),
    system: [{ type: 'text', text: 'You are an agent.', ...MARK }],
    tool: { eager_input_streaming: true },
    marks: true,
    rest: { tool_choice: { type: 'auto' } },
    title: (model) => ({ model, max_tokens: 100, stream: true, messages: [{ role: 'user', content: 'Give it a title.' }] }),
    loses: others('system[].cache_control', 'messages[].content[].cache_control'),
  }),
  agent('pi', {
    headers: withBetas,
    system: [{ type: 'text', text: 'You are an agent.', ...MARK }],
    tool: { ...MARK, eager_input_streaming: true },
    thinks: true,
    marks: true,
    rest: { thinking: { type: 'enabled', budget_tokens: 8_000 } },
    loses: others(...MARKS),
  }),
  agent('continue', {
    headers: withBetas,
    system: [{ type: 'text', text: 'You are an agent.', ...MARK }],
    loses: others('system[].cache_control'),
  }),
  agent('ai sdk', { headers: withBetas, tool: { eager_input_streaming: true }, rest: { tool_choice: { type: 'auto' } } }),
  agent('langchain', { user: 'Read a.txt' }),
]
