import { decodeCard, isPriced, type PriceCard } from '../../../contract/quote.ts'
import { sha256Hex } from '../../lib/ids.ts'
import { analyse, describe } from '../../relay/meta/language.ts'
import type { CatalogMeta, CatalogModel } from './snapshot.ts'
import type { MetaModelRow } from './store.ts'

/**
 * The meta models of a snapshot. A model of their program that does not exist (any more) is left out of their targets: the other
 * branches go on. One whose program or price cannot be read is left out whole.
 */
export function metaModelsOf(
  rows: readonly MetaModelRow[],
  models: ReadonlyMap<string, CatalogModel>,
  readers: { broken(what: string, id: number, error: unknown): void },
): Map<string, CatalogMeta> {
  const metas = new Map<string, CatalogMeta>()
  for (const row of rows) {
    try {
      metas.set(row.name, metaOf(row, models))
    } catch (error) {
      readers.broken('meta model', row.id, error)
    }
  }
  return metas
}

/** Programs were checked when they were stored; which models they name is looked up here. */
const ANY_MODEL = { self: '', isModel: () => true, isMetaModel: () => false, models: () => [] }

function metaOf(row: MetaModelRow, models: ReadonlyMap<string, CatalogModel>): CatalogMeta {
  const program = analyse(row.dsl, ANY_MODEL)
  if (!program.ok) throw new TypeError(program.diagnostics.map(describe).join('; '))
  const billingMode = row.billing_mode === 'meta' ? 'meta' : 'actual'
  const card = decodeCard(row.price_card)
  const targets = new Map<string, CatalogModel>()
  for (const name of program.models) {
    const model = models.get(name)
    // The name is the customer's: which model it is stands in his log row, not in the answer (W64).
    if (model) targets.set(name, { ...model, name: row.name, ...(billingMode === 'meta' && ownPrice(card, row.price_card)) })
  }
  return {
    id: row.id,
    name: row.name,
    description: row.description,
    provider: row.provider,
    providerName: row.provider_name,
    providerIconUrl: row.provider_icon_url,
    billingMode,
    exposeReferenced: row.expose_referenced_models === 1,
    card,
    compiled: program.compiled,
    options: program.options,
    programHash: sha256Hex(row.dsl),
    targets,
  }
}

/** Without any price it is not for sale, like a model (W43). */
function ownPrice(card: PriceCard, cardText: string): Pick<CatalogModel, 'card' | 'cardText' | 'priced' | 'free'> {
  return { card, cardText, priced: isPriced(card), free: false }
}
