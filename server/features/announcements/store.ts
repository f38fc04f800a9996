import type { Insertable, Selectable } from 'kysely'
import type { Database } from '../../db/open.ts'
import type { AnnouncementTable } from '../../db/schema.ts'

type Tx = Database['query']
export type AnnouncementRow = Selectable<AnnouncementTable>
export type AnnouncementFields = Pick<Insertable<AnnouncementTable>, 'title' | 'content' | 'enabled' | 'sort_order'>

/** By `sort_order`, the newest first among equals; all, or those that are switched on. */
export function selectAnnouncements(
  db: Tx,
  options: { enabledOnly?: boolean; page?: { page: number; pageSize: number } | undefined } = {},
): Promise<AnnouncementRow[]> {
  const { enabledOnly, page } = options
  let rows = db.selectFrom('announcements').selectAll()
  if (enabledOnly) rows = rows.where('enabled', '=', 1)
  if (page) rows = rows.limit(page.pageSize).offset((page.page - 1) * page.pageSize)
  return rows.orderBy('sort_order').orderBy('created_at', 'desc').orderBy('id', 'desc').execute()
}

export async function countAnnouncements(db: Tx): Promise<number> {
  const { total } = await db
    .selectFrom('announcements')
    .select((count) => count.fn.countAll<number>().as('total'))
    .executeTakeFirstOrThrow()
  return total
}

export function findAnnouncement(db: Tx, id: number): Promise<AnnouncementRow | undefined> {
  return db.selectFrom('announcements').selectAll().where('id', '=', id).executeTakeFirst()
}

export function insertAnnouncement(tx: Tx, fields: AnnouncementFields, now: number): Promise<AnnouncementRow> {
  return tx
    .insertInto('announcements')
    .values({ ...fields, created_at: now, updated_at: now })
    .returningAll()
    .executeTakeFirstOrThrow()
}

export function updateAnnouncementRow(tx: Tx, id: number, fields: AnnouncementFields, now: number): Promise<AnnouncementRow> {
  return tx
    .updateTable('announcements')
    .set({ ...fields, updated_at: now })
    .where('id', '=', id)
    .returningAll()
    .executeTakeFirstOrThrow()
}

export async function deleteAnnouncementRow(tx: Tx, id: number): Promise<void> {
  await tx.deleteFrom('announcements').where('id', '=', id).execute()
}
