import type { JsonObject } from '../../contract/json.ts'
import { bearer, LONG, RESULT, schema, TOOL, type Agent } from './agent.ts'
import type { Heard } from './hear.ts'

const tools: JsonObject[] = [{ type: 'function', function: { name: TOOL, description: 'Reads a file', parameters: schema } }]
const usage: JsonObject = { stream: true, stream_options: { include_usage: true } }

/** The answer as these programs give it back; thoughts have no place in it. */
function back(heard: Heard, content: string | null, result: (text: string) => JsonObject | string | JsonObject[]): JsonObject[] {
  return [
    { role: 'assistant', content: heard.text === '' ? content : heard.text, tool_calls: heard.own },
    ...heard.calls.map(({ id }) => ({ role: 'tool', tool_call_id: id, content: result(RESULT) })),
  ]
}
const plain = (text: string): string => text

function agent(
  name: string,
  {
    messages,
    rest,
    content,
    result = plain,
    ...more
  }: {
    messages: JsonObject[]
    rest: JsonObject
    content: string | null
    result?: (text: string) => JsonObject[] | string
  } & Pick<Agent, 'says' | 'loses'> &
    Partial<Pick<Agent, 'headers' | 'title'>>,
): Agent {
  return {
    name: `${name} openai`,
    wire: 'chat',
    headers: bearer,
    first: (model) => ({ model, messages, tools, ...usage, ...rest }),
    second: (model, heard) => ({ model, messages: [...messages, ...back(heard, content, result)], tools, ...usage, ...rest }),
    ...more,
  }
}

const system = { role: 'system', content: 'You are an agent.' }
const user = { role: 'user', content: 'Read a.txt' }
const says = { system: 'You are an agent.', users: ['Read a.txt'], tools: [TOOL] }

/** Programs that speak Chat Completions. */
export const chatAgents: Agent[] = [
  agent('qwen-code', {
    messages: [
      { role: 'system', content: LONG },
      { role: 'user', content: [{ type: 'text', text: 'Read a.txt' }] },
    ],
    rest: { max_tokens: 32_000, temperature: 0.5 },
    content: null,
    result: (text) => [{ type: 'text', text }],
    says: { ...says, system: LONG, maxTokens: 32_000 },
    loses: {},
  }),
  agent('opencode', {
    messages: [system, { role: 'user', content: 'The project is in Go.' }, user],
    rest: { max_tokens: 32_000, tool_choice: 'auto' },
    content: '',
    headers: (key) => ({ ...bearer(key), 'x-session-id': 'ses_1', session_id: 'ses_1' }),
    title: (model) => ({ model, messages: [{ role: 'system', content: 'Give it a title.' }, user], max_tokens: 100, ...usage }),
    says: { ...says, users: ['The project is in Go.', 'Read a.txt'], maxTokens: 32_000 },
    loses: {},
  }),
  agent('pi', {
    messages: [system, { role: 'user', content: [{ type: 'text', text: 'Read a.txt' }] }],
    rest: { store: false, max_completion_tokens: 16_000 },
    content: null,
    says: { ...says, maxTokens: 16_000 },
    loses: {},
  }),
  agent('continue', { messages: [system, user], rest: {}, content: '', says, loses: {} }),
  agent('ai sdk', { messages: [system, user], rest: { tool_choice: 'auto' }, content: null, says, loses: {} }),
  agent('langchain', {
    messages: [{ role: 'system', content: [{ type: 'text', text: 'You are an agent.' }] }, user],
    rest: {},
    content: '',
    says,
    loses: {},
  }),
  agent('agents sdk', { messages: [system, user], rest: {}, content: null, says, loses: {} }),
]
