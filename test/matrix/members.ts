import type { Json, JsonObject } from '../../contract/json.ts'
import type { Wire } from '../upstream/script.ts'

/** Something a client can ask beside its talk, in each protocol's own words; a protocol without it has no word for it. */
export interface Member {
  readonly title: string
  /** What a client's body has more; nothing where its protocol cannot ask for it. */
  readonly asks: Partial<Record<Wire, JsonObject>>
  /** Where the upstream finds it, and as what; nothing where it is a Loss. */
  readonly arrives: Partial<Record<Wire, Readonly<Record<string, Json>>>>
}

const WAV = 'UklGRiQAAABXQVZF'
const URL = 'https://example.com/a.png'
const MARK: JsonObject = { cache_control: { type: 'ephemeral' } }
const config = (members: JsonObject): JsonObject => ({ generationConfig: members })
const chat = (...content: JsonObject[]): JsonObject => ({ messages: [{ role: 'user', content }] })
const input = (...content: JsonObject[]): JsonObject => ({ input: [{ role: 'user', content }] })
const contents = (...parts: JsonObject[]): JsonObject => ({ contents: [{ role: 'user', parts }] })

export const members: readonly Member[] = [
  {
    title: 'seed',
    asks: { chat: { seed: 7 }, gemini: config({ seed: 7 }) },
    arrives: { chat: { seed: 7 }, gemini: { 'generationConfig.seed': 7 } },
  },
  {
    title: 'the end user',
    asks: { chat: { user: 'u1' }, responses: { user: 'u1' }, claude: { metadata: { user_id: 'u1' } } },
    arrives: { chat: { user: 'u1' }, responses: { user: 'u1' }, claude: { 'metadata.user_id': 'u1' } },
  },
  {
    title: 'the cache key',
    asks: { chat: { prompt_cache_key: 'k' }, responses: { prompt_cache_key: 'k' } },
    arrives: { chat: { prompt_cache_key: 'k' }, responses: { prompt_cache_key: 'k' } },
  },
  {
    title: 'the flex tier',
    asks: { chat: { service_tier: 'flex' }, responses: { service_tier: 'flex' }, gemini: { serviceTier: 'flex' } },
    arrives: { chat: { service_tier: 'flex' }, responses: { service_tier: 'flex' }, gemini: { serviceTier: 'flex' } },
  },
  {
    title: 'two alternatives',
    asks: { chat: { n: 2 }, gemini: config({ candidateCount: 2 }) },
    arrives: { chat: { n: 2 }, gemini: { 'generationConfig.candidateCount': 2 } },
  },
  {
    title: 'log probabilities',
    asks: {
      chat: { logprobs: true, top_logprobs: 2 },
      responses: { include: ['message.output_text.logprobs'], top_logprobs: 2 },
      gemini: config({ responseLogprobs: true, logprobs: 2 }),
    },
    arrives: {
      chat: { logprobs: true, top_logprobs: 2 },
      responses: { top_logprobs: 2 },
      gemini: { 'generationConfig.responseLogprobs': true, 'generationConfig.logprobs': 2 },
    },
  },
  {
    title: 'penalties',
    asks: {
      chat: { presence_penalty: 0.5, frequency_penalty: 0.25 },
      gemini: config({ presencePenalty: 0.5, frequencyPenalty: 0.25 }),
    },
    arrives: {
      chat: { presence_penalty: 0.5, frequency_penalty: 0.25 },
      gemini: { 'generationConfig.presencePenalty': 0.5, 'generationConfig.frequencyPenalty': 0.25 },
    },
  },
  {
    title: 'top_k',
    asks: { claude: { top_k: 40 }, gemini: config({ topK: 40 }) },
    arrives: { claude: { top_k: 40 }, gemini: { 'generationConfig.topK': 40 } },
  },
  {
    title: 'stop sequences',
    asks: { chat: { stop: ['END'] }, claude: { stop_sequences: ['END'] }, gemini: config({ stopSequences: ['END'] }) },
    arrives: { chat: { stop: ['END'] }, claude: { stop_sequences: ['END'] }, gemini: { 'generationConfig.stopSequences': ['END'] } },
  },
  {
    title: 'sound',
    asks: {
      chat: chat({ type: 'text', text: 'Hear.' }, { type: 'input_audio', input_audio: { data: WAV, format: 'wav' } }),
      responses: input({ type: 'input_text', text: 'Hear.' }, { type: 'input_audio', input_audio: { data: WAV, format: 'wav' } }),
      gemini: contents({ text: 'Hear.' }, { inlineData: { mimeType: 'audio/wav', data: WAV } }),
    },
    arrives: {
      chat: { 'messages.0.content.1.input_audio': { data: WAV, format: 'wav' } },
      responses: { 'input.0.content.1.input_audio': { data: WAV, format: 'wav' } },
      gemini: { 'contents.0.parts.1.inlineData': { mimeType: 'audio/wav', data: WAV } },
    },
  },
  {
    title: 'a picture by its address',
    asks: {
      chat: chat({ type: 'text', text: 'See.' }, { type: 'image_url', image_url: { url: URL } }),
      responses: input({ type: 'input_text', text: 'See.' }, { type: 'input_image', image_url: URL }),
      claude: {
        messages: [
          {
            role: 'user',
            content: [
              { type: 'text', text: 'See.' },
              { type: 'image', source: { type: 'url', url: URL } },
            ],
          },
        ],
      },
    },
    arrives: {
      chat: { 'messages.0.content.1.image_url.url': URL },
      responses: { 'input.0.content.1.image_url': URL },
      claude: { 'messages.0.content.1.source': { type: 'url', url: URL } },
      gemini: { 'contents.0.parts.1.fileData.fileUri': URL },
    },
  },
  {
    title: 'a cache mark',
    asks: {
      chat: chat({ type: 'text', text: 'Long.', ...MARK }),
      claude: { messages: [{ role: 'user', content: [{ type: 'text', text: 'Long.', ...MARK }] }] },
    },
    // Claude's is kept on its own road; what Chat vendors make of it differs, and most refuse what they do not know.
    arrives: {
      claude: { 'messages.0.content.0.cache_control': { type: 'ephemeral' } },
    },
  },
  {
    title: "a maker's own search",
    asks: {
      responses: { tools: [{ type: 'web_search', search_context_size: 'low' }] },
      claude: { tools: [{ type: 'web_search_20250305', name: 'web_search', max_uses: 2 }] },
      gemini: { tools: [{ googleSearch: {} }] },
    },
    arrives: {},
  },
]
