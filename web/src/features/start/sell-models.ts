import { meters } from '../../../../contract/meters.ts'
import { call } from '../../api/http.ts'
import type { ChannelModel, Model } from '../../api/types.ts'
import { amountInput, isPositive } from '../../i18n/numbers.ts'
import type { Offer } from './sell-row.tsx'

/**
 * Prices the models and binds them to the channel, one after the other; what went through stays when a later one fails.
 * A model that exists keeps every price the wizard does not ask for.
 * @throws ApiError of the first model that is refused
 */
export async function sellModels(
  channelId: number,
  offers: readonly Offer[],
  existing: readonly Model[],
  progress: (done: number) => void,
): Promise<void> {
  const bound = await call<ChannelModel[]>('GET', `/api/channels/${channelId}/models`)
  for (const [index, offer] of offers.entries()) {
    progress(index)
    const before = existing.find((model) => model.model_name === offer.name)
    const model = before
      ? await call<Model>('PUT', `/api/models/${before.id}`, {
          body: { ...cardOf(before), ...askedPrices(offer), model_name: offer.name, enabled: true },
        })
      : await call<Model>('POST', '/api/models', { body: { model_name: offer.name, ...askedPrices(offer), enabled: true } })
    if (!bound.some((binding) => binding.model_id === model.id)) {
      await call('POST', `/api/channels/${channelId}/models`, {
        body: { channel_id: channelId, model_id: model.id, model_name: offer.name, upstream_model_name: offer.name, enabled: true },
      })
    }
  }
  progress(offers.length)
}

/** PUT replaces all prices and tiers (contract.md 3.5), so all of them are sent back. */
function cardOf(model: Model): Record<string, unknown> {
  return Object.fromEntries(
    meters.flatMap((meter) => [
      [meter.price, model[meter.price]],
      [meter.tiers, model[meter.tiers]],
    ]),
  )
}

/** What the wizard asks for. No price of cached tokens means the input price (contract/quote.ts), on the wire a 0. */
function askedPrices(offer: Offer) {
  const input = amountInput(offer.input) ?? '0'
  const output = amountInput(offer.output) ?? '0'
  const cached = offer.cached.trim() === '' ? '0' : (amountInput(offer.cached) ?? '0')
  const free = !isPositive(input) && !isPositive(output)
  return { input_price: input, output_price: output, cached_input_price: cached, free }
}
