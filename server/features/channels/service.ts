import type { ChannelModelWire } from '../../../contract/api/channel-models.ts'
import type { ChannelWire } from '../../../contract/api/channels.ts'
import type { ChannelOverrideWire, GroupWire } from '../../../contract/api/groups.ts'
import type { BareUserChannelWire } from '../../../contract/api/user-channel-fields.ts'
import { protocolOfType } from '../../../contract/channel-types.ts'
import { AppError } from '../../../contract/errors.ts'
import { formatMoney } from '../../../contract/money.ts'
import type { Database } from '../../db/open.ts'
import type { Deps } from '../../http/deps.ts'
import { isoTime, isoTimeOrNull } from '../../lib/clock.ts'
import { limitFieldsOf } from '../../lib/limit-fields.ts'
import { maskSecret } from '../../lib/secret-box.ts'
import { bindingWires } from '../channel-models/service.ts'
import { groupWires } from '../groups/service.ts'
import { userChannelWires } from '../user-channels/service.ts'
import {
  attachOrphanRows,
  detachChannelRows,
  findChannel,
  hasOrphans,
  selectChannels,
  selectChannelsOf,
  selectNames,
  selectOverrides,
  type ChannelRow,
  type OverrideRow,
} from './store.ts'

type Tx = Database['query']

/** More ids than this are not listed in a query: reading everything is as good, and engines bound the number of parameters. */
const MAX_IDS = 500

/** What channels on the wire are filled with. */
interface Context {
  userChannels: ReadonlyMap<number, BareUserChannelWire>
  bindings: ReadonlyMap<number, ChannelModelWire[]>
  overrides: ReadonlyMap<number, ChannelOverrideWire[]>
}

/** All channels, or a page of them, newest first; with the names of their models. */
export async function listChannelWires(
  deps: Pick<Deps, 'db'>,
  page: { page: number; pageSize: number } | undefined,
  search = '',
): Promise<ChannelWire[] | { items: ChannelWire[]; total: number; page: number; page_size: number }> {
  const db = deps.db.query
  const { rows, total } = await selectChannels(db, page, search)
  const items = await wiresOf(db, rows, false)
  return page ? { items, total, page: page.page, page_size: page.pageSize } : items
}

/** One channel with its models. @throws AppError channel_not_found */
export async function channelWireOf(db: Tx, id: number): Promise<ChannelWire> {
  const row = await findChannel(db, id)
  const [wire] = row ? await wiresOf(db, [row], true) : []
  if (!wire) throw new AppError('channel_not_found')
  return wire
}

/** Upstreams with their models, by user channel, best first. */
export async function channelWiresBy(db: Tx, userChannelIds: readonly number[]): Promise<Map<number | null, ChannelWire[]>> {
  // An empty list of values is no SQL that PostgreSQL knows.
  if (userChannelIds.length === 0) return new Map()
  const rows = await selectChannelsOf(db, userChannelIds.length > MAX_IDS ? undefined : userChannelIds)
  return Map.groupBy(await wiresOf(db, rows, true), ({ user_channel_id: id }) => id)
}

export async function channelExists(db: Tx, id: number): Promise<boolean> {
  return (await findChannel(db, id)) !== undefined
}

/**
 * Takes the upstreams of a user channel out of it. They are switched off too: the next start attaches upstreams without a
 * user channel to the default one, where nobody meant to sell them.
 */
export function detachChannels(tx: Tx, userChannelId: number, now: number): Promise<number[]> {
  return detachChannelRows(tx, userChannelId, now)
}

/** Names of upstreams by id; one that is gone has none. */
export async function channelNames(db: Tx, ids: readonly number[]): Promise<Map<number, string>> {
  return ids.length === 0 ? new Map() : new Map((await selectNames(db, ids)).map(({ id, name }) => [id, name]))
}

/** True when an upstream belongs to no user channel. */
export function hasOrphanChannels(db: Tx): Promise<boolean> {
  return hasOrphans(db)
}

/** Gives upstreams without a user channel to this one (contract.md 1.7). */
export function attachOrphanChannels(tx: Tx, userChannelId: number, now: number): Promise<void> {
  return attachOrphanRows(tx, userChannelId, now)
}

/** Overrides by channel on the wire; one of a group that is gone is left out. */
export function overrideWiresOf(rows: readonly OverrideRow[], groups: ReadonlyMap<number, GroupWire>): ChannelOverrideWire[] {
  return rows.flatMap((row) => {
    const group = groups.get(row.group_id)
    return group
      ? [
          {
            id: row.id,
            channel_id: row.channel_id,
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

async function wiresOf(db: Tx, rows: readonly ChannelRow[], withModel: boolean): Promise<ChannelWire[]> {
  if (rows.length === 0) return []
  const ids = rows.length > MAX_IDS ? undefined : rows.map(({ id }) => id)
  const context: Context = {
    userChannels: await userChannelWires(db),
    bindings: await bindingWires(db, ids, withModel),
    overrides: Map.groupBy(overrideWiresOf(await selectOverrides(db, ids), await groupWires(db)), ({ channel_id: id }) => id),
  }
  return rows.map((row) => wireOf(row, context))
}

function wireOf(row: ChannelRow, { userChannels, bindings, overrides }: Context): ChannelWire {
  const wire: ChannelWire = {
    id: row.id,
    user_channel_id: row.user_channel_id,
    name: row.name,
    type: row.type,
    protocol: protocolOfType(row.type),
    base_url: row.base_url,
    api_key: row.api_key_sealed === '' ? '' : maskSecret(row.api_key_hint),
    multiplier: formatMoney(row.multiplier),
    priority: row.priority,
    weight: row.weight,
    enabled: row.enabled === 1,
    price_sync_enabled: row.price_sync_enabled === 1,
    price_sync_cron: row.price_sync_cron,
    price_sync_last_at: isoTimeOrNull(row.price_sync_last_at),
    consecutive_failures: row.consecutive_failures,
    last_failure_at: isoTimeOrNull(row.last_failure_at),
    last_failure_reason: row.last_failure_reason,
    auto_disabled_at: isoTimeOrNull(row.auto_disabled_at),
    auto_disabled_reason: row.auto_disabled_reason,
    last_health_checked_at: isoTimeOrNull(row.last_health_checked_at),
    last_health_status: row.last_health_status,
    first_byte_timeout_seconds: row.first_byte_timeout_seconds,
    ...limitFieldsOf(row),
    created_at: isoTime(row.created_at),
    updated_at: isoTime(row.updated_at),
    models: bindings.get(row.id) ?? [],
  }
  const userChannel = row.user_channel_id === null ? undefined : userChannels.get(row.user_channel_id)
  if (userChannel) wire.user_channel = userChannel
  const own = overrides.get(row.id)
  if (own) wire.group_multipliers = own
  return wire
}
