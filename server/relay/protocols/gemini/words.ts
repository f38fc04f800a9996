import type { Loss, Turn } from '../canonical.ts'

/** What the parameters in a Loss are called where the turn came from; the encoder's own words are Chat Completions'. */
const words: { [protocol: string]: { [head: string]: string | undefined } | undefined } = {
  'openai-chat': { reasoning: 'reasoning_effort' },
  'openai-responses': { response_format: 'text.format', verbosity: 'text.verbosity' },
  claude: { reasoning: 'thinking', user: 'metadata.user_id', parallel_tool_calls: 'tool_choice.disable_parallel_tool_use' },
}

/** The losses in the words of the protocol the turn was spoken in, where it is known: a decoder leaves its id in `ext`. */
export function inSourceWords(losses: Loss[], turn: Turn): Loss[] {
  const source = Object.keys(words).find((id) => turn.ext?.[id] !== undefined)
  const table = source === undefined ? undefined : words[source]
  if (!table) return losses
  return losses.map((loss) => {
    const head = /^\w+/.exec(loss.path)?.[0] ?? ''
    const word = table[head]
    return word === undefined ? loss : { ...loss, path: word + loss.path.slice(head.length) }
  })
}
