import { hash } from 'node:crypto'
import type { RelayDeps } from '../deps.ts'
import type { Judgement } from '../meta/evaluate.ts'
import type { Block, Turn } from '../protocols/canonical.ts'
import { sse, type Ingress } from '../ingress.ts'
import { protocols } from '../protocols/index.ts'
import { privateReason } from '../customer-words.ts'
import { judgeCost } from './ceiling.ts'
import { callInside, within } from './inner.ts'
import { JUDGE_CHARS, JUDGE_OUTPUT, JUDGEMENT_LIFETIME_MS, MAX_JUDGE_MS, MAX_JUDGEMENTS } from './limits.ts'
import type { MetaCall } from './targets.ts'

/** What classifiers said of conversations; the least recently used are forgotten first. */
export class Judgements {
  readonly #said = new Map<string, { output: string; untilMs: number }>()

  find(key: string, nowMs: number): string | undefined {
    const found = this.#said.get(key)
    if (!found) return undefined
    this.#said.delete(key)
    if (found.untilMs <= nowMs) return undefined
    this.#said.set(key, found)
    return found.output
  }

  keep(key: string, output: string, nowMs: number): void {
    this.#said.set(key, { output, untilMs: nowMs + JUDGEMENT_LIFETIME_MS })
    if (this.#said.size <= MAX_JUDGEMENTS) return
    const oldest = this.#said.keys().next()
    if (!oldest.done) this.#said.delete(oldest.value)
  }
}

const INGRESS: Ingress = { protocol: protocols['openai-chat'], endpoint: 'chat.completions', path: {}, framer: sse }

/**
 * Asks a program's classifier about a conversation, once for each conversation of a user. One that fails or is late says "":
 * the route's `otherwise` decides.
 */
export async function judged(call: MetaCall, judgement: Judgement, deps: RelayDeps): Promise<string> {
  const turn = call.ingress.protocol.decodeRequest(call.body, call.ingress.path)
  const key = keyOf(call, judgement, turn)
  const known = deps.judgements.find(key, deps.clock.monotonic())
  if (known !== undefined) return known
  const asked = ask(call, judgement, turn, deps)
    .then((output) => {
      deps.judgements.keep(key, output, deps.clock.monotonic())
      return output
    })
    .catch((error: unknown) => {
      deps.log.warn('a judge gave no answer', { request_id: call.requestId, model: judgement.model, cause: privateReason(error) })
      return ''
    })
  return (await within(asked, Math.min(call.meta.options.timeoutMs, MAX_JUDGE_MS))) ?? ''
}

async function ask(call: MetaCall, { model, prompt, labels }: Judgement, turn: Turn, deps: RelayDeps): Promise<string> {
  const { protocol } = INGRESS
  const choice = labels.length > 0 ? `\nAnswer with exactly one of these and nothing else: ${labels.join(', ')}` : ''
  const conversation = turn.messages
    .map(({ role, content }) => `${role}: ${textOf(content)}`)
    .join('\n\n')
    .slice(-JUDGE_CHARS)
  const { body } = protocol.encodeRequest({
    model,
    stream: false,
    system: [{ type: 'text', text: `${prompt ?? 'Classify the conversation.'}${choice}` }],
    messages: [{ role: 'user', content: [{ type: 'text', text: `<conversation>\n${conversation}\n</conversation>` }] }],
    tools: [],
    maxOutputTokens: JUDGE_OUTPUT,
  })
  const answer = await callInside(
    call,
    {
      role: 'judge',
      model,
      ingress: INGRESS,
      body,
      maxOutputTokens: JUDGE_OUTPUT,
      estimatedInput: deps.estimator.estimate(call.meta.name, protocol.requestText(body)),
      hold: judgeCost(call, model, deps),
    },
    deps,
  )
  return plain(protocol.answerText(answer))
}

/** Models like to dress a word up: quotes, stars and a full stop around it are not meant. */
function plain(text: string): string {
  return text.trim().replace(/^["'`*]+|["'`*.]+$/g, '')
}

/** A conversation is known by its beginning: system text and the user's first message. */
function keyOf(call: MetaCall, { index }: Judgement, turn: Turn): string {
  const first = turn.messages.find(({ role }) => role === 'user')
  const beginning = JSON.stringify([textOf(turn.system), textOf(first?.content ?? []), call.session])
  return hash('sha256', `${call.facts.userId}\n${call.meta.id}\n${call.meta.programHash}\n${index}\n${beginning}`, 'base64url')
}

/** The text of blocks; of a tool's result too. */
export function textOf(blocks: readonly Block[]): string {
  return blocks
    .map((block) => (block.type === 'text' ? block.text : block.type === 'result' ? textOf(block.content) : ''))
    .filter((text) => text !== '')
    .join('\n')
}
