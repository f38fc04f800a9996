// long file: one table
import { channelTypeOf, channelTypes, type ChannelType, type UpstreamProtocol } from './channel-types.ts'

/**
 * Header that carries a vendor's key; or a cloud whose key is traded for a token (`google`: a service account's key file) or
 * signs each request (`aws`: `<access key id>|<secret>[|<region>]`). Both take a plain API key too.
 */
export type Auth = 'bearer' | 'x-api-key' | 'api-key' | 'x-goog-api-key' | 'google' | 'aws'

/** Where a vendor goes its own way. */
export type Quirk =
  /** Paths follow the base as it stands: no `/v1` comes between. */
  | 'path_as_is'
  /** `<resource>/openai/deployments/<model>/...?api-version=...` unless the base ends in Azure's newer `/openai/v1`. */
  | 'azure_deployments'
  /** `<project and location>/publishers/<maker>/models/<model>:<action>`; Claude's body names no model there. */
  | 'vertex_publishers'
  /** `/model/<model>/invoke`; Claude's body names neither model nor stream, and betas stand in it. */
  | 'bedrock_invoke'
  /** Pictures and documents must stand in the request: addresses are refused ("URL sources are not supported"), so they are fetched here. */
  | 'no_media_urls'
  /** Messages must be text: a list of text parts is refused. */
  | 'text_content'
  /** `stream_options` is refused, and usage comes without it. */
  | 'no_stream_options'
  /** Thoughts come as `reasoning_content`, `reasoning` or `reasoning_details`; the Chat codec reads all three. */
  | 'reasoning_content'
  | 'reasoning'
  | 'reasoning_details'
  /** A stream's usage stands in its last choice; the Chat codec looks there. */
  | 'usage_in_choice'
  /** Answers may state no usage: it is counted (docs/billing.md). */
  | 'usage_may_be_missing'
  /** There is no list of models to ask for. */
  | 'no_model_list'
  /** Tokens cannot be counted by asking: they are counted here. */
  | 'no_token_count'

/** A maker or seller of models, as a channel to it is set up. A vendor is a row, never code. */
export interface Vendor {
  readonly id: string
  readonly name: string
  readonly type: ChannelType
  /** What a channel of this type speaks. */
  readonly protocol: UpstreamProtocol
  /** As the vendor documents it; `{...}` is for the owner to fill in; empty: his own server. */
  readonly baseUrl: string
  readonly auth: Auth
  /** How a key looks; empty: none is needed. */
  readonly keyHint: string
  /** Model list, appended to the base URL or absolute; empty: none. */
  readonly modelList: string
  /** A price list machines can read (contract.md 10.2), or where people read the prices. */
  readonly prices: { readonly format: 'newapi_prices' | 'generic_models' } | { readonly page: string }
  readonly docs: string
  /** Name of the icon the console draws. */
  readonly icon: string
  readonly quirks: readonly Quirk[]
}

type Row = Pick<Vendor, 'id' | 'name' | 'type' | 'baseUrl' | 'keyHint' | 'prices' | 'docs'> & Partial<Vendor>

/** What most rows have: a bearer key, `/models` below the base, an icon of their own name. */
function vendor(row: Row): Vendor {
  return { protocol: channelTypes[row.type], auth: 'bearer', modelList: '/models', icon: row.id, quirks: [], ...row }
}

