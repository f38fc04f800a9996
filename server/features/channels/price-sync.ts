import type { Database } from '../../db/open.ts'
import { claimSync, selectSyncable, selectEnabledIds } from './store.ts'

/** A channel whose price list is read by schedule. */
export interface SyncableChannel {
  id: number
  cron: string
  /** Of the last reading, or when the channel was last edited: a new plan does not begin with the past. */
  since: number
  lastAt: number | null
}

/** Channels that are on and whose price list is to be read by schedule. */
export async function syncableChannels(db: Database['query']): Promise<SyncableChannel[]> {
  const rows = await selectSyncable(db)
  return rows.map((row) => ({
    id: row.id,
    cron: row.price_sync_cron,
    since: row.price_sync_last_at ?? row.updated_at,
    lastAt: row.price_sync_last_at,
  }))
}

/** Takes a reading upon this process. @returns false when another one was faster */
export function claimPriceSync(db: Database['query'], { id, lastAt }: SyncableChannel, now: number): Promise<boolean> {
  return claimSync(db, id, lastAt, now)
}

/** Channels that are on. */
export function enabledChannelIds(db: Database['query']): Promise<number[]> {
  return selectEnabledIds(db)
}
