import type { Loss, Turn } from '../canonical.ts'

const GEMINI = 'generationConfig'
/** What the parameters in a Loss are called where the turn came from; the encoder's own words are Chat Completions'. */
const WORDS: { [protocol: string]: { [head: string]: string | undefined } | undefined } = {
  'openai-chat': { reasoning: 'reasoning_effort' },
  claude: { reasoning: 'thinking', stop: 'stop_sequences', user: 'metadata.user_id', response_format: 'output_config.format' },
  gemini: {
    messages: 'contents',
    system: 'systemInstruction.parts',
    reasoning: `${GEMINI}.thinkingConfig`,
    stop: `${GEMINI}.stopSequences`,
    max_tokens: `${GEMINI}.maxOutputTokens`,
    temperature: `${GEMINI}.temperature`,
    top_p: `${GEMINI}.topP`,
    top_k: `${GEMINI}.topK`,
    seed: `${GEMINI}.seed`,
    n: `${GEMINI}.candidateCount`,
    presence_penalty: `${GEMINI}.presencePenalty`,
    frequency_penalty: `${GEMINI}.frequencyPenalty`,
    modalities: `${GEMINI}.responseModalities`,
  },
}

/** The losses in the words of the protocol the turn was spoken in, where it is known: a decoder leaves its id in `ext`. */
export function inSourceWords(losses: Loss[], turn: Turn): Loss[] {
  const source = Object.keys(WORDS).find((id) => turn.ext?.[id] !== undefined)
  const table = source === undefined ? undefined : WORDS[source]
  if (!table) return losses
  return losses.map((loss) => {
    const head = /^\w+/.exec(loss.path)?.[0] ?? ''
    const word = table[head]
    const path = word === undefined ? loss.path : word + loss.path.slice(head.length)
    return { ...loss, path: source === 'gemini' ? path.replace('].content[', '].parts[') : path }
  })
}
