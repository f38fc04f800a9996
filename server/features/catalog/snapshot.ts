import type { RoutingAlgorithm } from '../../../contract/api/user-channel-fields.ts'
import type { UpstreamProtocol } from '../../../contract/channel-types.ts'
import type { Vendor } from '../../../contract/vendors.ts'
import type { Money } from '../../../contract/money.ts'
import type { PriceCard } from '../../../contract/quote.ts'
import type { Limits } from '../../lib/limit-fields.ts'
import type { Compiled } from '../../relay/meta/evaluate.ts'
import type { Options } from '../../relay/meta/options.ts'

/** An upstream as a call sees it. */
export interface CatalogChannel {
  readonly id: number
  readonly name: string
  readonly type: string
  readonly protocol: UpstreamProtocol
  readonly baseUrl: string
  /** Whose upstream it is, where that is known: its quirks. */
  readonly vendor: Vendor | undefined
  /** Decrypted: it lives in memory only and never goes to a log, an error or the wire. */
  readonly key: string
  /** All its keys, `key` among them: used in turn. The same list as before while the stored text is the same. */
  readonly keys: readonly string[]
  /** What the owner pays in proportion to the list price; counts where a cost card is unknown. */
  readonly costFactor: Money
  /** When it was taken out of service for its key or credit, epoch ms; null: in service. */
  readonly autoDisabledAt: number | null
  readonly autoDisabledReason: string
  readonly priority: number
  readonly weight: number
  readonly limits: Limits | undefined
  /** Overrides by group id; a group without one has its own multiplier. */
  readonly groupMultipliers: ReadonlyMap<number, Money>
}

/** One way to serve a model: a channel that carries it, enabled everywhere. */
export interface Candidate {
  readonly channelModelId: number
  readonly channel: CatalogChannel
  readonly upstreamModel: string
  /** Overrides by group id; they win over the channel's. */
  readonly groupMultipliers: ReadonlyMap<number, Money>
  /** What the upstream asks for; undefined: unknown, never taken as 0. */
  readonly costCard: PriceCard | undefined
  readonly userChannelId: number
  /** How long its first byte is waited for; undefined: as long as the site says. */
  readonly firstByteTimeoutMs: number | undefined
  /** Of this model on this channel. */
  readonly limits: Limits | undefined
}

/** A model of the platform with everything that can serve it. */
export interface CatalogModel {
  readonly id: number
  readonly name: string
  readonly provider: string
  readonly providerIconUrl: string
  readonly enabled: boolean
  readonly card: PriceCard
  /** The card as `encodeCard` wrote it: what a log row keeps as its price snapshot. */
  readonly cardText: string
  /** It has a price. */
  readonly priced: boolean
  /** Sold for nothing on purpose; a model neither priced nor free is not for sale (W43). */
  readonly free: boolean
  /** The model's own ceiling of output tokens; null: the default. */
  readonly maxOutputTokens: number | null
  /** Best first: priority desc, weight desc, channel id asc (contract.md 6.2). */
  readonly byUserChannel: ReadonlyMap<number, readonly Candidate[]>
  /** The same order over all user channels. */
  readonly all: readonly Candidate[]
}

export interface CatalogUserChannel {
  readonly id: number
  readonly name: string
  readonly description: string
  readonly multiplier: Money
  readonly routingAlgorithm: RoutingAlgorithm
  readonly enabled: boolean
  readonly hedgeDelayMs: number | null
  /** Groups whose members may use it; undefined: everybody. */
  readonly allowedGroups: ReadonlySet<number> | undefined
}

export interface CatalogGroup {
  readonly id: number
  readonly name: string
  readonly multiplier: Money
  /** Of each member who has none of his own. */
  readonly limits: Limits | undefined
}

/** A meta model: a program over models. */
export interface CatalogMeta {
  readonly id: number
  readonly name: string
  readonly description: string
  readonly provider: string
  readonly providerName: string
  readonly providerIconUrl: string
  /** `actual`: each call costs what its model costs. `meta`: each costs by the meta model's own card. */
  readonly billingMode: 'actual' | 'meta'
  readonly exposeReferenced: boolean
  readonly card: PriceCard
  readonly compiled: Compiled
  readonly options: Options
  /** Of the program's text: what is remembered of another one is not of this. */
  readonly programHash: string
  /** The models of its program that exist, by their own names: each shown under the meta model's name and at its price. */
  readonly targets: ReadonlyMap<string, CatalogModel>
}

/** All routing data of one instant. It is never changed, only replaced: a call keeps the one it was admitted with. */
export interface Snapshot {
  /** Grows with each rebuild. */
  readonly version: number
  /** By the platform's model name, disabled ones included. */
  readonly models: ReadonlyMap<string, CatalogModel>
  /** Enabled ones by name. */
  readonly metaModels: ReadonlyMap<string, CatalogMeta>
  readonly userChannels: ReadonlyMap<number, CatalogUserChannel>
  readonly groups: ReadonlyMap<number, CatalogGroup>
}

export const EMPTY_SNAPSHOT: Snapshot = { version: 0, models: new Map(), metaModels: new Map(), userChannels: new Map(), groups: new Map() }
