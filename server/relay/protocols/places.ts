import type { Block, Loss, Turn } from './canonical.ts'

/**
 * How a protocol calls what the canonical turn calls by Chat Completions' names. Encoders write the paths of their losses in
 * canonical names and indexes of the turn; the client reads them in the words of the body it sent.
 */
export interface ClientWords {
  /** Canonical name of a parameter, or of a member of one (`reasoning.effort`), -> the client's path. */
  parameters: Readonly<Record<string, string>>
  /** What the list of messages is called. */
  messages: string
  /** What the list of a message's blocks is called. */
  content: string
  /** What the content of a tool's result is called. */
  result: string
  /** `<kind of block>.<member>`, `message.<member>` or `tool.<member>` -> the client's member. */
  members: Readonly<Record<string, string>>
}

/**
 * Where things of a turn stood in the client's body, where the index in the turn does not say it: items that became one message,
 * messages that became the system prompt, calls beside a content. Weak: a place lives as long as its block.
 */
const places = new WeakMap<object, string>()

/** Notes where `thing` stood, in the client's own words (`input[3]`), and gives it back. */
export function place<T extends object>(thing: T, path: string): T {
  places.set(thing, path)
  return thing
}

/** Where `thing` stood, if that was noted. */
export function placeOf(thing: object): string | undefined {
  return places.get(thing)
}

/** The losses of a request with their paths in the client's own words: `messages[2].content[0].detail` -> `input[5].content[0].detail`. */
export function inClientWords(losses: readonly Loss[], turn: Turn, words: ClientWords): Loss[] {
  return losses.map((loss) => ({ ...loss, path: clientPath(loss.path, turn, words) }))
}

function clientPath(path: string, turn: Turn, words: ClientWords): string {
  const [, list, index, rest = ''] = /^(messages|system|tools)\[(\d+)\](.*)$/.exec(path) ?? []
  if (list === undefined) return parameterPath(path, words)
  const at = Number(index)
  if (list === 'tools') return member((turn.tools[at] && places.get(turn.tools[at])) ?? `tools[${at}]`, 'tool', rest, words)
  if (list === 'system') {
    const block = turn.system[at]
    const stood = (block && places.get(block)) ?? `${words.parameters.system ?? 'system'}[${at}]`
    return block ? member(stood, block.type, rest, words) : stood + rest
  }
  const message = turn.messages[at]
  const stood = (message && places.get(message)) ?? `${words.messages}[${at}]`
  const [, inner, after = ''] = /^\.content\[(\d+)\](.*)$/.exec(rest) ?? []
  if (inner === undefined) return member(stood, 'message', rest, words)
  return blockPath(message?.content[Number(inner)], `${stood}.${words.content}[${inner}]`, after, words)
}

function blockPath(block: Block | undefined, fallback: string, rest: string, words: ClientWords): string {
  if (!block) return fallback + rest
  const stood = places.get(block) ?? fallback
  const [, inner, after = ''] = /^\.content\[(\d+)\](.*)$/.exec(rest) ?? []
  if (inner === undefined || block.type !== 'result') return member(stood, block.type, rest, words)
  return blockPath(block.content[Number(inner)], `${stood}.${words.result}[${inner}]`, after, words)
}

/** `.detail` behind a picture is `.image_url.detail` in Chat; what stands behind the member stays. */
function member(stood: string, kind: string, rest: string, words: ClientWords): string {
  const [, name = '', after = ''] = /^\.(\w+)(.*)$/.exec(rest) ?? []
  const word = words.members[`${kind}.${name}`]
  return word === undefined ? stood + rest : `${stood}.${word}${after}`
}

/** The longest name that is known goes first: `reasoning.effort` before `reasoning`. */
function parameterPath(path: string, words: ClientWords): string {
  for (let end = path.length; end > 0; end = path.lastIndexOf('.', end - 1)) {
    const word = words.parameters[path.slice(0, end)]
    if (word !== undefined) return word + path.slice(end)
  }
  return path
}
