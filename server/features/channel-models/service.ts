import type { ChannelModelWire } from '../../../contract/api/channel-models.ts'
import type { GroupWire, ModelOverrideWire } from '../../../contract/api/groups.ts'
import type { ModelWire } from '../../../contract/api/models.ts'
import { formatMoney } from '../../../contract/money.ts'
import { cardWire } from '../../../contract/prices.ts'
import { decodeCard } from '../../../contract/quote.ts'
import type { Database } from '../../db/open.ts'
import { isoTime } from '../../lib/clock.ts'
import { limitFieldsOf } from '../../lib/limit-fields.ts'
import { groupWires } from '../groups/service.ts'
import { modelWires } from '../models/service.ts'
import { deleteBindings, selectBindings, selectOverrides, type BindingRow, type OverrideRow } from './store.ts'

type Tx = Database['query']

/**
 * Bindings by channel, of the given channels or of all: four queries, however many.
 * @param withModel the whole model in each, not only its name
 */
export async function bindingWires(
  db: Tx,
  channelIds: readonly number[] | undefined,
  withModel: boolean,
): Promise<Map<number, ChannelModelWire[]>> {
  const byChannel = new Map<number, ChannelModelWire[]>()
  if (channelIds?.length === 0) return byChannel
  const bindings = await selectBindings(db, channelIds)
  const models = await modelWires(db)
  const groups = await groupWires(db)
  const overrides = Map.groupBy(await selectOverrides(db, channelIds), ({ channel_model_id: id }) => id)
  for (const binding of bindings) {
    const model = models.get(binding.model_id)
    if (!model) continue
    const wire = bindingWireOf(binding, model, overrideWiresOf(overrides.get(binding.id) ?? [], groups))
    if (!withModel) delete wire.model
    const list = byChannel.get(binding.channel_id)
    if (list) list.push(wire)
    else byChannel.set(binding.channel_id, [wire])
  }
  return byChannel
}

/** One binding on the wire. */
export function bindingWireOf(binding: BindingRow, model: ModelWire, overrides: ModelOverrideWire[]): ChannelModelWire {
  const wire: ChannelModelWire = {
    id: binding.id,
    channel_id: binding.channel_id,
    model_id: binding.model_id,
    model,
    upstream_model_name: binding.upstream_model_name,
    input_price: '0',
    output_price: '0',
    cost: binding.cost_card === null ? null : cardWire(decodeCard(binding.cost_card)),
    enabled: binding.enabled === 1,
    first_byte_timeout_seconds: binding.first_byte_timeout_seconds,
    ...limitFieldsOf(binding),
    created_at: isoTime(binding.created_at),
    updated_at: isoTime(binding.updated_at),
    model_name: model.model_name,
  }
  if (overrides.length > 0) wire.group_multipliers = overrides
  if (model.provider !== '') wire.provider = model.provider
  if (model.provider_icon_url !== '') wire.provider_icon_url = model.provider_icon_url
  return wire
}

/** Overrides of one binding on the wire; one of a group that is gone is left out. */
export function overrideWiresOf(rows: readonly OverrideRow[], groups: ReadonlyMap<number, GroupWire>): ModelOverrideWire[] {
  return rows.flatMap((row) => {
    const group = groups.get(row.group_id)
    return group
      ? [
          {
            id: row.id,
            model_config_id: row.channel_model_id,
            group_id: row.group_id,
            group,
            multiplier: formatMoney(row.multiplier),
            created_at: isoTime(row.created_at),
            updated_at: isoTime(row.updated_at),
          },
        ]
      : []
  })
}

/** Takes a deleted channel's bindings along. */
export function deleteBindingsOfChannel(tx: Tx, channelId: number): Promise<void> {
  return deleteBindings(tx, 'channel_id', channelId)
}

/** Takes a deleted model's bindings along. */
export function deleteBindingsOfModel(tx: Tx, modelId: number): Promise<void> {
  return deleteBindings(tx, 'model_id', modelId)
}
