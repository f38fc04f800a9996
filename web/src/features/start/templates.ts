import { vendors, type Vendor } from '../../../../contract/vendors.ts'

/** A kind of upstream the wizard knows: fills address and type, so that only the key has to be pasted. */
export interface Template extends Pick<Vendor, 'id' | 'name' | 'type' | 'baseUrl' | 'keyHint' | 'docs'> {
  /** Where keys are made. */
  readonly keysAt?: string
  /** A server in the house often wants none. */
  readonly keyOptional?: boolean
  /** Ticked when the provider lists them. */
  readonly suggested: readonly string[]
}

/** What the wizard knows of a vendor beside its row; those named here have a tile each, in this order. */
const tileRows: readonly ({ id: string } & Partial<Template>)[] = [
  {
    id: 'openai',
    keysAt: 'https://platform.openai.com/api-keys',
    suggested: ['gpt-5-mini', 'gpt-5', 'gpt-5-nano', 'gpt-4.1', 'gpt-4.1-mini', 'gpt-4o', 'gpt-4o-mini', 'o4-mini'],
  },
  {
    id: 'anthropic',
    keysAt: 'https://console.anthropic.com/settings/keys',
    suggested: ['claude-haiku-4-5-20251001', 'claude-sonnet-4-5-20250929', 'claude-opus-4-1-20250805'],
  },
  {
    id: 'gemini',
    keysAt: 'https://aistudio.google.com/apikey',
    suggested: ['gemini-2.5-flash', 'gemini-2.5-flash-lite', 'gemini-2.5-pro'],
  },
  { id: 'deepseek', keysAt: 'https://platform.deepseek.com/api_keys', suggested: ['deepseek-chat', 'deepseek-reasoner'] },
  {
    id: 'moonshot',
    keysAt: 'https://platform.moonshot.cn/console/api-keys',
    suggested: ['kimi-k2-0905-preview', 'kimi-k2-turbo-preview'],
  },
  { id: 'qwen', keysAt: 'https://bailian.console.aliyun.com/?tab=model#/api-key', suggested: ['qwen-plus', 'qwen-flash', 'qwen3-max'] },
  { id: 'zhipu', keysAt: 'https://open.bigmodel.cn/usercenter/apikeys', suggested: ['glm-4.6', 'glm-4.5', 'glm-4.5-air'] },
  { id: 'siliconflow', keysAt: 'https://cloud.siliconflow.cn/account/ak', suggested: ['deepseek-ai/DeepSeek-V3.1', 'Qwen/Qwen3-32B'] },
  {
    id: 'openrouter',
    keysAt: 'https://openrouter.ai/settings/keys',
    suggested: ['openai/gpt-5-mini', 'anthropic/claude-haiku-4.5', 'google/gemini-2.5-flash'],
  },
  { id: 'ollama' },
  // One tile for all that speak like it.
  { id: 'newapi', name: 'Tollgate / new‑api / one‑api' },
  { id: 'custom', keyOptional: true },
]

/** Vendors that a tile stands for beside its own. */
const covered = new Set(['tollgate', 'oneapi'])

/** Every vendor of contract/vendors.ts as the wizard offers it. */
export const templates: readonly Template[] = vendors.map((row) => {
  const more = tileRows.find(({ id }) => id === row.id)
  const { id, name, type, baseUrl, keyHint, docs } = row
  return { id, name, type, baseUrl, keyHint, docs, suggested: [], ...(keyHint === '' && { keyOptional: true }), ...more }
})

const byId = new Map(templates.map((template) => [template.id, template]))

/** The template of an id that was chosen. */
export function templateById(id: string | undefined): Template | undefined {
  return id === undefined ? undefined : byId.get(id)
}

/** Those with a tile; the last one stands for an address of one's own. */
export const tiles: readonly Template[] = tileRows.flatMap(({ id }) => byId.get(id) ?? [])

/** Those behind the last tile, by name. */
export const otherTemplates: readonly Template[] = templates
  .filter((template) => !tiles.includes(template) && !covered.has(template.id))
  .toSorted((one, other) => one.name.localeCompare(other.name, 'en'))

/** The protocols an upstream of one's own may speak. */
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

/** What of a vendor's address is for the owner to fill in: `{region}`; undefined when nothing is left. */
export function blankIn(baseUrl: string): string | undefined {
  return /\{[^{}]*\}/.exec(baseUrl)?.[0]
}

/** `host:port` as the list of allowed hosts has it, or undefined when the text is no http(s) address. */
export function allowEntry(baseUrl: string): string | undefined {
  if (!URL.canParse(baseUrl) || blankIn(baseUrl) !== undefined) return undefined
  const { protocol, hostname, port } = new URL(baseUrl)
  if (protocol !== 'http:' && protocol !== 'https:') return undefined
  return `${hostname}:${port === '' ? (protocol === 'https:' ? '443' : '80') : port}`
}
