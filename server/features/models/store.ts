import type { Insertable, Selectable, Updateable } from 'kysely'
import type { Database } from '../../db/open.ts'
import { contains } from '../../db/search.ts'
import type { ModelTable, PriceVersionTable } from '../../db/schema.ts'

type Tx = Database['query']
type Page = { page: number; pageSize: number } | undefined
export type ModelRow = Selectable<ModelTable>
export type NewModel = Omit<Insertable<ModelTable>, 'id' | 'created_at' | 'updated_at'>
export type ModelChange = Omit<Updateable<ModelTable>, 'id' | 'created_at' | 'updated_at'>
export type PriceVersionRow = Selectable<PriceVersionTable>

/** All by name; a page of them newest first. */
export async function selectModels(db: Tx, page: Page, search = ''): Promise<{ rows: ModelRow[]; total: number }> {
  let all = db.selectFrom('models')
  if (search !== '') all = all.where(contains(['model_name', 'provider'], search))
  if (!page) {
    const rows = await all.selectAll().orderBy('model_name').execute()
    return { rows, total: rows.length }
  }
  const { total } = await all.select((count) => count.fn.countAll<number>().as('total')).executeTakeFirstOrThrow()
  return {
    rows: await all
      .selectAll()
      .orderBy('id', 'desc')
      .limit(page.pageSize)
      .offset((page.page - 1) * page.pageSize)
      .execute(),
    total,
  }
}

export function findModel(db: Tx, id: number): Promise<ModelRow | undefined> {
  return db.selectFrom('models').selectAll().where('id', '=', id).executeTakeFirst()
}

export function findModelByName(db: Tx, name: string): Promise<ModelRow | undefined> {
  return db.selectFrom('models').selectAll().where('model_name', '=', name).executeTakeFirst()
}

export function insertModel(tx: Tx, model: NewModel, now: number): Promise<ModelRow> {
  return tx
    .insertInto('models')
    .values({ ...model, created_at: now, updated_at: now })
    .returningAll()
    .executeTakeFirstOrThrow()
}

export function updateModelRow(tx: Tx, id: number, change: ModelChange, now: number): Promise<ModelRow> {
  return tx
    .updateTable('models')
    .set({ ...change, updated_at: now })
    .where('id', '=', id)
    .returningAll()
    .executeTakeFirstOrThrow()
}

/** The model and its price versions; what binds it to channels is the caller's. */
export async function deleteModelRows(tx: Tx, id: number): Promise<void> {
  await tx.deleteFrom('price_versions').where('model_id', '=', id).execute()
  await tx.deleteFrom('models').where('id', '=', id).execute()
}

export async function insertPriceVersion(tx: Tx, row: Insertable<PriceVersionTable>): Promise<void> {
  await tx.insertInto('price_versions').values(row).execute()
}

/** Newest first. */
export async function selectPriceVersions(db: Tx, modelId: number, page: Page): Promise<{ rows: PriceVersionRow[]; total: number }> {
  const all = db.selectFrom('price_versions').where('model_id', '=', modelId)
  const ordered = all.selectAll().orderBy('id', 'desc')
  if (!page) {
    const rows = await ordered.execute()
    return { rows, total: rows.length }
  }
  const { total } = await all.select((count) => count.fn.countAll<number>().as('total')).executeTakeFirstOrThrow()
  return {
    rows: await ordered
      .limit(page.pageSize)
      .offset((page.page - 1) * page.pageSize)
      .execute(),
    total,
  }
}