/** From the vendors' public documentation, November 2026. */
export const vendors: readonly Vendor[] = [
  vendor({
    id: 'openai',
    name: 'OpenAI',
    type: 'openai',
    baseUrl: 'https://api.openai.com/v1',
    keyHint: 'sk-proj-...',
    prices: { page: 'https://openai.com/api/pricing' },
    docs: 'https://platform.openai.com/docs/api-reference',
  }),
  vendor({
    id: 'openai-responses',
    name: 'OpenAI (Responses)',
    type: 'responses',
    baseUrl: 'https://api.openai.com/v1',
    keyHint: 'sk-proj-...',
    prices: { page: 'https://openai.com/api/pricing' },
    docs: 'https://platform.openai.com/docs/api-reference/responses',
    icon: 'openai',
  }),
  vendor({
    id: 'anthropic',
    name: 'Anthropic',
    type: 'claude',
    baseUrl: 'https://api.anthropic.com',
    auth: 'x-api-key',
    keyHint: 'sk-ant-...',
    modelList: '/v1/models',
    prices: { page: 'https://www.anthropic.com/pricing' },
    docs: 'https://platform.claude.com/docs/en/api/overview',
  }),
  vendor({
    id: 'gemini',
    name: 'Google AI Studio',
    type: 'gemini',
    baseUrl: 'https://generativelanguage.googleapis.com',
    auth: 'x-goog-api-key',
    keyHint: 'AIza...',
    modelList: '/v1beta/models',
    prices: { page: 'https://ai.google.dev/gemini-api/docs/pricing' },
    docs: 'https://ai.google.dev/api',
    icon: 'google',
  }),
  vendor({
    id: 'azure',
    name: 'Azure OpenAI',
    type: 'azure',
    baseUrl: 'https://{resource}.openai.azure.com',
    auth: 'api-key',
    keyHint: '84 characters',
    modelList: '',
    prices: { page: 'https://azure.microsoft.com/pricing/details/cognitive-services/openai-service/' },
    docs: 'https://learn.microsoft.com/azure/ai-foundry/openai/reference',
    quirks: ['azure_deployments', 'no_model_list'],
  }),
  vendor({
    id: 'bedrock',
    name: 'AWS Bedrock (OpenAI API)',
    type: 'bedrock',
    baseUrl: 'https://bedrock-runtime.{region}.amazonaws.com/openai/v1',
    auth: 'aws',
    keyHint: 'ABSK... / AKIA...|secret',
    modelList: '',
    prices: { page: 'https://aws.amazon.com/bedrock/pricing/' },
    docs: 'https://docs.aws.amazon.com/bedrock/latest/userguide/inference-chat-completions.html',
    icon: 'aws',
    quirks: ['no_model_list'],
  }),
  vendor({
    id: 'bedrock-claude',
    name: 'AWS Bedrock (Claude)',
    type: 'bedrock_claude',
    baseUrl: 'https://bedrock-runtime.{region}.amazonaws.com',
    auth: 'aws',
    keyHint: 'ABSK... / AKIA...|secret',
    modelList: '',
    prices: { page: 'https://aws.amazon.com/bedrock/pricing/' },
    docs: 'https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-anthropic-claude-messages.html',
    icon: 'aws',
    quirks: ['bedrock_invoke', 'no_media_urls', 'no_model_list', 'no_token_count'],
  }),
  vendor({
    id: 'vertex',
    name: 'Google Vertex AI (Gemini)',
    type: 'vertex',
    baseUrl: 'https://{region}-aiplatform.googleapis.com/v1/projects/{project}/locations/{region}',
    auth: 'google',
    keyHint: '{"type":"service_account", ...}',
    modelList: '',
    prices: { page: 'https://cloud.google.com/vertex-ai/generative-ai/pricing' },
    docs: 'https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/inference',
    icon: 'google',
    quirks: ['vertex_publishers', 'no_model_list'],
  }),
  vendor({
    id: 'vertex-claude',
    name: 'Google Vertex AI (Claude)',
    type: 'vertex_claude',
    baseUrl: 'https://{region}-aiplatform.googleapis.com/v1/projects/{project}/locations/{region}',
    auth: 'google',
    keyHint: '{"type":"service_account", ...}',
    modelList: '',
    prices: { page: 'https://cloud.google.com/vertex-ai/generative-ai/pricing' },
    docs: 'https://cloud.google.com/vertex-ai/generative-ai/docs/partner-models/claude/use-claude',
    icon: 'google',
    quirks: ['vertex_publishers', 'no_media_urls', 'no_model_list', 'no_token_count'],
  }),
  vendor({
    id: 'deepseek',
    name: 'DeepSeek',
    type: 'deepseek',
    baseUrl: 'https://api.deepseek.com/v1',
    keyHint: 'sk-...',
    prices: { page: 'https://api-docs.deepseek.com/quick_start/pricing' },
    docs: 'https://api-docs.deepseek.com',
    quirks: ['reasoning_content', 'text_content'],
  }),
  vendor({
    id: 'moonshot',
    name: 'Moonshot AI (Kimi)',
    type: 'moonshot',
    baseUrl: 'https://api.moonshot.cn/v1',
    keyHint: 'sk-...',
    prices: { page: 'https://platform.moonshot.cn/docs/pricing/chat' },
    docs: 'https://platform.moonshot.cn/docs/api/chat',
    quirks: ['reasoning_content', 'usage_in_choice'],
  }),
  vendor({
    id: 'zhipu',
    name: 'Zhipu AI (GLM)',
    type: 'zhipu',
    baseUrl: 'https://open.bigmodel.cn/api/paas/v4',
    keyHint: 'xxxxxxxx.xxxxxxxx',
    prices: { page: 'https://open.bigmodel.cn/pricing' },
    docs: 'https://docs.bigmodel.cn/api-reference',
    quirks: ['reasoning_content'],
  }),
  vendor({
    id: 'qwen',
    name: 'Alibaba Qwen',
    type: 'dashscope',
    baseUrl: 'https://dashscope.aliyuncs.com/compatible-mode/v1',
    keyHint: 'sk-...',
    prices: { page: 'https://help.aliyun.com/zh/model-studio/models' },
    docs: 'https://help.aliyun.com/zh/model-studio/compatibility-of-openai-with-dashscope',
    quirks: ['reasoning_content'],
  }),
  vendor({
    id: 'volcengine',
    name: 'Volcengine (Doubao)',
    type: 'volcengine',
    baseUrl: 'https://ark.cn-beijing.volces.com/api/v3',
    keyHint: 'UUID',
    prices: { page: 'https://www.volcengine.com/docs/82379/1544106' },
    docs: 'https://www.volcengine.com/docs/82379/1494384',
    icon: 'bytedance',
    quirks: ['reasoning_content'],
  }),
  vendor({
    id: 'minimax',
    name: 'MiniMax',
    type: 'minimax',
    baseUrl: 'https://api.minimaxi.com/v1',
    keyHint: 'eyJ...',
    modelList: '',
    prices: { page: 'https://platform.minimaxi.com/docs/guides/pricing' },
    docs: 'https://platform.minimaxi.com/docs/api-reference/text-openai-api',
    quirks: ['reasoning_content', 'reasoning_details', 'no_model_list'],
  }),
  vendor({
    id: 'baidu',
    name: 'Baidu Qianfan',
    type: 'baidu',
    baseUrl: 'https://qianfan.baidubce.com/v2',
    keyHint: 'bce-v3/ALTAK-...',
    prices: { page: 'https://cloud.baidu.com/doc/qianfan/s/wmh4sv6ya' },
    docs: 'https://cloud.baidu.com/doc/WENXINWORKSHOP/s/2m3fihw8s',
    quirks: ['reasoning_content'],
  }),
  vendor({
    id: 'tencent',
    name: 'Tencent Hunyuan',
    type: 'tencent',
    baseUrl: 'https://api.hunyuan.cloud.tencent.com/v1',
    keyHint: 'sk-...',
    modelList: '',
    prices: { page: 'https://cloud.tencent.com/document/product/1729/97731' },
    docs: 'https://cloud.tencent.com/document/product/1729/111007',
    quirks: ['reasoning_content', 'no_model_list'],
  }),
  vendor({
    id: 'siliconflow',
    name: 'SiliconFlow',
    type: 'siliconflow',
    baseUrl: 'https://api.siliconflow.cn/v1',
    keyHint: 'sk-...',
    prices: { page: 'https://siliconflow.cn/pricing' },
    docs: 'https://docs.siliconflow.cn/cn/api-reference/chat-completions/chat-completions',
    quirks: ['reasoning_content'],
  }),
  vendor({
    id: 'stepfun',
    name: 'StepFun',
    type: 'openai',
    baseUrl: 'https://api.stepfun.com/v1',
    keyHint: '...',
    prices: { page: 'https://platform.stepfun.com/docs/pricing/details' },
    docs: 'https://platform.stepfun.com/docs/api-reference/chat/chat-completion-create',
  }),
  vendor({
    id: 'xai',
    name: 'xAI',
    type: 'xai',
    baseUrl: 'https://api.x.ai/v1',
    keyHint: 'xai-...',
    prices: { page: 'https://docs.x.ai/docs/models' },
    docs: 'https://docs.x.ai/docs/api-reference',
    quirks: ['reasoning_content'],
  }),
  vendor({
    id: 'mistral',
    name: 'Mistral AI',
    type: 'mistral',
    baseUrl: 'https://api.mistral.ai/v1',
    keyHint: '32 characters',
    prices: { page: 'https://mistral.ai/pricing' },
    docs: 'https://docs.mistral.ai/api',
    quirks: ['no_stream_options'],
  }),
  vendor({
    id: 'groq',
    name: 'Groq',
    type: 'groq',
    baseUrl: 'https://api.groq.com/openai/v1',
    keyHint: 'gsk_...',
    prices: { page: 'https://groq.com/pricing' },
    docs: 'https://console.groq.com/docs/openai',
    quirks: ['reasoning'],
  }),
  vendor({
    id: 'together',
    name: 'Together AI',
    type: 'together',
    baseUrl: 'https://api.together.xyz/v1',
    keyHint: '64 characters',
    prices: { format: 'generic_models' },
    docs: 'https://docs.together.ai/docs/openai-api-compatibility',
  }),
  vendor({
    id: 'fireworks',
    name: 'Fireworks AI',
    type: 'fireworks',
    baseUrl: 'https://api.fireworks.ai/inference/v1',
    keyHint: 'fw_...',
    prices: { page: 'https://fireworks.ai/pricing' },
    docs: 'https://docs.fireworks.ai/tools-sdks/openai-compatibility',
    quirks: ['reasoning_content'],
  }),
  vendor({
    id: 'openrouter',
    name: 'OpenRouter',
    type: 'openrouter',
    baseUrl: 'https://openrouter.ai/api/v1',
    keyHint: 'sk-or-v1-...',
    prices: { format: 'generic_models' },
    docs: 'https://openrouter.ai/docs/api-reference/overview',
    quirks: ['reasoning', 'reasoning_details'],
  }),
  vendor({
    id: 'perplexity',
    name: 'Perplexity',
    type: 'perplexity',
    baseUrl: 'https://api.perplexity.ai',
    keyHint: 'pplx-...',
    modelList: '',
    prices: { page: 'https://docs.perplexity.ai/getting-started/pricing' },
    docs: 'https://docs.perplexity.ai',
    quirks: ['path_as_is', 'no_model_list'],
  }),
  vendor({
    id: 'cohere',
    name: 'Cohere',
    type: 'cohere',
    baseUrl: 'https://api.cohere.ai/compatibility/v1',
    keyHint: '40 characters',
    modelList: 'https://api.cohere.com/v1/models',
    prices: { page: 'https://cohere.com/pricing' },
    docs: 'https://docs.cohere.com/docs/compatibility-api',
    quirks: ['no_stream_options'],
  }),
  vendor({
    id: 'cerebras',
    name: 'Cerebras',
    type: 'cerebras',
    baseUrl: 'https://api.cerebras.ai/v1',
    keyHint: 'csk-...',
    prices: { page: 'https://www.cerebras.ai/pricing' },
    docs: 'https://inference-docs.cerebras.ai/resources/openai',
    quirks: ['reasoning'],
  }),
  vendor({
    id: 'nvidia',
    name: 'NVIDIA NIM',
    type: 'nvidia',
    baseUrl: 'https://integrate.api.nvidia.com/v1',
    keyHint: 'nvapi-...',
    prices: { page: 'https://build.nvidia.com' },
    docs: 'https://docs.api.nvidia.com/nim/reference/llm-apis',
    quirks: ['reasoning_content'],
  }),
  vendor({
    id: 'github',
    name: 'GitHub Models',
    type: 'github',
    baseUrl: 'https://models.github.ai/inference',
    keyHint: 'github_pat_...',
    modelList: 'https://models.github.ai/catalog/models',
    prices: { page: 'https://docs.github.com/billing/concepts/product-billing/github-models' },
    docs: 'https://docs.github.com/rest/models/inference',
    quirks: ['path_as_is'],
  }),
  vendor({
    id: 'huggingface',
    name: 'Hugging Face',
    type: 'openai',
    baseUrl: 'https://router.huggingface.co/v1',
    keyHint: 'hf_...',
    prices: { page: 'https://huggingface.co/docs/inference-providers/pricing' },
    docs: 'https://huggingface.co/docs/inference-providers/index',
  }),
  vendor({
    id: 'deepinfra',
    name: 'DeepInfra',
    type: 'openai',
    baseUrl: 'https://api.deepinfra.com/v1/openai',
    keyHint: '32 characters',
    prices: { page: 'https://deepinfra.com/pricing' },
    docs: 'https://deepinfra.com/docs/openai_api',
    quirks: ['reasoning_content'],
  }),
  vendor({
    id: 'ollama',
    name: 'Ollama',
    type: 'ollama',
    baseUrl: 'http://127.0.0.1:11434/v1',
    keyHint: '',
    prices: { page: '' },
    docs: 'https://docs.ollama.com/api/openai-compatibility',
    quirks: ['reasoning'],
  }),
  vendor({
    id: 'vllm',
    name: 'vLLM',
    type: 'vllm',
    baseUrl: 'http://127.0.0.1:8000/v1',
    keyHint: '',
    prices: { page: '' },
    docs: 'https://docs.vllm.ai/en/latest/serving/openai_compatible_server.html',
    quirks: ['reasoning_content', 'reasoning'],
  }),
  vendor({
    id: 'lmstudio',
    name: 'LM Studio',
    type: 'lmstudio',
    baseUrl: 'http://127.0.0.1:1234/v1',
    keyHint: '',
    prices: { page: '' },
    docs: 'https://lmstudio.ai/docs/developer/openai-compat',
    quirks: ['usage_may_be_missing'],
  }),
  vendor({
    id: 'newapi',
    name: 'new-api',
    type: 'newapi',
    baseUrl: '',
    keyHint: 'sk-...',
    prices: { format: 'newapi_prices' },
    docs: 'https://docs.newapi.pro',
    quirks: ['usage_may_be_missing'],
  }),
  vendor({
    id: 'oneapi',
    name: 'one-api',
    type: 'oneapi',
    baseUrl: '',
    keyHint: 'sk-...',
    prices: { format: 'newapi_prices' },
    docs: 'https://github.com/songquanpeng/one-api',
    quirks: ['usage_may_be_missing'],
  }),
  vendor({
    id: 'tollgate',
    name: 'Another Tollgate',
    type: 'tollgate',
    baseUrl: '',
    keyHint: 'sk-...',
    prices: { format: 'newapi_prices' },
    docs: '',
  }),
  vendor({
    id: 'custom',
    name: 'Custom',
    type: 'openai',
    baseUrl: '',
    keyHint: 'sk-...',
    prices: { page: '' },
    docs: '',
    quirks: ['usage_may_be_missing'],
  }),
]

