/** A kind of upstream the wizard knows: fills address and type, so that only the key has to be pasted. */
export interface Template {
  readonly id: string
  readonly name: string
  /** Channel type of the contract (2.6), which says the protocol. */
  readonly type: 'openai' | 'claude' | 'gemini' | 'newapi'
  /** Empty: the person knows it. */
  readonly baseUrl: string
  /** What a key of this provider looks like. */
  readonly keyHint: string
  /** Where keys are made. */
  readonly keysAt?: string
  /** A server in the house often wants none. */
  readonly keyOptional?: boolean
  /** Ticked when the provider lists them. */
  readonly suggested: readonly string[]
}

export const templates: readonly Template[] = [
  {
    id: 'openai',
    name: 'OpenAI',
    type: 'openai',
    baseUrl: 'https://api.openai.com/v1',
    keyHint: 'sk-proj-...',
    keysAt: 'https://platform.openai.com/api-keys',
    suggested: ['gpt-5-mini', 'gpt-5', 'gpt-5-nano', 'gpt-4.1', 'gpt-4.1-mini', 'gpt-4o', 'gpt-4o-mini', 'o4-mini'],
  },
  {
    id: 'anthropic',
    name: 'Anthropic',
    type: 'claude',
    baseUrl: 'https://api.anthropic.com',
    keyHint: 'sk-ant-...',
    keysAt: 'https://console.anthropic.com/settings/keys',
    suggested: ['claude-haiku-4-5-20251001', 'claude-sonnet-4-5-20250929', 'claude-opus-4-1-20250805'],
  },
  {
    id: 'gemini',
    name: 'Gemini',
    type: 'gemini',
    baseUrl: 'https://generativelanguage.googleapis.com',
    keyHint: 'AIza...',
    keysAt: 'https://aistudio.google.com/apikey',
    suggested: ['gemini-2.5-flash', 'gemini-2.5-flash-lite', 'gemini-2.5-pro'],
  },
  {
    id: 'deepseek',
    name: 'DeepSeek',
    type: 'openai',
    baseUrl: 'https://api.deepseek.com/v1',
    keyHint: 'sk-...',
    keysAt: 'https://platform.deepseek.com/api_keys',
    suggested: ['deepseek-chat', 'deepseek-reasoner'],
  },
  {
    id: 'moonshot',
    name: 'Moonshot',
    type: 'openai',
    baseUrl: 'https://api.moonshot.cn/v1',
    keyHint: 'sk-...',
    keysAt: 'https://platform.moonshot.cn/console/api-keys',
    suggested: ['kimi-k2-0905-preview', 'kimi-k2-turbo-preview'],
  },
  {
    id: 'qwen',
    name: 'Qwen',
    type: 'openai',
    baseUrl: 'https://dashscope.aliyuncs.com/compatible-mode/v1',
    keyHint: 'sk-...',
    keysAt: 'https://bailian.console.aliyun.com/?tab=model#/api-key',
    suggested: ['qwen-plus', 'qwen-flash', 'qwen3-max'],
  },
  {
    id: 'zhipu',
    name: 'Zhipu',
    type: 'openai',
    baseUrl: 'https://open.bigmodel.cn/api/paas/v4',
    keyHint: 'xxxxxxxx.xxxxxxxx',
    keysAt: 'https://open.bigmodel.cn/usercenter/apikeys',
    suggested: ['glm-4.6', 'glm-4.5', 'glm-4.5-air'],
  },
  {
    id: 'siliconflow',
    name: 'SiliconFlow',
    type: 'openai',
    baseUrl: 'https://api.siliconflow.cn/v1',
    keyHint: 'sk-...',
    keysAt: 'https://cloud.siliconflow.cn/account/ak',
    suggested: ['deepseek-ai/DeepSeek-V3.1', 'Qwen/Qwen3-32B'],
  },
  {
    id: 'openrouter',
    name: 'OpenRouter',
    type: 'openai',
    baseUrl: 'https://openrouter.ai/api/v1',
    keyHint: 'sk-or-v1-...',
    keysAt: 'https://openrouter.ai/settings/keys',
    suggested: ['openai/gpt-5-mini', 'anthropic/claude-haiku-4.5', 'google/gemini-2.5-flash'],
  },
  { id: 'local', name: 'Ollama', type: 'openai', baseUrl: 'http://127.0.0.1:11434/v1', keyHint: '', keyOptional: true, suggested: [] },
  { id: 'gateway', name: 'Tollgate / new‑api / one‑api', type: 'newapi', baseUrl: '', keyHint: 'sk-...', suggested: [] },
  { id: 'custom', name: 'custom', type: 'openai', baseUrl: '', keyHint: 'sk-...', keyOptional: true, suggested: [] },
]

/** The protocols a custom upstream may speak. */
export const customTypes = [
  { type: 'openai', name: 'OpenAI Chat Completions' },
  { type: 'responses', name: 'OpenAI Responses' },
  { type: 'claude', name: 'Anthropic Messages' },
  { type: 'gemini', name: 'Google Gemini' },
] as const

/** True for the machine itself and addresses of private networks: the guard refuses them until the owner allows them. */
export function isPrivateHost(host: string): boolean {
  const name = host.replace(/^\[|\]$/g, '').toLowerCase()
  return (
    name === 'localhost' ||
    name.endsWith('.localhost') ||
    name.endsWith('.local') ||
    name === '::1' ||
    /^f[cd][0-9a-f]{2}:|^fe80:/.test(name) ||
    /^(127|10)\.\d+\.\d+\.\d+$|^192\.168\.\d+\.\d+$|^172\.(1[6-9]|2\d|3[01])\.\d+\.\d+$|^169\.254\.\d+\.\d+$/.test(name)
  )
}

/** `host:port` as the list of allowed hosts has it, or undefined when the text is no http(s) address. */
export function allowEntry(baseUrl: string): string | undefined {
  if (!URL.canParse(baseUrl)) return undefined
  const { protocol, hostname, port } = new URL(baseUrl)
  if (protocol !== 'http:' && protocol !== 'https:') return undefined
  return `${hostname}:${port === '' ? (protocol === 'https:' ? '443' : '80') : port}`
}
