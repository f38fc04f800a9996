import type { BareUserChannelWire } from '../../../contract/api/user-channel-fields.ts'
import { routingAlgorithmOf } from '../../../contract/api/user-channels.ts'
import { formatMoney, money, MONEY_ONE } from '../../../contract/money.ts'
import type { Database } from '../../db/open.ts'
import { isoTime } from '../../lib/clock.ts'
import { findUserChannel, findUserChannelByName, insertUserChannelOnce, selectUserChannels, type UserChannelRow } from './store.ts'

type Tx = Database['query']

/** The user channel there is from the start (contract.md 1.7). */
const DEFAULT_USER_CHANNEL = 'default'

export function userChannelWireOf(row: UserChannelRow): BareUserChannelWire {
  return {
    id: row.id,
    name: row.name,
    description: row.description,
    multiplier: formatMoney(row.multiplier),
    routing_algorithm: routingAlgorithmOf(row.routing_algorithm),
    enabled: row.enabled === 1,
    hedge_delay_ms: row.hedge_delay_ms,
    created_at: isoTime(row.created_at),
    updated_at: isoTime(row.updated_at),
  }
}

/** Every user channel by id, without upstreams. */
export async function userChannelWires(db: Tx): Promise<Map<number, BareUserChannelWire>> {
  const { rows } = await selectUserChannels(db)
  return new Map(rows.map((row) => [row.id, userChannelWireOf(row)]))
}

export async function userChannelExists(db: Tx, id: number): Promise<boolean> {
  return (await findUserChannel(db, id)) !== undefined
}

/** The id of the user channel called `default`, if there is one. */
export async function defaultUserChannelId(db: Tx): Promise<number | undefined> {
  return (await findUserChannelByName(db, DEFAULT_USER_CHANNEL))?.id
}

/**
 * Makes the default user channel and says which one it is; at each start.
 * @param needed an upstream waits for it; without one it is made only when there is no user channel at all, so that an
 * owner may rename or delete it
 */
export async function ensureDefaultUserChannel(tx: Tx, needed: boolean, now: number): Promise<number | undefined> {
  const { total } = await selectUserChannels(tx)
  if (needed || total === 0) {
    await insertUserChannelOnce(
      tx,
      {
        name: DEFAULT_USER_CHANNEL,
        description: 'Default user-facing channel',
        multiplier: money(MONEY_ONE),
        routing_algorithm: 'priority',
        enabled: 1,
        hedge_delay_ms: null,
      },
      now,
    )
  }
  return defaultUserChannelId(tx)
}
