import type { Selectable } from 'kysely'
import type { Database } from '../../db/open.ts'
import type { PricePreviewTable } from '../../db/schema.ts'

type Tx = Database['query']
export type PricePreviewRow = Selectable<PricePreviewTable>

export function selectPreviews(db: Tx): Promise<PricePreviewRow[]> {
  return db.selectFrom('price_previews').selectAll().orderBy('channel_id').execute()
}

export function findPreview(db: Tx, channelId: number): Promise<PricePreviewRow | undefined> {
  return db.selectFrom('price_previews').selectAll().where('channel_id', '=', channelId).executeTakeFirst()
}

/** Keeps a reading in the place of the channel's last one. */
export async function keepPreview(db: Tx, row: PricePreviewRow): Promise<void> {
  const { channel_id: _, ...change } = row
  await db
    .insertInto('price_previews')
    .values(row)
    .onConflict((conflict) => conflict.column('channel_id').doUpdateSet(change))
    .execute()
}

/** Notes a try that failed; what was read before stays. */
export async function noteFailure(db: Tx, channelId: number, error: string, now: number): Promise<void> {
  await db
    .insertInto('price_previews')
    .values({ channel_id: channelId, source: '', items: '[]', skipped: 0, error, fetched_at: null, tried_at: now })
    .onConflict((conflict) => conflict.column('channel_id').doUpdateSet({ error, tried_at: now }))
    .execute()
}

/** Previews of channels that are gone. */
export async function dropOrphans(db: Tx): Promise<void> {
  await db.deleteFrom('price_previews').where('channel_id', 'not in', db.selectFrom('channels').select('id')).execute()
}
