import { getPricing, listPublicModels } from '../../../contract/api/catalog.ts'
import { AppError } from '../../../contract/errors.ts'
import { bind, type Route } from '../../http/bind.ts'
import type { Deps } from '../../http/deps.ts'
import { publicModelsOf } from './public-models.ts'
import { pricingOf } from './pricing.ts'
import type { Catalog } from './service.ts'
import type { Snapshot } from './snapshot.ts'

/** Answers made once for a snapshot: anyone may ask for them, as often as he likes. */
class Answers {
  #snapshot: Snapshot | undefined
  readonly #texts = new Map<string, string>()

  of(snapshot: Snapshot, name: string, make: () => unknown): Response {
    if (this.#snapshot !== snapshot) {
      this.#snapshot = snapshot
      this.#texts.clear()
    }
    let text = this.#texts.get(name)
    if (text === undefined) {
      text = JSON.stringify(make())
      this.#texts.set(name, text)
    }
    return new Response(text, { headers: { 'content-type': 'application/json' } })
  }
}

/** What anybody may see of the catalogue. */
export function catalogRoutes(deps: Deps, catalog: Catalog): Route[] {
  const answers = new Answers()
  return [
    bind(listPublicModels, () => answers.of(catalog.snapshot, 'models', () => publicModelsOf(catalog.snapshot))),
    bind(getPricing, ({ query }) => {
      if (!deps.settings.bool('pricing_endpoint_enabled')) throw new AppError('not_found')
      const { snapshot } = catalog
      // 0 stands for all; an unknown id has no prices and is not worth keeping.
      const id = query.user_channel_id === 0 ? undefined : query.user_channel_id
      if (id !== undefined && !snapshot.userChannels.has(id)) return pricingOf(snapshot, id)
      return answers.of(snapshot, `pricing ${id ?? 'all'}`, () => pricingOf(snapshot, id))
    }),
  ]
}
