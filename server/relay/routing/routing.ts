import type { RoutingAlgorithm } from '../../../contract/api/user-channel-fields.ts'
import type { UpstreamProtocol } from '../../../contract/channel-types.ts'
import { totalInput, totalOutput, type Usage } from '../../../contract/meters.ts'
import { recordAutoDisabled, recordClosed, recordFailures, recordReturn } from '../../features/channels/health.ts'
import type { Catalog } from '../../features/catalog/service.ts'
import type { Candidate, CatalogModel } from '../../features/catalog/snapshot.ts'
import type { Deps } from '../../http/deps.ts'
import { describeError } from '../../lib/log.ts'
import type { AdmittedCall } from '../call.ts'
import { Affinity } from './affinity.ts'
import { Health, type Pass } from './health.ts'
import { RouteList } from './route-list.ts'

/** How a call that was let through ended, as far as its channel is concerned. */
export interface Ended {
  /** The upstream's answer broke off, or went silent. */
  broke: boolean
  reason: string
  usage: Usage | undefined
}

/** What routing keeps in memory: the health of channels, the turns of algorithms, where conversations are served. */
export class Routing {
  readonly health: Health
  readonly affinity = new Affinity()
  readonly #deps: Deps
  readonly #turns = new Map<string, { value: number }>()
  /** By the snapshot's own list, so that both go together. */
  readonly #lists = new WeakMap<readonly Candidate[], RouteList>()
  readonly #parts = new WeakMap<readonly Candidate[], Map<ReadonlySet<UpstreamProtocol>, readonly Candidate[]>>()

  constructor(deps: Deps, catalog: Catalog) {
    this.#deps = deps
    // One after the other: what is kept last must be what happened last.
    let last = Promise.resolve()
    const keep = (channelId: number, work: () => Promise<void>): void => {
      last = last.then(work).catch((error: unknown) => {
        deps.log.error('the health of a channel could not be kept', { channel_id: channelId, cause: describeError(error) })
      })
    }
    this.health = new Health(deps.clock, deps.settings, {
      opened: ({ id, name }, failures, reason) => {
        deps.log.warn('a channel is left out for a while', { channel_id: id, channel: name, failures, reason })
        keep(id, () => recordFailures(deps, { channelId: id, failures, reason }))
      },
      disabled: ({ id, name }, failures, reason) => {
        deps.log.error('a channel was taken out of service: no key of it works', { channel_id: id, channel: name, reason })
        keep(id, () => recordAutoDisabled(deps, { channelId: id, failures, reason }))
      },
      closed: ({ id, name }) => {
        deps.log.info('a channel is used again', { channel_id: id, channel: name })
        keep(id, () => recordClosed(deps, id))
      },
      returned: ({ id, name }) => {
        deps.log.info('a channel is back in service', { channel_id: id, channel: name })
        keep(id, () => recordReturn(deps, id))
      },
    })
    deps.changes.listen((change) => {
      if (change.type === 'channel_health') this.health.reset(change.channelId)
      if (change.type === 'routing' || change.type === 'everything') this.#forget(catalog)
    })
  }

  /** What routing keeps of a list of the snapshot. */
  listOf(all: readonly Candidate[], model: CatalogModel): RouteList {
    const known = this.#lists.get(all)
    if (known) return known
    const name = `${all[0]?.userChannelId ?? 0}\n${model.name}`
    let turn = this.#turns.get(name)
    if (!turn) this.#turns.set(name, (turn = { value: 0 }))
    const made = new RouteList(all, model.card, turn)
    this.#lists.set(all, made)
    return made
  }

  /** Those of a list that speak one of the protocols: the same list for the same question. */
  speaking(all: readonly Candidate[], protocols: ReadonlySet<UpstreamProtocol>): readonly Candidate[] {
    let parts = this.#parts.get(all)
    if (!parts) this.#parts.set(all, (parts = new Map()))
    let part = parts.get(protocols)
    if (!part) {
      part = all.every(({ channel }) => protocols.has(channel.protocol))
        ? all
        : all.filter(({ channel }) => protocols.has(channel.protocol))
      parts.set(protocols, part)
    }
    return part
  }

  algorithmOf(call: AdmittedCall, userChannelId: number | undefined): RoutingAlgorithm {
    return call.snapshot.userChannels.get(userChannelId ?? 0)?.routingAlgorithm ?? 'priority'
  }

  /** A call has its answer: its channel and key are where its conversation goes on. */
  answered(call: AdmittedCall, pass: Pass): void {
    call.pass = pass
    this.health.answered(pass)
    const nowMs = this.#deps.clock.monotonic()
    const { conversation, route } = call
    // What was not planned is no call of the model: a count of tokens says nothing of its speed.
    if (route) this.health.speed(pass.candidate).first(pass.answeredMs ?? 0, nowMs, call.peek.stream)
    if (conversation !== undefined) this.affinity.served(conversation, pass.candidate.channelModelId, pass.keyIndex, nowMs)
  }

  /** A call is over. Whoever comes second changes nothing. */
  ended(call: AdmittedCall, { broke, reason, usage }: Ended): void {
    const { pass } = call
    if (!pass || pass.over) return
    if (broke) this.health.failed(pass, { blame: 'model', reason, retryAfterMs: undefined })
    if (usage) {
      const restMs = this.#deps.clock.monotonic() - pass.startedMs - (call.peek.stream ? (pass.answeredMs ?? 0) : 0)
      this.health.speed(pass.candidate).rest(totalOutput(usage), restMs)
      pass.place?.end(totalInput(usage) + totalOutput(usage))
      pass.state.inputTokens += totalInput(usage)
      pass.state.cachedTokens += usage.cachedInput
    }
    this.health.end(pass)
  }

  #forget({ snapshot }: Catalog): void {
    const channels = new Set<number>()
    const bindings = new Set<number>()
    for (const { all } of snapshot.models.values()) {
      for (const { channel, channelModelId } of all) {
        channels.add(channel.id)
        bindings.add(channelModelId)
      }
    }
    this.health.keepOnly(channels, bindings)
  }
}
