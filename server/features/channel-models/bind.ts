import type { Database } from '../../db/open.ts'
import { newLimits } from '../../lib/limit-fields.ts'
import { recordAudit } from '../audit/service.ts'
import type { Actor } from '../catalog/change.ts'
import type { ModelRow } from '../models/service.ts'
import { insertBinding, selectBindings, updateBindingRow, type BindingRow } from './store.ts'

type Tx = Database['query']

/** Bindings of a channel by their model. */
export async function bindingsByModel(db: Tx, channelId: number): Promise<Map<number, BindingRow>> {
  return new Map((await selectBindings(db, [channelId])).map((row) => [row.model_id, row]))
}

/** Binds a model to a channel under its own name, in the caller's transaction. */
export async function bindModel(tx: Tx, channelId: number, model: ModelRow, enabled: boolean, actor: Actor, now: number): Promise<void> {
  const made = await insertBinding(
    tx,
    {
      channel_id: channelId,
      model_id: model.id,
      upstream_model_name: model.model_name,
      cost_card: null,
      enabled: enabled ? 1 : 0,
      first_byte_timeout_seconds: null,
      ...newLimits({}),
    },
    now,
  )
  await recordAudit(tx, {
    actorUserId: actor.userId,
    action: 'create',
    objectType: 'channel_model',
    objectId: made.id,
    after: { ...made },
    ip: actor.ip,
    now,
  })
}

/** Puts a binding into use under the model's own name (contract.md 3.5, apply). @returns false when it is so already */
export async function enableBinding(tx: Tx, before: BindingRow, upstreamName: string, actor: Actor, now: number): Promise<boolean> {
  if (before.enabled === 1 && before.upstream_model_name === upstreamName) return false
  const after = await updateBindingRow(tx, before.id, { upstream_model_name: upstreamName, enabled: 1 }, now)
  await recordAudit(tx, {
    actorUserId: actor.userId,
    action: 'update',
    objectType: 'channel_model',
    objectId: before.id,
    before: { ...before },
    after: { ...after },
    ip: actor.ip,
    now,
  })
  return true
}
