import { isObject, type Json } from '../../../contract/json.ts'
import { formatMoney, money } from '../../../contract/money.ts'
import { keyFactsOf } from '../../features/api-keys/service.ts'
import { accountOf } from '../../features/billing/service.ts'
import type { RelayDeps } from '../deps.ts'
import type { Fact, Variable } from '../meta/variables.ts'
import type { Turn } from '../protocols/canonical.ts'
import { textOf } from './judge.ts'
import type { MetaCall } from './targets.ts'

/** What a program asks of a request and its caller, read once; the database only for balance, quota and the key's name. */
export async function readFacts(call: MetaCall, asked: readonly Variable[], deps: RelayDeps): Promise<(variable: Variable) => Fact> {
  const reader = new FactReader(call, deps)
  const facts = new Map<Variable, Fact>()
  for (const variable of asked) facts.set(variable, await reader.read(variable))
  return (variable) => facts.get(variable) ?? ''
}

/** Lists of messages stand under one of these names. */
const TURNS = ['messages', 'contents', 'input'] as const
const MINUTES_PER_HOUR = 60

class FactReader {
  readonly #call: MetaCall
  readonly #deps: RelayDeps
  #turn: Turn | undefined
  #key: ReturnType<typeof keyFactsOf> | undefined

  constructor(call: MetaCall, deps: RelayDeps) {
    this.#call = call
    this.#deps = deps
  }

  async read(variable: Variable): Promise<Fact> {
    const { body, peek, caller, ingress, facts } = this.#call
    const at = new Date(facts.createdAt)
    switch (variable) {
      case 'request.input_tokens':
        return this.#call.estimatedInput
      case 'request.max_output_tokens':
        return peek.maxOutputTokens ?? 0
      case 'request.total_estimated_tokens':
        return this.#call.estimatedInput + (peek.maxOutputTokens ?? 0)
      case 'request.message_count':
        return this.#messages()
      case 'request.has_image':
        return has(body, IMAGE)
      case 'request.has_audio':
        return has(body, AUDIO)
      case 'request.has_tools':
        return this.#turnOf().tools.length > 0
      case 'request.tool_count':
        return this.#turnOf().tools.length
      case 'request.stream':
        return peek.stream
      case 'request.temperature':
        return this.#turnOf().temperature ?? Number.NaN
      case 'request.protocol':
        return ingress.protocol.id
      case 'request.endpoint':
        return ingress.endpoint
      case 'request.text':
        return ingress.protocol.requestText(body)
      case 'request.last_user_message':
        return textOf(this.#turnOf().messages.findLast(({ role }) => role === 'user')?.content ?? [])
      case 'request.system':
        return textOf(this.#turnOf().system)
      case 'user.id':
        return caller.userId
      case 'user.balance':
        return numberOf((await accountOf(this.#deps, caller.userId)).balance)
      case 'user.group':
        return this.#groups()[0] ?? ''
      case 'user.groups':
        return this.#groups().join(',')
      case 'user.is_admin':
        return caller.role === 'admin' || caller.role === 'owner'
      case 'api_key.id':
        return caller.keyId ?? 0
      case 'api_key.name':
        return (await this.#keyFacts())?.name ?? ''
      case 'api_key.quota_limit':
        return numberOf(caller.quotaLimit)
      case 'api_key.quota_remaining': {
        const key = caller.quotaLimit === 0n ? undefined : await this.#keyFacts()
        return key ? numberOf(key.remaining) : Infinity
      }
      case 'api_key.unlimited':
        return caller.quotaLimit === 0n
      case 'channel.name':
        return ''
      case 'time.hour':
        return at.getUTCHours()
      case 'time.minute':
        return at.getUTCMinutes()
      case 'time.minute_of_day':
        return at.getUTCHours() * MINUTES_PER_HOUR + at.getUTCMinutes()
      case 'time.weekday':
        return at.getUTCDay() === 0 ? 7 : at.getUTCDay()
      case 'judge.output':
        return ''
    }
  }

  #turnOf(): Turn {
    const { ingress, body } = this.#call
    return (this.#turn ??= ingress.protocol.decodeRequest(body, ingress.path))
  }

  #keyFacts(): ReturnType<typeof keyFactsOf> {
    const { userId, keyId } = this.#call.caller
    return (this.#key ??= keyId === null ? Promise.resolve(undefined) : keyFactsOf(this.#deps, userId, keyId))
  }

  #messages(): number {
    const { body } = this.#call
    const list = TURNS.map((name) => body[name]).find((value) => value !== undefined)
    return Array.isArray(list) ? list.length : 1
  }

  /** Names of the caller's groups that are alive. */
  #groups(): string[] {
    const { caller, facts, snapshot } = this.#call
    return caller.groups.flatMap(({ groupId, expiresAt }) => {
      const group = expiresAt === null || expiresAt > facts.createdAt ? snapshot.groups.get(groupId) : undefined
      return group ? [group.name] : []
    })
  }
}

function numberOf(amount: bigint): number {
  return Number(formatMoney(money(amount)))
}

interface Media {
  names: ReadonlySet<string>
  kinds: ReadonlySet<string>
  mime: string
}
const IMAGE: Media = {
  names: new Set(['image', 'image_url', 'images', 'input_image']),
  kinds: new Set(['image', 'input_image', 'image_url']),
  mime: 'image/',
}
const AUDIO: Media = { names: new Set(['audio', 'input_audio', 'audio_url']), kinds: new Set(['audio', 'input_audio']), mime: 'audio/' }
/** Deeper than any message's parts; a body nested further is not searched there. */
const MAX_DEPTH = 12

/** Whether a body carries such media anywhere: as a member, a part's type, or inline data of that kind. Tool definitions are no content. */
function has(value: Json | undefined, media: Media, depth = 0): boolean {
  if (depth > MAX_DEPTH) return false
  if (Array.isArray(value)) return value.some((one) => has(one, media, depth + 1))
  if (!isObject(value)) return false
  for (const [name, member] of Object.entries(value)) {
    if (depth === 0 && (name === 'tools' || name === 'metadata')) continue
    if (media.names.has(name) && member !== null && member !== undefined) return true
    if (typeof member === 'string') {
      if (name === 'type' && media.kinds.has(member)) return true
      if ((name === 'mimeType' || name === 'mime_type' || name === 'media_type') && member.startsWith(media.mime)) return true
    } else if (has(member, media, depth + 1)) return true
  }
  return false
}
