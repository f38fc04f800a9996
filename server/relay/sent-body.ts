import type { Candidate } from '../features/catalog/snapshot.ts'
import type { AdmittedCall } from './call.ts'
import type { RelayDeps } from './deps.ts'
import { suitedBody } from './endpoint.ts'
import { inlineMedia } from './inline-media.ts'
import type { Loss } from './protocols/canonical.ts'
import { inClientWords } from './protocols/places.ts'
import type { Protocol } from './protocols/protocol.ts'

/** What an upstream is sent, and what of the client's body it is not. */
export interface SentBody {
  body: Uint8Array | string
  losses: readonly Loss[]
}

/** The same-protocol road: the client's own bytes when nothing has to change, patched otherwise. */
export function ownBody(call: AdmittedCall, candidate: Candidate): SentBody {
  const losses: Loss[] = [...call.losses]
  const edit = { model: candidate.upstreamModel, stream: call.peek.stream, losses }
  const patched = suitedBody(call.ingress.protocol.patch(call.body, edit), candidate.channel, call.forwardHeaders['anthropic-beta'])
  return { body: patched === call.body && call.bytes ? call.bytes : JSON.stringify(patched), losses }
}

/**
 * The translated road.
 * @throws AppError media_unavailable when a file that the upstream would not fetch itself cannot be had
 */
export async function translatedBody(call: AdmittedCall, candidate: Candidate, upstream: Protocol, deps: RelayDeps): Promise<SentBody> {
  const { protocol } = call.ingress
  const turn = protocol.decodeRequest(call.body, call.ingress.path)
  await inlineMedia(turn, candidate.upstreamModel, upstream, call, deps)
  const { body, losses } = upstream.encodeRequest({ ...turn, model: candidate.upstreamModel, stream: call.peek.stream })
  const patched = suitedBody(upstream.patch(body, { model: candidate.upstreamModel, stream: call.peek.stream }), candidate.channel)
  return { body: JSON.stringify(patched), losses: [...call.losses, ...inClientWords(losses, turn, protocol.words)] }
}
