import { NO_MULTIPLIERS, quote, type PriceCard } from '../../../contract/quote.ts'
import { EMPTY_USAGE } from '../../../contract/meters.ts'
import type { Money } from '../../../contract/money.ts'
import type { Candidate } from '../../features/catalog/snapshot.ts'
import type { Block, Health } from './health.ts'

/** The candidates of a list that may be used now. Made anew when something opened, closed or is due for its trial. */
export interface View {
  readonly usable: readonly Candidate[]
  /** The usable ones with a weight, and the sums of their weights up to and with each. */
  readonly shared: readonly Candidate[]
  readonly sums: Float64Array
  /** The others, and why. */
  readonly blocked: readonly { candidate: Candidate; block: Block }[]
  readonly version: number
  /** When the first of the blocked is due. */
  readonly untilMs: number
}

/** A call of this shape is what costs are compared by: three parts read, one part written. */
const USUAL = { ...EMPTY_USAGE, input: 3_000, output: 1_000 }

/**
 * The candidates of one model in one user channel, best first, with what routing keeps of them. It lives as long as the
 * snapshot; what depends on health is made when it is asked for, never per call.
 */
export class RouteList {
  readonly all: readonly Candidate[]
  /** Calls routed so far; outlives the snapshot. */
  readonly turn: { value: number }
  readonly #card: PriceCard
  #view: View | undefined
  #byCost: { of: View; order: readonly Candidate[] } | undefined
  #channels: Map<number, Candidate> | undefined
  #places: { of: View; at: Map<number, number> } | undefined

  constructor(all: readonly Candidate[], card: PriceCard, turn: { value: number }) {
    this.all = all
    this.#card = card
    this.turn = turn
  }

  view(health: Health, nowMs: number): View {
    const known = this.#view
    if (known && known.version === health.version && nowMs < known.untilMs) return known
    return (this.#view = viewOf(this.all, health, nowMs))
  }

  /** The shared ones, cheapest first; of equal cost the better one by rank. */
  byCost(view: View): readonly Candidate[] {
    if (this.#byCost?.of === view) return this.#byCost.order
    const costs = new Map(view.shared.map((candidate) => [candidate, costOf(candidate, this.#card)]))
    const order = view.shared.toSorted((a, b) => compare(costs.get(a) ?? 0n, costs.get(b) ?? 0n))
    this.#byCost = { of: view, order }
    return order
  }

  /** The candidate of a channel, usable or not. */
  ofChannel(channelId: number): Candidate | undefined {
    this.#channels ??= new Map(this.all.map((candidate) => [candidate.channel.id, candidate]))
    return this.#channels.get(channelId)
  }

  /** The usable candidate of a channel model, if it is one. */
  usable(view: View, channelModelId: number): Candidate | undefined {
    if (this.#places?.of !== view) {
      this.#places = { of: view, at: new Map(view.usable.map((candidate, index) => [candidate.channelModelId, index])) }
    }
    const at = this.#places.at.get(channelModelId)
    return at === undefined ? undefined : view.usable[at]
  }
}

function viewOf(all: readonly Candidate[], health: Health, nowMs: number): View {
  const blocked: { candidate: Candidate; block: Block }[] = []
  let untilMs = Infinity
  for (const candidate of all) {
    const block = health.blockOf(candidate, nowMs)
    if (!block) continue
    blocked.push({ candidate, block })
    untilMs = Math.min(untilMs, block.untilMs)
  }
  const out = new Set(blocked.map(({ candidate }) => candidate))
  const usable = out.size === 0 ? all : all.filter((candidate) => !out.has(candidate))
  const shared = usable.every(({ channel }) => channel.weight > 0) ? usable : usable.filter(({ channel }) => channel.weight > 0)
  const sums = new Float64Array(shared.length)
  let sum = 0
  shared.forEach(({ channel }, index) => {
    sum += channel.weight
    sums[index] = sum
  })
  return { usable, shared, sums, blocked, version: health.version, untilMs }
}

/** What a usual call costs the owner there: by the upstream's own prices, else by the list price and the channel's factor. */
export function costOf({ costCard, channel }: Candidate, card: PriceCard): Money {
  return costCard
    ? quote(USUAL, costCard, NO_MULTIPLIERS).total
    : quote(USUAL, card, { ...NO_MULTIPLIERS, group: channel.costFactor }).total
}

function compare(a: bigint, b: bigint): number {
  return a < b ? -1 : a > b ? 1 : 0
}
