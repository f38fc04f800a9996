import { hash } from 'node:crypto'
import { isObject, type Json, type JsonObject } from '../../../contract/json.ts'
import type { AdmittedCall } from '../call.ts'

/** Headers by which agents name a conversation: Codex, opencode and pi send one of them with each request of it. */
const SESSION_HEADERS = ['session-id', 'session_id', 'x-session-id', 'thread-id', 'conversation-id', 'conversation_id'] as const
/** Longest name of a conversation; UUIDs have 36 characters. */
const MAX_NAME_CHARS = 200
/** Upstreams cache prompts from here on (OpenAI, Claude and Gemini: 1,024 tokens); shorter ones gain nothing from going to the same place. */
const CACHED_FROM_TOKENS = 1_024
/** What is read of a text to know it again; its length is looked at too. */
const SAMPLE_CHARS = 2_048

/** The name by which a client tells a conversation of its own, from its headers; "" when it sends none. */
export function sessionOf(headers: Headers): string {
  for (const name of SESSION_HEADERS) {
    const value = headers.get(name)
    if (value) return value.slice(0, MAX_NAME_CHARS)
  }
  return ''
}

/**
 * Which conversation a call belongs to: what the client says (`prompt_cache_key`, a session header, Claude Code's
 * `metadata.user_id`), else, for a talk that goes on and is long enough to be cached, its beginning: system text and first
 * message of the user. Undefined: routing it freely costs nothing.
 */
export function conversationOf(call: AdmittedCall): string | undefined {
  const { body } = call
  const named = nameIn(body) || call.session
  const name = named === '' ? beginningOf(call) : named
  return name === undefined ? undefined : `${call.facts.userId}\n${call.model.name}\n${name}`
}

function nameIn(body: JsonObject): string {
  const { prompt_cache_key: key, metadata } = body
  if (typeof key === 'string' && key !== '') return key.slice(0, MAX_NAME_CHARS)
  const user = isObject(metadata) ? metadata.user_id : undefined
  // Claude Code: `user_<hash>_account_<id>_session_<uuid>`.
  return typeof user === 'string' && user.includes('session') ? user.slice(-MAX_NAME_CHARS) : ''
}

/** Turns of each protocol stand under one of these names. */
const TURNS = ['messages', 'input', 'contents'] as const

function beginningOf({ body, estimatedInput }: AdmittedCall): string | undefined {
  if (estimatedInput < CACHED_FROM_TOKENS) return undefined
  for (const name of TURNS) {
    const turns = body[name]
    if (!Array.isArray(turns)) continue
    const first = turns.findIndex((turn) => isObject(turn) && turn.role === 'user')
    // The first request of a talk has no cache to hit yet.
    if (first < 0 || !turns.slice(first + 1).some(isReply)) return undefined
    const sample: string[] = []
    for (const system of [body.system, body.instructions, body.systemInstruction, body.system_instruction]) collect(system, sample)
    for (const turn of turns.slice(0, first + 1)) collect(turn, sample)
    return hash('sha1', sample.join('\n'), 'base64url')
  }
  return undefined
}

function isReply(turn: Json): boolean {
  return (
    isObject(turn) && (turn.role === 'assistant' || turn.role === 'model' || turn.type === 'function_call' || turn.type === 'reasoning')
  )
}

/** Samples of the texts in a value: bounded work, however long they are. */
function collect(value: Json | undefined, sample: string[]): void {
  if (sample.length >= 16) return
  if (typeof value === 'string') sample.push(`${value.length}:${value.slice(0, SAMPLE_CHARS)}`)
  else if (Array.isArray(value)) for (const one of value) collect(one, sample)
  else if (isObject(value)) for (const name of ['content', 'parts', 'text']) collect(value[name], sample)
}

/** Where a conversation was served last. */
export interface Place {
  channelModelId: number
  keyIndex: number
  atMs: number
}

/** Upstreams keep a prompt for five minutes to an hour. */
const LIFETIME_MS = 3_600_000
/** Conversations remembered; some hundred bytes each. */
const MAX_PLACES = 20_000

/** Which channel and key served each conversation: the least recently used are forgotten first. */
export class Affinity {
  readonly #places = new Map<string, Place>()

  get size(): number {
    return this.#places.size
  }

  find(conversation: string, nowMs: number): Place | undefined {
    const place = this.#places.get(conversation)
    if (!place) return undefined
    if (nowMs - place.atMs < LIFETIME_MS) return place
    this.#places.delete(conversation)
    return undefined
  }

  served(conversation: string, channelModelId: number, keyIndex: number, nowMs: number): void {
    this.#places.delete(conversation)
    this.#places.set(conversation, { channelModelId, keyIndex, atMs: nowMs })
    if (this.#places.size <= MAX_PLACES) return
    const oldest = this.#places.keys().next()
    if (!oldest.done) this.#places.delete(oldest.value)
  }
}
