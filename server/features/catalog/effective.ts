import { meters, type PriceField, type TiersField } from '../../../contract/meters.ts'
import type { CardWire, TierWire } from '../../../contract/prices.ts'

type Effective = { [F in PriceField as `effective_${F}`]: string } & { [F in TiersField as `effective_${F}`]: TierWire[] | null }

/** The same prices under their `effective_` names. */
export function effective(card: CardWire): Effective {
  const named: Partial<Effective> = {}
  for (const { price, tiers } of meters) {
    named[`effective_${price}`] = card[price]
    named[`effective_${tiers}`] = card[tiers]
  }
  return named as Effective
}
