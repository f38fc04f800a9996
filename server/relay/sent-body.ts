import type { Candidate } from '../features/catalog/snapshot.ts'
import type { AdmittedCall } from './call.ts'
import type { RelayDeps } from './deps.ts'
import { suitedBody } from './endpoint.ts'
import { inlineMedia, inlineOwnMedia } from './inline-media.ts'
import type { Loss } from './protocols/canonical.ts'
import { inClientWords } from './protocols/places.ts'
import type { Protocol } from './protocols/protocol.ts'

/** What an upstream is sent, and what of the client's body it is not. */
export interface SentBody {
  body: Uint8Array | string
  losses: readonly Loss[]
}

/** The same-protocol road: the client's own bytes when nothing has to change, patched otherwise. */
export function ownBody(call: AdmittedCall, candidate: Candidate, body = call.body): SentBody {
  const losses: Loss[] = [...call.losses]
  const edit = { model: candidate.upstreamModel, stream: call.peek.stream, losses }
  const patched = suitedBody(call.ingress.protocol.patch(body, edit), candidate.channel, call.forwardHeaders['anthropic-beta'])
  return { body: patched === call.body && call.bytes ? call.bytes : JSON.stringify(patched), losses }
}

/** Whether a channel's vendor takes pictures and documents only as they stand in the request, where others of its protocol fetch them. */
export function refusesUrls({ channel }: Candidate): boolean {
  return channel.vendor?.quirks.includes('no_media_urls') === true
}

/**
 * The same-protocol road to a vendor that takes no addresses.
 * @throws AppError media_unavailable when a file cannot be had
 */
export async function ownBodyWithMedia(call: AdmittedCall, candidate: Candidate, deps: RelayDeps): Promise<SentBody> {
  return ownBody(call, candidate, await inlineOwnMedia(call.body, call.ingress.protocol, call, deps))
}

/** No model behind `no_media_urls` hears or watches: such a file is a loss and is not fetched for it. */
const UNHEARD = /^(audio|video)\//

/**
 * The translated road.
 * @throws AppError media_unavailable when a file that the upstream would not fetch itself cannot be had
 */
export async function translatedBody(call: AdmittedCall, candidate: Candidate, upstream: Protocol, deps: RelayDeps): Promise<SentBody> {
  const { protocol } = call.ingress
  const turn = protocol.decodeRequest(call.body, call.ingress.path)
  const refuses = refusesUrls(candidate)
  await inlineMedia(
    turn,
    (media) => upstream.takesUrl(media, candidate.upstreamModel) && (!refuses || UNHEARD.test(media.mediaType)),
    call,
    deps,
  )
  const { body, losses } = upstream.encodeRequest({ ...turn, model: candidate.upstreamModel, stream: call.peek.stream })
  const patched = suitedBody(upstream.patch(body, { model: candidate.upstreamModel, stream: call.peek.stream }), candidate.channel)
  return { body: JSON.stringify(patched), losses: [...call.losses, ...inClientWords(losses, turn, protocol.words)] }
}
