import type { publicQuote, QuoteWire } from '../../../contract/api/quotes.ts'
import type { BodyOf } from '../../../contract/endpoint.ts'
import { AppError } from '../../../contract/errors.ts'
import { formatMoney, money, MONEY_ONE } from '../../../contract/money.ts'
import { NO_MULTIPLIERS, quote, type Quote } from '../../../contract/quote.ts'
import { receiptLines } from '../billing/receipt-lines.ts'
import { usageOfRow } from '../books/service.ts'
import { isOpenToAll } from '../catalog/offers.ts'
import { multiplierFor, type GroupMultiplier } from '../catalog/service.ts'
import type { Candidate, Snapshot } from '../catalog/snapshot.ts'

/** Whose price it is; without groups nobody's multiplier is taken. */
export interface Buyer {
  groupIds: readonly number[]
  mode: 'min' | 'max'
  /** The user channels he may use; undefined: all. */
  userChannelIds: readonly number[] | undefined
}

const NO_GROUP: GroupMultiplier = { multiplier: money(MONEY_ONE), source: 'group' }

/**
 * What a hypothetical call would cost, by the very code and data that bill: the snapshot's card, the multipliers of each
 * upstream in its order of trial, `contract/quote.ts`.
 * @throws AppError model_not_found | model_unpriced | bad_request when the parts are more than their whole
 */
export function quoteFor(snapshot: Snapshot, input: BodyOf<typeof publicQuote>, buyer: Buyer | undefined): QuoteWire {
  const model = snapshot.models.get(input.model)
  const isOffered = (id: number): boolean => {
    const channel = snapshot.userChannels.get(id)
    return channel !== undefined && (buyer ? (buyer.userChannelIds?.includes(id) ?? true) : isOpenToAll(channel))
  }
  if (!model?.enabled || ![...model.byUserChannel.keys()].some(isOffered)) throw new AppError('model_not_found')
  if (!model.priced && !model.free) throw new AppError('model_unpriced')
  const usage = usageOfRow(input)
  if (usage.input < 0 || usage.output < 0)
    throw new AppError('bad_request', {
      message: 'input_tokens and output_tokens include their parts and cannot be less',
      param: 'input_tokens',
    })
  const price = (candidate: Candidate): { group: GroupMultiplier; priced: Quote } => {
    const group = buyer === undefined ? NO_GROUP : multiplierFor(snapshot, candidate, buyer.groupIds, buyer.mode)
    const userChannel = snapshot.userChannels.get(candidate.userChannelId)?.multiplier ?? money(MONEY_ONE)
    return { group, priced: quote(usage, model.card, { group: group.multiplier, userChannel }, input.items) }
  }
  const offers = [...model.byUserChannel].flatMap(([id, candidates]) => {
    const channel = snapshot.userChannels.get(id)
    const [first] = candidates
    if (!channel || !first || (input.user_channel_id ?? id) !== id || !isOffered(id)) return []
    const { group, priced } = price(first)
    const by = { group: group.multiplier, groupSource: group.source, userChannel: channel.multiplier }
    const highest = candidates.map((candidate) => price(candidate).priced.total).reduce((a, b) => (b > a ? b : a))
    return {
      user_channel_id: id,
      user_channel_name: channel.name,
      group_multiplier: formatMoney(by.group),
      group_source: by.groupSource,
      channel_multiplier: formatMoney(by.userChannel),
      ...receiptLines(priced, by),
      total: formatMoney(priced.total),
      highest_total: formatMoney(highest),
    }
  })
  return {
    model_name: model.name,
    quota_type: model.card.quotaType,
    free: model.free,
    base: formatMoney(quote(usage, model.card, NO_MULTIPLIERS, input.items).total),
    offers: offers.toSorted((a, b) => (a.user_channel_name < b.user_channel_name ? -1 : 1)),
  }
}
