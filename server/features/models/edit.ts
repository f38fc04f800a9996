import type { ModelBody, ModelWire } from '../../../contract/api/models.ts'
import { AppError } from '../../../contract/errors.ts'
import { cardOf } from '../../../contract/prices.ts'
import { providerOf } from '../../../contract/providers.ts'
import { encodeCard, isPriced, type PriceCard } from '../../../contract/quote.ts'
import type { Deps } from '../../http/deps.ts'
import { recordAudit } from '../audit/service.ts'
import { changeRouting, type Actor } from '../catalog/change.ts'
import { deleteBindingsOfModel } from '../channel-models/service.ts'
import { addModel, changeModel, modelWireOf, requireModel } from './service.ts'
import { deleteModelRows, findModel } from './store.ts'

/** @throws AppError name_taken | model_free_and_priced */
export async function createModel(deps: Deps, body: ModelBody & { model_name: string }, actor: Actor): Promise<ModelWire> {
  const card = cardOf(body, body.quota_type ?? 0)
  const free = freeOf(body, card, false)
  const row = await changeRouting(deps, 'name_taken', (tx, now) =>
    addModel(
      tx,
      {
        model_name: body.model_name,
        provider: providerOf(body.provider ?? '', body.model_name).id,
        provider_icon_url: body.provider_icon_url ?? '',
        price_card: encodeCard(card),
        quota_type: card.quotaType,
        free: free ? 1 : 0,
        max_output_tokens: body.max_output_tokens ?? null,
        enabled: body.enabled === false ? 0 : 1,
      },
      { ...actor, source: 'manual' },
      now,
    ),
  )
  return modelWireOf(row)
}

/**
 * Replaces all prices and tiers; keeps name, maker and icon when empty, everything else when absent (contract.md 3.5).
 * @throws AppError catalog_model_not_found | name_taken | model_free_and_priced
 */
export async function updateModel(deps: Deps, id: number, body: ModelBody, actor: Actor): Promise<ModelWire> {
  const row = await changeRouting(deps, 'name_taken', async (tx, now) => {
    const before = await requireModel(tx, id)
    const card = cardOf(body, body.quota_type ?? before.quota_type)
    return changeModel(
      tx,
      before,
      {
        model_name: body.model_name || before.model_name,
        provider: body.provider ? providerOf(body.provider, body.model_name || before.model_name).id : before.provider,
        provider_icon_url: body.provider_icon_url || before.provider_icon_url,
        price_card: encodeCard(card),
        quota_type: card.quotaType,
        free: freeOf(body, card, before.free === 1) ? 1 : 0,
        max_output_tokens: body.max_output_tokens === undefined ? before.max_output_tokens : body.max_output_tokens,
        enabled: (body.enabled ?? before.enabled === 1) ? 1 : 0,
      },
      { ...actor, source: 'manual' },
      now,
    )
  })
  return modelWireOf(row)
}

/** Free on purpose excludes prices; who sets prices without a word about `free` ends it. */
function freeOf(body: ModelBody, card: PriceCard, before: boolean): boolean {
  const priced = isPriced(card)
  if (body.free === true && priced) throw new AppError('model_free_and_priced', { param: 'free' })
  return body.free ?? (before && !priced)
}

/** Deletes a model with its bindings, their multipliers and its price history; one that is gone already is fine. */
export async function deleteModel(deps: Deps, id: number, actor: Actor): Promise<void> {
  await changeRouting(deps, 'conflict', async (tx, now) => {
    const before = await findModel(tx, id)
    if (!before) return
    await deleteBindingsOfModel(tx, id)
    await deleteModelRows(tx, id)
    await recordAudit(tx, {
      actorUserId: actor.userId,
      action: 'delete',
      objectType: 'model',
      objectId: id,
      before: { ...before },
      ip: actor.ip,
      now,
    })
  })
}
