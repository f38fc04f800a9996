/** Who made a model: known makers and how a name tells its maker (contract.md section 4). */
export interface Provider {
  id: string
  name: string
}

interface Preset {
  readonly id: string
  readonly name: string
  readonly pattern: RegExp | undefined
}

/**
 * In the order of inference: the first pattern that fits the lower-cased model name wins. Short marks (`o1`, `yi`) count
 * only as whole words (W59). There are no icon addresses: nothing is loaded from a third party (W59).
 */
const presets: readonly Preset[] = [
  { id: 'deepseek', name: 'DeepSeek', pattern: /deepseek/ },
  { id: 'anthropic', name: 'Anthropic', pattern: /claude/ },
  { id: 'google', name: 'Google', pattern: /gemini|gemma|palm|bison/ },
  { id: 'nvidia', name: 'NVIDIA', pattern: /nemotron/ },
  { id: 'perplexity', name: 'Perplexity', pattern: /\bsonar\b/ },
  { id: 'meta', name: 'Meta', pattern: /llama/ },
  { id: 'mistral', name: 'Mistral AI', pattern: /mistral|mixtral|codestral|devstral|ministral|pixtral|magistral/ },
  { id: 'qwen', name: 'Qwen', pattern: /qwen|qwq/ },
  { id: 'moonshot', name: 'Moonshot AI', pattern: /kimi|moonshot/ },
  { id: 'zhipu', name: 'Zhipu AI', pattern: /glm|zhipu/ },
  { id: 'xai', name: 'xAI', pattern: /\bgrok/ },
  { id: 'cohere', name: 'Cohere', pattern: /cohere|\bcommand-[ar]\b/ },
  { id: 'minimax', name: 'MiniMax', pattern: /minimax|\babab/ },
  { id: 'bytedance', name: 'ByteDance', pattern: /doubao|\bseed-/ },
  { id: 'baidu', name: 'Baidu', pattern: /\bernie\b/ },
  { id: 'tencent', name: 'Tencent', pattern: /hunyuan/ },
  { id: 'stepfun', name: 'StepFun', pattern: /\bstep-\d/ },
  { id: '01ai', name: '01.AI', pattern: /\byi-/ },
  { id: 'microsoft', name: 'Microsoft', pattern: /\bphi-\d/ },
  { id: 'amazon', name: 'Amazon', pattern: /\bnova-(?:micro|lite|pro|premier)\b/ },
  { id: 'openai', name: 'OpenAI', pattern: /gpt|dall-?e|\bo[134]\b|whisper|text-embedding|\bsora\b/ },
  { id: 'groq', name: 'Groq', pattern: undefined },
  { id: 'openrouter', name: 'OpenRouter', pattern: undefined },
  { id: 'custom', name: 'Custom', pattern: undefined },
]

/** The maker nobody knows. */
const CUSTOM_PROVIDER: Provider = { id: 'custom', name: 'Custom' }

const plain = (text: string): string => text.toLowerCase().replace(/[\s_-]+/g, '')

const byName = new Map(
  presets.flatMap(
    ({ id, name }) =>
      [
        [plain(id), { id, name }],
        [plain(name), { id, name }],
      ] as const,
  ),
)

/** The maker of a model by its name; `custom` when nothing fits. */
export function inferProvider(modelName: string): Provider {
  const name = modelName.toLowerCase()
  const preset = presets.find(({ pattern }) => pattern?.test(name))
  return preset ? { id: preset.id, name: preset.name } : CUSTOM_PROVIDER
}

/**
 * The maker as given: a known one by id or name, whatever its case, blanks, `-` and `_`; any other text stands for
 * itself; an empty one is inferred from the model's name.
 */
export function providerOf(given: string, modelName: string): Provider {
  const text = given.trim()
  if (text === '') return inferProvider(modelName)
  return byName.get(plain(text)) ?? { id: text, name: text }
}
