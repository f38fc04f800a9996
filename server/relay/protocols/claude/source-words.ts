import type { Loss, Turn } from '../canonical.ts'

/**
 * What a lost parameter is called where the turn came from; the encoder's own words are Chat Completions'. A decoder leaves its
 * protocol's id in `ext` of every turn.
 */
const WORDS: Record<string, Record<string, string>> = {
  'openai-chat': { reasoning: 'reasoning_effort' },
  'openai-responses': { response_format: 'text.format', verbosity: 'text.verbosity' },
  gemini: {
    system: 'systemInstruction.parts',
    reasoning: 'generationConfig.thinkingConfig',
    response_format: 'generationConfig.responseSchema',
    temperature: 'generationConfig.temperature',
    top_p: 'generationConfig.topP',
    top_k: 'generationConfig.topK',
    stop: 'generationConfig.stopSequences',
    seed: 'generationConfig.seed',
    n: 'generationConfig.candidateCount',
    presence_penalty: 'generationConfig.presencePenalty',
    frequency_penalty: 'generationConfig.frequencyPenalty',
    logprobs: 'generationConfig.responseLogprobs',
    top_logprobs: 'generationConfig.logprobs',
    modalities: 'generationConfig.responseModalities',
  },
}

/** The losses with their paths in the words of the protocol the turn was spoken in, where it is known. */
export function inSourceWords(losses: Loss[], turn: Turn): Loss[] {
  const source = Object.keys(WORDS).find((id) => turn.ext?.[id] !== undefined)
  const words = source === undefined ? undefined : WORDS[source]
  if (!words) return losses
  return losses.map((loss) => ({ ...loss, path: rename(loss.path, words, source === 'gemini') }))
}

function rename(path: string, words: Record<string, string>, gemini: boolean): string {
  const head = /^\w+/.exec(path)?.[0] ?? ''
  const word = words[head]
  if (word !== undefined) return head === 'reasoning' ? word : word + path.slice(head.length)
  return gemini ? path.replace(/^messages(\[\d+\])/, 'contents$1').replace('].content[', '].parts[') : path
}