/** Hosts of the documented addresses; `{resource}.x` stands for every name below x, and one's own machine is nobody's. */
const byHost = vendors.flatMap((row) => {
  const host = /^https:\/\/([^/]+)/.exec(row.baseUrl)?.[1]
  return host === undefined
    ? []
    : [
        {
          pattern: new RegExp(
            `^${host
              .replace(/\{[^}]+\}/g, '_')
              .replaceAll('.', '\\.')
              .replaceAll('_', '[^.]+')}$`,
          ),
          row,
        },
      ]
})

/** Types that only one vendor has. */
const byType = new Map(
  [...Map.groupBy(vendors, ({ type }) => type)].flatMap(([type, rows]) => (rows.length === 1 && rows[0] ? [[type, rows[0]] as const] : [])),
)

/** Whose upstream a channel leads to: by the host, which cannot lie, else by its type; undefined when both leave it open. */
export function vendorOf(type: string, baseUrl: string): Vendor | undefined {
  const host = URL.canParse(baseUrl) ? new URL(baseUrl).hostname : ''
  const known = channelTypeOf(type)
  const found = byHost.filter(({ pattern }) => pattern.test(host)).map(({ row }) => row)
  return found.find((row) => row.type === known) ?? found[0] ?? (known && byType.get(known))
}
