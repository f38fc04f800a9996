import type { JsonObject } from '../../contract/json.ts'
import { googleKey, LONG, openApiSchema, RESULT, schema, TOOL, type Agent } from './agent.ts'

interface Habits extends Partial<Pick<Agent, 'headers' | 'title'>> {
  system?: JsonObject
  users?: JsonObject[]
  /** Calls and results carry ids. */
  ids?: boolean
  openApi?: boolean
  config?: JsonObject
  rest?: JsonObject
  says?: Partial<Agent['says']>
  loses?: Agent['loses']
}

function agent(name: string, habits: Habits): Agent {
  const { system, users, ids = false, openApi = false, config, rest, says, loses = {}, ...more } = habits
  const asked = users ?? [{ role: 'user', parts: [{ text: 'Read a.txt' }] }]
  const body = (contents: JsonObject[]): JsonObject => ({
    contents,
    systemInstruction: system ?? { parts: [{ text: 'You are an agent.' }] },
    tools: [
      {
        functionDeclarations: [
          { name: TOOL, description: 'Reads a file', ...(openApi ? { parameters: openApiSchema } : { parametersJsonSchema: schema }) },
        ],
      },
    ],
    ...(config && { generationConfig: config }),
    ...rest,
  })
  const named = (call: { id: string; name: string }): JsonObject => (ids ? { id: call.id, name: call.name } : { name: call.name })
  return {
    name: `${name} gemini`,
    wire: 'gemini',
    headers: googleKey,
    first: () => body(asked),
    second: (_model, heard) =>
      body([
        ...asked,
        // Parts go back as they came, signatures with them; what has neither text nor call nor signature is left out.
        {
          role: 'model',
          parts: heard.own.flatMap((part): JsonObject[] => {
            if (part.text === '' && part.thoughtSignature === undefined) return []
            const { functionCall: call } = part
            return call && typeof call === 'object' && !Array.isArray(call) && !ids
              ? [{ ...part, functionCall: { name: call.name ?? '', args: call.args ?? {} } }]
              : [part]
          }),
        },
        {
          role: 'user',
          parts: heard.calls.map((call) => ({ functionResponse: { ...named(call), response: { output: RESULT } } })),
        },
      ]),
    says: { system: 'You are an agent.', users: ['Read a.txt'], tools: [TOOL], ...says },
    loses,
    ...more,
  }
}

const withRole: JsonObject = { role: 'user', parts: [{ text: 'You are an agent.' }] }
const thinks: JsonObject = { includeThoughts: true, thinkingLevel: 'HIGH' }
const topK: JsonObject = { temperature: 1, topP: 0.95, topK: 64 }
const PNG = 'iVBORw0KGgo='
const NO_TOP_K: Agent['loses'] = { chat: ['generationConfig.topK'], responses: ['generationConfig.topK'] }
/** Claude takes none while it thinks. */
const NO_TOP_K_THINKING: Agent['loses'] = { ...NO_TOP_K, claude: ['generationConfig.topK'] }

/** Programs that speak Gemini. */
export const geminiAgents: Agent[] = [
  agent('gemini-cli', {
    system: withRole,
    ids: true,
    config: { ...topK, thinkingConfig: thinks },
    says: { thinking: true },
    loses: NO_TOP_K_THINKING,
  }),
  agent('gemini-cli with an image', {
    system: withRole,
    ids: true,
    users: [{ role: 'user', parts: [{ text: 'Read a.txt' }, { inlineData: { mimeType: 'image/png', data: PNG } }] }],
    config: { ...topK, thinkingConfig: thinks },
    says: { thinking: true },
    loses: NO_TOP_K_THINKING,
  }),
  agent('qwen-code', {
    system: { role: 'user', parts: [{ text: LONG }] },
    ids: true,
    config: { ...topK, thinkingConfig: { includeThoughts: true, thinkingLevel: 'THINKING_LEVEL_UNSPECIFIED' } },
    says: { system: LONG },
    loses: NO_TOP_K,
  }),
  agent('opencode', {
    openApi: true,
    users: [
      { role: 'user', parts: [{ text: 'The project is in Go.' }] },
      { role: 'user', parts: [{ text: 'Read a.txt' }] },
    ],
    headers: (key) => ({ ...googleKey(key), 'x-session-id': 'ses_1' }),
    config: { maxOutputTokens: 32_000, topK: 64 },
    rest: { toolConfig: { functionCallingConfig: { mode: 'AUTO' } } },
    title: () => ({ contents: [{ role: 'user', parts: [{ text: 'Give it a title.' }] }] }),
    says: { users: ['The project is in Go.', 'Read a.txt'], maxTokens: 32_000 },
    loses: NO_TOP_K,
  }),
  agent('pi', {
    system: withRole,
    config: { maxOutputTokens: 16_000, thinkingConfig: { includeThoughts: true, thinkingBudget: 8_192 } },
    says: { maxTokens: 16_000, thinking: true },
  }),
  agent('continue', { openApi: true, ids: true, rest: { safetySettings: [] } }),
  agent('ai sdk', { ids: true, config: {}, rest: { safetySettings: [], toolConfig: { functionCallingConfig: { mode: 'AUTO' } } } }),
  agent('langchain', { system: withRole, openApi: true, config: { stopSequences: [] }, rest: { safetySettings: [] } }),
]
