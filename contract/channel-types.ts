/**
 * One table: type of a channel -> the protocol its upstream speaks, by the name of its folder under server/relay/protocols
 * (contract.md 6.3, synonyms and LATER ones included).
 * A vendor that speaks OpenAI's chat protocol is a name here, nothing else.
 */
export const channelTypes = {
  openai: 'openai-chat',
  completion: 'openai-chat',
  completions: 'openai-chat',
  chat_completion: 'openai-chat',
  chat_completions: 'openai-chat',
  newapi: 'openai-chat',
  oneapi: 'openai-chat',
  responses: 'openai-responses',
  response: 'openai-responses',
  openai_responses: 'openai-responses',
  claude: 'claude',
  anthropic: 'claude',
  gemini: 'gemini',
  google: 'gemini',
  ali: 'openai-chat',
  azure: 'openai-chat',
  baidu: 'openai-chat',
  bedrock: 'openai-chat',
  bedrock_claude: 'claude',
  cerebras: 'openai-chat',
  cohere: 'openai-chat',
  dashscope: 'openai-chat',
  deepseek: 'openai-chat',
  fireworks: 'openai-chat',
  github: 'openai-chat',
  groq: 'openai-chat',
  lmstudio: 'openai-chat',
  minimax: 'openai-chat',
  mistral: 'openai-chat',
  moonshot: 'openai-chat',
  nvidia: 'openai-chat',
  ollama: 'openai-chat',
  openrouter: 'openai-chat',
  perplexity: 'openai-chat',
  siliconflow: 'openai-chat',
  tencent: 'openai-chat',
  together: 'openai-chat',
  tollgate: 'openai-chat',
  vertex: 'gemini',
  vertex_claude: 'claude',
  vllm: 'openai-chat',
  volcengine: 'openai-chat',
  xai: 'openai-chat',
  zhipu: 'openai-chat',
} as const

/** How an upstream speaks. */
export type UpstreamProtocol = (typeof channelTypes)[keyof typeof channelTypes]

/** Each protocol once. */
export const upstreamProtocols: readonly UpstreamProtocol[] = [...new Set(Object.values(channelTypes))]

export type ChannelType = keyof typeof channelTypes

/** What the contract's client and old configurations may write differently: case, blanks, hyphens. */
export function channelTypeOf(text: string): ChannelType | undefined {
  const name = text
    .trim()
    .toLowerCase()
    .replace(/[-\s]+/g, '_')
  return Object.hasOwn(channelTypes, name) ? (name as ChannelType) : undefined
}

/** The protocol of a stored type; a type this version does not know speaks OpenAI chat (contract.md 6.3). */
export function protocolOfType(type: string): UpstreamProtocol {
  const known = channelTypeOf(type)
  return known === undefined ? 'openai-chat' : channelTypes[known]
}
