import { isObject, type JsonObject } from '../../../../contract/json.ts'
import type { Tool } from '../canonical.ts'
import { readTools } from './tools.ts'
import { list, parseObject } from './wire.ts'

/** Members of a request that its response repeats (ResponseProperties of the API reference). `store` is not one: nothing is stored here. */
const REPEATED = [
  'instructions',
  'max_output_tokens',
  'max_tool_calls',
  'metadata',
  'parallel_tool_calls',
  'previous_response_id',
  'prompt_cache_key',
  'prompt_cache_retention',
  'reasoning',
  'safety_identifier',
  'temperature',
  'text',
  'tool_choice',
  'tools',
  'top_logprobs',
  'top_p',
  'truncation',
  'user',
] as const

/** What a response repeats of its request. */
export function repeated(request: JsonObject | undefined): JsonObject {
  const said: JsonObject = {}
  if (!request) return said
  for (const member of REPEATED) {
    const value = request[member]
    if (value !== undefined && value !== null) said[member] = value
  }
  return said
}

/**
 * Names of the free-form tools of a request. Upstreams that have none of those get a function whose one argument is the text, and their
 * calls must become `custom_tool_call` items again, or the client would not know its own tool.
 */
export function freeFormNames(request: JsonObject | undefined): ReadonlySet<string> {
  const names = new Set<string>()
  const gather = (tools: Tool[]) => {
    for (const tool of tools) if (tool.type === 'custom') names.add(tool.name)
  }
  if (!request) return names
  gather(readTools(request.tools))
  for (const item of list(request.input)) if (isObject(item) && item.type === 'additional_tools') gather(readTools(item.tools))
  return names
}

/** The text in the arguments of a free-form tool that was called as a function: `{"input": "..."}`; anything else as it is. */
export function freeText(input: string): string {
  const wrapped = parseObject(input)
  return typeof wrapped?.input === 'string' ? wrapped.input : input
}

const HEAD = /^\s*\{\s*"input"\s*:\s*"/
/** The head in its longest sensible writing; arguments that have gone on so far without it are something else. */
const MAX_HEAD = 40
const SPECIAL = /["\\]/g
const ESCAPES: Record<string, string> = { n: '\n', t: '\t', r: '\r', b: '\b', f: '\f' }

/** `freeText` for arguments that come in pieces. */
export class FreeText {
  private held = ''
  private state: 'head' | 'words' | 'plain' | 'over' = 'head'

  /** The text that is sure by now. */
  push(piece: string): string {
    if (this.state === 'plain') return piece
    if (this.state === 'over') return ''
    this.held += piece
    if (this.state === 'head') {
      const head = HEAD.exec(this.held)
      if (!head) return this.held.length > MAX_HEAD ? this.giveUp() : ''
      this.held = this.held.slice(head[0].length)
      this.state = 'words'
    }
    return this.words()
  }

  /** What was still held when the arguments ended. */
  end(): string {
    const { held, state } = this
    this.state = 'over'
    this.held = ''
    return state === 'head' ? freeText(held) : ''
  }

  private giveUp(): string {
    const { held } = this
    this.held = ''
    this.state = 'plain'
    return held
  }

  /** Reads the JSON string as far as it came; an escape that is not whole waits for its rest. */
  private words(): string {
    const { held } = this
    let said = ''
    let from = 0
    SPECIAL.lastIndex = 0
    for (let found = SPECIAL.exec(held); found; found = SPECIAL.exec(held)) {
      const stop = found.index
      said += held.slice(from, stop)
      if (held[stop] === '"') {
        this.state = 'over'
        this.held = ''
        return said
      }
      const kind = held[stop + 1]
      if (kind === undefined || (kind === 'u' && held.length < stop + 6)) {
        this.held = held.slice(stop)
        return said
      }
      if (kind === 'u') said += String.fromCharCode(Number.parseInt(held.slice(stop + 2, stop + 6), 16) || 0)
      else said += ESCAPES[kind] ?? kind
      from = stop + (kind === 'u' ? 6 : 2)
      SPECIAL.lastIndex = from
    }
    this.held = ''
    return said + held.slice(from)
  }
}
