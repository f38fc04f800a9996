import { isObject, type JsonObject } from '../../contract/json.ts'
import { bearer, LONG, RESULT, schema, TOOL, type Agent } from './agent.ts'

const SEALED: JsonObject = { store: false, include: ['reasoning.encrypted_content'] }
const said = (role: string, text: string): JsonObject => ({ type: 'message', role, content: [{ type: 'input_text', text }] })
const sessions = (key: string): Record<string, string> => ({ ...bearer(key), 'session-id': 's1', 'thread-id': 's1', originator: 'agent' })
const grammar: JsonObject = { type: 'grammar', syntax: 'lark', definition: 'start: /(.|\\n)+/' }

interface Habits extends Partial<Pick<Agent, 'headers' | 'title'>> {
  input: JsonObject[]
  rest: JsonObject
  tools?: JsonObject[]
  /** Leaves out what Codex leaves out: ids and statuses of items. */
  bare?: boolean
  says?: Partial<Agent['says']>
  loses?: Agent['loses']
}

const tool: JsonObject = { type: 'function', name: TOOL, description: 'Reads a file', strict: false, parameters: schema }

/** An item without the members a program does not keep. */
function kept(item: JsonObject, bare: boolean): JsonObject {
  if (!bare) return item
  const { id: _id, status: _status, ...rest } = item
  return rest
}

function agent(name: string, { input, rest, tools = [], bare = false, says, loses = {}, ...more }: Habits): Agent {
  const body = (model: string, items: JsonObject[]): JsonObject => ({
    model,
    stream: true,
    input: items,
    ...(input[0]?.type === 'additional_tools' ? {} : { tools: [tool, ...tools] }),
    ...rest,
  })
  return {
    name: `${name} responses`,
    wire: 'responses',
    headers: bearer,
    first: (model) => body(model, input),
    second: (model, heard) =>
      body(model, [
        ...input,
        ...heard.own.filter(isObject).map((item) => kept(item, bare)),
        ...heard.calls.map(({ id }) => ({ type: 'function_call_output', call_id: id, output: RESULT })),
      ]),
    says: { system: 'You are an agent.', users: ['Read a.txt'], tools: [TOOL], ...says },
    loses,
    ...more,
  }
}

const thinks: JsonObject = { reasoning: { effort: 'medium', summary: 'auto' }, ...SEALED }
const developer = said('developer', 'You are an agent.')
const user = said('user', 'Read a.txt')

/** Programs that speak Responses. */
export const responsesAgents: Agent[] = [
  agent('codex', {
    headers: sessions,
    bare: true,
    input: [said('developer', 'Permissions.'), said('user', 'The project is in Go.'), user],
    tools: [
      { type: 'custom', name: 'apply_patch', description: 'Edits files', format: grammar },
      { type: 'tool_search', execution: 'client' },
      { type: 'web_search', external_web_access: false },
    ],
    rest: {
      instructions: 'You are an agent.',
      tool_choice: 'auto',
      parallel_tool_calls: false,
      prompt_cache_key: 's1',
      client_metadata: { originator: 'agent' },
      text: { verbosity: 'low' },
      ...thinks,
    },
    says: {
      system: 'You are an agent.\nPermissions.',
      users: ['The project is in Go.', 'Read a.txt'],
      tools: [TOOL, 'apply_patch'],
      thinking: true,
    },
    loses: {
      chat: ['tools[]', 'tools[].format', 'client_metadata'],
      claude: ['tools[]', 'tools[].format', 'client_metadata', 'prompt_cache_key', 'text.verbosity'],
      gemini: ['tools[]', 'tools[].format', 'client_metadata', 'prompt_cache_key', 'text.verbosity', 'parallel_tool_calls'],
    },
  }),
  agent('codex in code mode', {
    headers: sessions,
    bare: true,
    input: [
      {
        type: 'additional_tools',
        role: 'developer',
        tools: [
          {
            type: 'namespace',
            name: 'shell',
            description: 'The shell',
            tools: [{ type: 'custom', name: 'exec', format: { type: 'text' } }],
          },
          tool,
        ],
      },
      developer,
      said('user', 'The project is in Go.'),
      { type: 'custom_tool_call', call_id: 'call_0', name: 'exec', namespace: 'shell', input: 'ls()' },
      {
        type: 'custom_tool_call_output',
        call_id: 'call_0',
        output: [
          { type: 'input_text', text: 'Done.' },
          { type: 'input_text', text: 'a.txt' },
        ],
      },
      user,
    ],
    rest: { tool_choice: 'auto', parallel_tool_calls: false, prompt_cache_key: 's1', client_metadata: { originator: 'agent' }, ...thinks },
    says: { users: ['The project is in Go.', 'Read a.txt'], tools: ['shell-_-exec', TOOL], thinking: true },
    loses: {
      chat: ['client_metadata'],
      // In the first turn the last call is one that Claude did not think about.
      claude: ['client_metadata', 'prompt_cache_key', 'reasoning'],
      gemini: ['client_metadata', 'prompt_cache_key', 'parallel_tool_calls'],
    },
  }),
  agent('qwen-code', {
    input: [user],
    rest: { instructions: LONG, store: false, prompt_cache_key: 's1', tool_choice: 'auto' },
    says: { system: LONG },
    loses: { claude: ['prompt_cache_key'], gemini: ['prompt_cache_key'] },
  }),
  agent('opencode', {
    headers: (key) => ({ ...bearer(key), 'x-session-id': 's1' }),
    input: [developer, said('user', 'The project is in Go.'), user],
    rest: { tool_choice: 'auto', prompt_cache_key: 's1', max_output_tokens: 32_000, ...SEALED },
    title: (model) => ({ model, stream: true, input: [said('developer', 'Give it a title.'), user] }),
    says: { users: ['The project is in Go.', 'Read a.txt'], maxTokens: 32_000 },
    loses: { claude: ['prompt_cache_key'], gemini: ['prompt_cache_key'] },
  }),
  agent('pi', {
    headers: (key) => ({ ...bearer(key), session_id: 's1' }),
    input: [developer, user],
    rest: { prompt_cache_key: 's1', ...thinks },
    says: { thinking: true },
    loses: { claude: ['prompt_cache_key'], gemini: ['prompt_cache_key'] },
  }),
  agent('ai sdk', {
    input: [developer, { role: 'user', content: [{ type: 'input_text', text: 'Read a.txt' }] }],
    rest: { tool_choice: 'auto' },
  }),
  agent('langchain', {
    input: [
      { role: 'developer', content: 'You are an agent.' },
      { role: 'user', content: 'Read a.txt' },
    ],
    rest: { include: [] },
  }),
  agent('agents sdk', {
    input: [{ role: 'user', content: 'Read a.txt' }],
    rest: { instructions: 'You are an agent.', include: [], text: { verbosity: 'medium' } },
  }),
]
