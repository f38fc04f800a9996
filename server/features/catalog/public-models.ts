import type { PublicModelWire, PublicOfferWire } from '../../../contract/api/catalog.ts'
import { formatMoney } from '../../../contract/money.ts'
import { cardWire, type CardWire } from '../../../contract/prices.ts'
import { providerOf } from '../../../contract/providers.ts'
import { effective } from './effective.ts'
import { publicMetasOf } from './public-metas.ts'
import { offersOf, type Offer } from './offers.ts'
import type { CatalogModel, CatalogUserChannel, Snapshot } from './snapshot.ts'

/** What `GET /api/public/models` answers. */
export function publicModelsOf(snapshot: Snapshot): PublicModelWire[] {
  const offers = offersOf(snapshot)
  const models = offers.map(publicModelOf)
  const metas = publicMetasOf(snapshot, new Map(models.map((model) => [model.model_name, model])))
  if (metas.length === 0) return models
  return [...models, ...metas].sort((a, b) => (a.model_name < b.model_name ? -1 : 1))
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
