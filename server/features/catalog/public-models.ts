import type { PublicModelWire, PublicOfferWire } from '../../../contract/api/catalog.ts'
import { meters, type PriceField, type TiersField } from '../../../contract/meters.ts'
import { formatMoney } from '../../../contract/money.ts'
import { cardWire, type CardWire, type TierWire } from '../../../contract/prices.ts'
import { providerOf } from '../../../contract/providers.ts'
import { offersOf, type Offer } from './offers.ts'
import type { CatalogModel, CatalogUserChannel, Snapshot } from './snapshot.ts'

/** What `GET /api/public/models` answers. */
export function publicModelsOf(snapshot: Snapshot): PublicModelWire[] {
  return offersOf(snapshot).map(publicModelOf)
}

function publicModelOf({ model, userChannels }: Offer): PublicModelWire {
  const base = cardWire(model.card)
  const provider = providerOf(model.provider, model.name)
  return {
    model_name: model.name,
    provider: provider.id,
    provider_name: provider.name,
    provider_icon_url: model.providerIconUrl,
    is_meta_model: false,
    quota_type: model.card.quotaType === 1 ? 1 : 0,
    free: model.free,
    ...base,
    user_channels: userChannels.map((channel) => publicOfferOf(model, channel, base)),
  }
}

function publicOfferOf(model: CatalogModel, channel: CatalogUserChannel, base: CardWire): PublicOfferWire {
  return {
    id: channel.id,
    name: channel.name,
    description: channel.description,
    multiplier: formatMoney(channel.multiplier),
    ...base,
    ...effective(cardWire(model.card, channel.multiplier)),
  }
}

type Effective = { [F in PriceField as `effective_${F}`]: string } & { [F in TiersField as `effective_${F}`]: TierWire[] | null }

function effective(card: CardWire): Effective {
  const named: Partial<Effective> = {}
  for (const { price, tiers } of meters) {
    named[`effective_${price}`] = card[price]
    named[`effective_${tiers}`] = card[tiers]
  }
  return named as Effective
}
