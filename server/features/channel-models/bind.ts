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

/** Inserts a binding with its audit row. */
export async function insertAudited(tx: Tx, fields: Parameters<typeof insertBinding>[1], actor: Actor, now: number): Promise<BindingRow> {
  const made = await insertBinding(tx, fields, now)
  await recordAudit(tx, { ...about(made.id, actor, now), action: 'create', after: { ...made } })
  return made
}

/** Changes a binding with its audit row. */
export async function updateAudited(
  tx: Tx,
  before: BindingRow,
  fields: Parameters<typeof updateBindingRow>[2],
  actor: Actor,
  now: number,
): Promise<BindingRow> {
  const after = await updateBindingRow(tx, before.id, fields, now)
  await recordAudit(tx, { ...about(before.id, actor, now), action: 'update', before: { ...before }, after: { ...after } })
  return after
}

/** Who changed which binding, for its audit row. */
export function about(id: number, { userId, ip }: Actor, now: number) {
  return { actorUserId: userId, objectType: 'channel_model', objectId: id, ip, now }
}

/** Binds a model to a channel under its own name, in the caller's transaction. */
export async function bindModel(tx: Tx, channelId: number, model: ModelRow, enabled: boolean, actor: Actor, now: number): Promise<void> {
  const fields = {
    channel_id: channelId,
    model_id: model.id,
    upstream_model_name: model.model_name,
    cost_card: null,
    enabled: enabled ? 1 : 0,
    first_byte_timeout_seconds: null,
    ...newLimits({}),
  }
  await insertAudited(tx, fields, actor, now)
}

/** Puts a binding into use under the model's own name (contract.md 3.5, apply). @returns false when it is so already */
export async function enableBinding(tx: Tx, before: BindingRow, upstreamName: string, actor: Actor, now: number): Promise<boolean> {
  if (before.enabled === 1 && before.upstream_model_name === upstreamName) return false
  await updateAudited(tx, before, { upstream_model_name: upstreamName, enabled: 1 }, actor, now)
  return true
}
