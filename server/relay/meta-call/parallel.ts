import type { JsonObject } from '../../../contract/json.ts'
import { privateReason } from '../customer-words.ts'
import type { RelayDeps } from '../deps.ts'
import type { Turn } from '../protocols/canonical.ts'
import { answerCost } from './ceiling.ts'
import { callInside, within } from './inner.ts'
import { MAX_DRAFT_CHARS } from './limits.ts'
import { outputOf, type MetaCall } from './targets.ts'

interface Draft {
  model: string
  text: string
}

/**
 * Has the candidates draft an answer side by side, each with the customer's own request. Those that fail or are late are left out;
 * what they cost is in their rows.
 */
export async function draft(call: MetaCall, models: readonly string[], deps: RelayDeps): Promise<string[]> {
  const turn = requestOf(call)
  const drafts = models.map((model) =>
    within(draftBy(call, model, turn, deps), call.meta.options.timeoutMs).catch((error: unknown) => {
      deps.log.warn('a candidate gave no answer', { request_id: call.requestId, model, cause: privateReason(error) })
      return undefined
    }),
  )
  return (await Promise.all(drafts)).flatMap((found) => (found && found.text.trim() !== '' ? [found.text] : []))
}

async function draftBy(call: MetaCall, model: string, turn: Turn, deps: RelayDeps): Promise<Draft> {
  const { ingress } = call
  const { body } = ingress.protocol.encodeRequest({ ...turn, store: false, n: 1 })
  const target = call.meta.targets.get(model)
  const answer = await callInside(
    call,
    {
      role: 'candidate',
      model,
      ingress: { ...ingress, path: wholePath(call) },
      body,
      maxOutputTokens: target && outputOf(call, target),
      estimatedInput: call.estimatedInput,
      hold: answerCost(call, model, call.estimatedInput, deps),
    },
    deps,
  )
  return { model, text: ingress.protocol.answerText(answer).slice(0, MAX_DRAFT_CHARS) }
}

/** The request for a whole answer. */
function requestOf({ ingress, body }: MetaCall): Turn {
  return { ...ingress.protocol.decodeRequest(body, ingress.path), stream: false }
}

/** Gemini says in its address whether an answer is streamed. */
function wholePath({ ingress: { path } }: MetaCall) {
  return path.action === undefined ? path : { ...path, action: 'generateContent' }
}

const TASK =
  'Several assistants have drafted an answer to the conversation above. Weigh the drafts, keep what is right, correct what is wrong, and write the one best answer, in the language and form that was asked for. Do not mention the drafts.'

/** The customer's request with the drafts behind it, for the model that writes the answer; without drafts it is his own. */
export function withDrafts(call: MetaCall, drafts: readonly string[]): { body: JsonObject; losses: MetaCall['losses'] } {
  if (drafts.length === 0) return call
  const { ingress, peek } = call
  const turn = ingress.protocol.decodeRequest(call.body, ingress.path)
  const text = [TASK, ...drafts.map((found, index) => `<draft number="${index + 1}">\n${found}\n</draft>`)].join('\n\n')
  const { body, losses } = ingress.protocol.encodeRequest({
    ...turn,
    stream: peek.stream,
    messages: [...turn.messages, { role: 'user', content: [{ type: 'text', text }] }],
  })
  return { body, losses: [...call.losses, ...losses] }
}
