import type { ChannelModelBody, ChannelModelWire } from '../../../contract/api/channel-models.ts'
import type { ModelOverrideWire } from '../../../contract/api/groups.ts'
import { AppError } from '../../../contract/errors.ts'
import type { Money } from '../../../contract/money.ts'
import { cardOf } from '../../../contract/prices.ts'
import { encodeCard } from '../../../contract/quote.ts'
import type { Database } from '../../db/open.ts'
import type { Deps } from '../../http/deps.ts'
import { newLimits } from '../../lib/limit-fields.ts'
import { recordAudit } from '../audit/service.ts'
import { changeRouting, type Actor } from '../catalog/change.ts'
import { channelExists } from '../channels/service.ts'
import { checkOverrides, groupWires } from '../groups/service.ts'
import { ensureModel, modelById, modelWireOf, type ModelRow } from '../models/service.ts'
import { about, insertAudited, updateAudited } from './bind.ts'
import { bindingWireOf, overrideWiresOf } from './service.ts'
import { deleteBindings, findBinding, replaceOverrides, selectOverridesOf, type BindingRow } from './store.ts'

type Tx = Database['query']

/** @throws AppError channel_not_found | catalog_model_unknown | channel_model_exists | bad_request */
export async function createBinding(deps: Deps, channelId: number, body: ChannelModelBody, actor: Actor): Promise<ChannelModelWire> {
  const row = await changeRouting(deps, 'channel_model_exists', async (tx, now) => {
    if (!(await channelExists(tx, channelId))) throw new AppError('channel_not_found')
    const model = await modelFor(tx, body, actor, now)
    if (!model) throw new AppError('bad_request', { message: 'Model is required', param: 'model_name' })
    const fields = {
      channel_id: channelId,
      model_id: model.id,
      upstream_model_name: body.upstream_model_name || model.model_name,
      cost_card: costCardOf(body, model) ?? null,
      enabled: body.enabled === false ? 0 : 1,
      first_byte_timeout_seconds: body.first_byte_timeout_seconds ?? null,
      ...newLimits(body),
    }
    return insertAudited(tx, fields, actor, now)
  })
  return wireOf(deps, row)
}

/** @throws AppError channel_model_not_found | channel_unknown | catalog_model_unknown | channel_model_exists */
export async function updateBinding(deps: Deps, id: number, body: ChannelModelBody, actor: Actor): Promise<ChannelModelWire> {
  const row = await changeRouting(deps, 'channel_model_exists', async (tx, now) => {
    const before = await findBinding(tx, id)
    if (!before) throw new AppError('channel_model_not_found')
    const channelId = body.channel_id || before.channel_id
    if (channelId !== before.channel_id && !(await channelExists(tx, channelId)))
      throw new AppError('channel_unknown', { param: 'channel_id' })
    const model = (await modelFor(tx, body, actor, now)) ?? (await modelById(tx, before.model_id))
    if (!model) throw new AppError('catalog_model_unknown', { param: 'model_id' })
    const cost = costCardOf(body, model)
    const fields = {
      channel_id: channelId,
      model_id: model.id,
      upstream_model_name: body.upstream_model_name === '' ? model.model_name : (body.upstream_model_name ?? before.upstream_model_name),
      cost_card: cost === undefined ? before.cost_card : cost,
      enabled: (body.enabled ?? before.enabled === 1) ? 1 : 0,
      first_byte_timeout_seconds:
        body.first_byte_timeout_seconds === undefined ? before.first_byte_timeout_seconds : body.first_byte_timeout_seconds,
      ...newLimits(body, before),
    }
    return updateAudited(tx, before, fields, actor, now)
  })
  return wireOf(deps, row)
}

/** Unbinds; one that is gone already is fine. */
export async function deleteBinding(deps: Deps, id: number, actor: Actor): Promise<void> {
  await changeRouting(deps, 'conflict', async (tx, now) => {
    const before = await findBinding(tx, id)
    if (!before) return
    await deleteBindings(tx, 'id', id)
    await recordAudit(tx, { ...about(id, actor, now), action: 'delete', before: { ...before } })
  })
}

/** @throws AppError channel_model_not_found | group_missing | bad_request */
export async function putOverrides(
  deps: Deps,
  id: number,
  body: readonly { group_id: number; multiplier: Money }[],
  actor: Actor,
): Promise<ModelOverrideWire[]> {
  return changeRouting(deps, 'conflict', async (tx, now) => {
    if (!(await findBinding(tx, id))) throw new AppError('channel_model_not_found')
    const before = await selectOverridesOf(tx, id)
    const overrides = await checkOverrides(tx, body)
    await replaceOverrides(tx, id, overrides, now)
    await recordAudit(tx, {
      ...about(id, actor, now),
      action: 'set_group_multipliers',
      before: { overrides: before.map(({ group_id: groupId, multiplier }) => ({ groupId, multiplier })) },
      after: { overrides },
    })
    return overrideWiresOf(await selectOverridesOf(tx, id), await groupWires(tx))
  })
}

/** The model a body means: a name wins over an id, so that nothing is renamed by it (W42); undefined when it names none. */
async function modelFor(tx: Tx, body: ChannelModelBody, actor: Actor, now: number): Promise<ModelRow | undefined> {
  if (body.model_name) {
    return ensureModel(
      tx,
      { name: body.model_name, provider: body.provider ?? '', iconUrl: body.provider_icon_url ?? '' },
      { ...actor, source: 'channel' },
      now,
    )
  }
  if (!body.model_id) return undefined
  const model = await modelById(tx, body.model_id)
  if (!model) throw new AppError('catalog_model_unknown', { param: 'model_id' })
  return model
}

/** What to store as cost: undefined keeps, null is unknown; an object without any price says nothing, so it is unknown too. */
function costCardOf(body: ChannelModelBody, model: ModelRow): string | null | undefined {
  const { cost } = body
  if (cost === undefined || cost === null) return cost
  const says = Object.values(cost).some((value) => value !== undefined && value !== null)
  return says ? encodeCard(cardOf(cost, model.quota_type)) : null
}

async function wireOf(deps: Deps, row: BindingRow): Promise<ChannelModelWire> {
  const db = deps.db.query
  const model = await modelById(db, row.model_id)
  if (!model) throw new AppError('catalog_model_not_found')
  return bindingWireOf(row, modelWireOf(model), overrideWiresOf(await selectOverridesOf(db, row.id), await groupWires(db)))
}
