import { z } from 'zod'
import { endpoint } from '../endpoint.ts'
import { meters, type PriceField, type TiersField } from '../meters.ts'
import { cardOutput } from '../prices.ts'

const shape = <F extends string, T>(fields: readonly F[], value: T): Record<F, T> =>
  Object.fromEntries(fields.map((field) => [field, value])) as Record<F, T>

type Effective<F extends string> = `effective_${F}`
const effectivePrices = shape(
  meters.map(({ price }): Effective<PriceField> => `effective_${price}`),
  z.string(),
)
const effectiveTiers = shape(
  meters.map(({ tiers }): Effective<TiersField> => `effective_${tiers}`),
  cardOutput.input_price_tiers,
)

/** A model at one user channel; `effective_*` = base x the user channel's multiplier, group multipliers are not applied (contract.md 3.1). */
const publicOffer = z.strictObject({
  id: z.int(),
  name: z.string(),
  description: z.string(),
  multiplier: z.string(),
  ...cardOutput,
  ...effectivePrices,
  ...effectiveTiers,
})

const publicModel = z.strictObject({
  model_name: z.string(),
  /** Of meta models that have one. */
  description: z.string().optional(),
  provider: z.string(),
  provider_name: z.string(),
  provider_icon_url: z.string(),
  is_meta_model: z.boolean(),
  /** `actual`: each call costs what its model costs, prices here are the lowest. `meta`: it has prices of its own. */
  meta_billing_mode: z.enum(['actual', 'meta']).optional(),
  quota_type: z.union([z.literal(0), z.literal(1)]),
  /** Sold for nothing on purpose. A price of "0" of a model that is not free is one not set apart: those tokens cost as plain input or output. */
  free: z.boolean(),
  ...cardOutput,
  user_channels: z.array(publicOffer),
})
/** A model for sale; of a meta model also the models it may call, unless its owner keeps them to himself. */
export const publicModelWire = publicModel.extend({ referenced_models: z.array(publicModel).optional() })
export type PublicModelWire = z.input<typeof publicModelWire>
export type PublicOfferWire = z.input<typeof publicOffer>

export const listPublicModels = endpoint({
  method: 'GET',
  path: '/api/public/models',
  access: 'public',
  summary: 'Models for sale, by name, with what they cost at each user channel',
  response: z.array(publicModelWire),
})

/** `cache_read_input_price` is another name of `cached_input_price` (contract.md 3.1). */
export const CACHE_ALIAS = 'cache_read_input_price'
export const pricingPrices = [...meters.map(({ price }) => price), CACHE_ALIAS] as const
export type PricingPrice = (typeof pricingPrices)[number]

const prices = z.record(z.string(), z.string())
const tiers = z.record(z.string(), cardOutput.input_price_tiers)
const ratios = { model_ratio: prices, completion_ratio: prices }
const priceMaps = shape(pricingPrices, prices)
const tierMaps = shape(
  pricingPrices.map((name): `${PricingPrice}_tiers` => `${name}_tiers`),
  tiers,
)
const basePriceMaps = shape(
  pricingPrices.map((name): `base_${PricingPrice}` => `base_${name}`),
  prices,
)
const baseTierMaps = shape(
  pricingPrices.map((name): `base_${PricingPrice}_tiers` => `base_${name}_tiers`),
  tiers,
)

export const pricingWire = z.strictObject({
  success: z.literal(true),
  message: z.literal(''),
  data: z.strictObject({
    unit: z.literal('per_1m_tokens'),
    /** 0 per token, 1 per call or item: then `output_price` is the price of one. */
    quota_type: z.record(z.string(), z.int()),
    ...ratios,
    ...priceMaps,
    ...tierMaps,
    ...basePriceMaps,
    ...baseTierMaps,
    user_channel_prices: z.record(
      z.string(),
      z.strictObject({
        id: z.int(),
        name: z.string(),
        description: z.string(),
        multiplier: z.string(),
        ...ratios,
        ...priceMaps,
        ...tierMaps,
      }),
    ),
  }),
})
export type PricingWire = z.input<typeof pricingWire>

export const getPricing = endpoint({
  method: 'GET',
  path: '/api/pricing',
  access: 'public',
  summary: 'Prices as maps by model, in USD per million tokens; `model_ratio` counts 1 as 2 USD, as other gateways do',
  query: z.object({
    user_channel_id: z
      .string()
      .trim()
      .regex(/^\d{0,15}$/, { error: 'Invalid user_channel_id' })
      .transform(Number)
      .optional(),
  }),
  response: pricingWire,
})
