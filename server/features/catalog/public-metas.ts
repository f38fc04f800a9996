import type { PublicModelWire, PublicOfferWire } from '../../../contract/api/catalog.ts'
import { meters, type PriceField, type TiersField } from '../../../contract/meters.ts'
import { formatMoney, money, mulDiv, MONEY_ONE, parseMoney, ZERO, type Money } from '../../../contract/money.ts'
import { cardWire, type CardWire } from '../../../contract/prices.ts'
import { isPriced } from '../../../contract/quote.ts'
import { effective } from './effective.ts'
import type { CatalogMeta, Snapshot } from './snapshot.ts'

/**
 * Meta models for sale: those that may call at least one model that is for sale itself. With prices of their own those are shown,
 * tiers too (W82); else the lowest of the models they may call.
 */
export function publicMetasOf(snapshot: Snapshot, sold: ReadonlyMap<string, PublicModelWire>): PublicModelWire[] {
  const metas: PublicModelWire[] = []
  for (const meta of snapshot.metaModels.values()) {
    const referenced = [...meta.targets.keys()].flatMap((name) => sold.get(name) ?? [])
    if (referenced.length === 0 || (meta.billingMode === 'meta' && !isPriced(meta.card))) continue
    metas.push(publicMetaOf(meta, referenced, snapshot))
  }
  return metas
}

function publicMetaOf(meta: CatalogMeta, referenced: readonly PublicModelWire[], snapshot: Snapshot): PublicModelWire {
  const own = meta.billingMode === 'meta' ? cardWire(meta.card) : undefined
  return {
    model_name: meta.name,
    ...(meta.description !== '' && { description: meta.description }),
    provider: meta.provider,
    provider_name: meta.providerName,
    provider_icon_url: meta.providerIconUrl,
    is_meta_model: true,
    meta_billing_mode: meta.billingMode,
    quota_type: 0,
    free: false,
    ...(own ?? lowest(referenced)),
    user_channels: userChannelsOf(meta, referenced, snapshot),
    ...(meta.exposeReferenced && { referenced_models: [...referenced] }),
  }
}

/** The user channels of all models it may call, by name. */
function userChannelsOf(meta: CatalogMeta, referenced: readonly PublicModelWire[], snapshot: Snapshot): PublicOfferWire[] {
  const byId = Map.groupBy(
    referenced.flatMap(({ user_channels: channels }) => channels),
    ({ id }) => id,
  )
  const offers = [...byId.values()].flatMap((same): PublicOfferWire[] => {
    const [first] = same
    if (!first) return []
    const { id, name, description, multiplier } = first
    const factor = snapshot.userChannels.get(id)?.multiplier ?? money(MONEY_ONE)
    const cards =
      meta.billingMode === 'meta'
        ? { ...cardWire(meta.card), ...effective(cardWire(meta.card, factor)) }
        : { ...lowest(same), ...effective(scaled(lowest(same), factor)) }
    return [{ id, name, description, multiplier, ...cards }]
  })
  return offers.toSorted((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0))
}

type Prices = Pick<CardWire, PriceField | TiersField>

/** Each price the lowest of several cards; a meter one of them has no price for is sold there as plain input or output (W76). */
function lowest(cards: readonly Prices[]): CardWire {
  const least: Partial<CardWire> = {}
  for (const { id, side, price, tiers } of meters) {
    const plain = side === 'input' ? 'input_price' : 'output_price'
    const isSetApart = cards.some((card) => amountOf(card[price]) > 0n)
    const amounts = cards.map((card) => (amountOf(card[price]) > 0n || id === side ? amountOf(card[price]) : amountOf(card[plain])))
    least[price] = formatMoney(isSetApart ? amounts.reduce((a, b) => (b < a ? b : a)) : ZERO)
    least[tiers] = null
  }
  return least as CardWire
}

function scaled(card: CardWire, factor: Money): CardWire {
  const wire = { ...card }
  for (const { price } of meters) wire[price] = formatMoney(money(mulDiv(amountOf(card[price]), factor, MONEY_ONE, 'half_up')))
  return wire
}

function amountOf(text: string): Money {
  return parseMoney(text) ?? ZERO
}
