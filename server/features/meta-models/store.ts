import type { Insertable, Selectable } from 'kysely'
import type { Database } from '../../db/open.ts'
import type { MetaModelTable } from '../../db/schema.ts'

type Tx = Database['query']
export type MetaModelRow = Selectable<MetaModelTable>
export type NewMetaModel = Omit<Insertable<MetaModelTable>, 'id' | 'created_at' | 'updated_at'>

/** Newest first; all, or a page of them. */
export async function selectMetaModels(
  db: Tx,
  page: { page: number; pageSize: number } | undefined,
): Promise<{ rows: MetaModelRow[]; total: number }> {
  const newest = db.selectFrom('meta_models').selectAll().orderBy('id', 'desc')
  if (!page) {
    const rows = await newest.execute()
    return { rows, total: rows.length }
  }
  const { total } = await db
    .selectFrom('meta_models')
    .select((count) => count.fn.countAll<number>().as('total'))
    .executeTakeFirstOrThrow()
  return {
    rows: await newest
      .limit(page.pageSize)
      .offset((page.page - 1) * page.pageSize)
      .execute(),
    total,
  }
}

export function findMetaModel(db: Tx, id: number): Promise<MetaModelRow | undefined> {
  return db.selectFrom('meta_models').selectAll().where('id', '=', id).executeTakeFirst()
}

export function insertMetaModel(tx: Tx, row: NewMetaModel, now: number): Promise<MetaModelRow> {
  return tx
    .insertInto('meta_models')
    .values({ ...row, created_at: now, updated_at: now })
    .returningAll()
    .executeTakeFirstOrThrow()
}

export function updateMetaModelRow(tx: Tx, id: number, row: NewMetaModel, now: number): Promise<MetaModelRow> {
  return tx
    .updateTable('meta_models')
    .set({ ...row, updated_at: now })
    .where('id', '=', id)
    .returningAll()
    .executeTakeFirstOrThrow()
}

export async function deleteMetaModelRow(tx: Tx, id: number): Promise<void> {
  await tx.deleteFrom('meta_models').where('id', '=', id).execute()
}
