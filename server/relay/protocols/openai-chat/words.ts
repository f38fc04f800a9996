import type { Loss, Turn } from '../canonical.ts'

const GEMINI = 'generationConfig'
/** What the parameters in a Loss are called where the turn came from; the encoder's own words are Chat Completions'. */
const WORDS: { [protocol: string]: { [head: string]: string | undefined } | undefined } = {
  claude: { reasoning: 'thinking', stop: 'stop_sequences', user: 'metadata.user_id', response_format: 'output_config.format' },
  'openai-responses': { messages: 'input', system: 'instructions', response_format: 'text.format', verbosity: 'text.verbosity' },
  gemini: {
    messages: 'contents',
    system: 'systemInstruction',
    reasoning: `${GEMINI}.thinkingConfig`,
    stop: `${GEMINI}.stopSequences`,
    top_k: `${GEMINI}.topK`,
    response_format: `${GEMINI}.responseSchema`,
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
