import type { ModelWire, PriceVersionWire } from '../../../contract/api/models.ts'
import { AppError } from '../../../contract/errors.ts'
import { cardWire } from '../../../contract/prices.ts'
import { providerOf } from '../../../contract/providers.ts'
import { decodeCard, encodeCard, isPriced, type PriceCard } from '../../../contract/quote.ts'
import type { Database } from '../../db/open.ts'
import type { Deps } from '../../http/deps.ts'
import { isoTime } from '../../lib/clock.ts'
import { recordAudit } from '../audit/service.ts'
import type { Actor } from '../catalog/change.ts'
import { requireNoMetaModel } from '../catalog/names.ts'
import {
  findModel,
  findModelByName,
  insertModel,
  insertPriceVersion,
  selectModels,
  selectPriceVersions,
  updateModelRow,
  type ModelChange,
  type ModelRow,
  type NewModel,
  type PriceVersionRow,
} from './store.ts'

export type { ModelRow } from './store.ts'

type Tx = Database['query']
type Page = { page: number; pageSize: number } | undefined
interface Paged<T> {
  items: T[]
  total: number
  page: number
  page_size: number
}

/** A card without any price: what a model has until someone prices it (W43). */
const NO_PRICES: PriceCard = { prices: {}, tiers: {}, quotaType: 0 }

export function modelWireOf(row: ModelRow): ModelWire {
  const card = decodeCard(row.price_card)
  return {
    id: row.id,
    model_name: row.model_name,
    provider: row.provider,
    provider_icon_url: row.provider_icon_url,
    ...cardWire(card),
    quota_type: row.quota_type === 1 ? 1 : 0,
    free: row.free === 1,
    priced: isPriced(card),
    max_output_tokens: row.max_output_tokens,
    enabled: row.enabled === 1,
    created_at: isoTime(row.created_at),
    updated_at: isoTime(row.updated_at),
  }
}

function versionWireOf(row: PriceVersionRow): PriceVersionWire {
  return {
    id: row.id,
    model_id: row.model_id,
    ...cardWire(decodeCard(row.price_card)),
    quota_type: row.quota_type === 1 ? 1 : 0,
    free: row.free === 1,
    actor_user_id: row.actor_user_id,
    source: row.source,
    created_at: isoTime(row.created_at),
  }
}

/** All models by name, or a page of them, newest first. */
export async function listModelWires(deps: Pick<Deps, 'db'>, page: Page, search = ''): Promise<ModelWire[] | Paged<ModelWire>> {
  const { rows, total } = await selectModels(deps.db.query, page, search)
  const items = rows.map(modelWireOf)
  return page ? { items, total, page: page.page, page_size: page.pageSize } : items
}

/** Every model by id, for objects that name models. */
export async function modelWires(db: Tx): Promise<Map<number, ModelWire>> {
  const { rows } = await selectModels(db, undefined)
  return new Map(rows.map((row) => [row.id, modelWireOf(row)]))
}

/** @throws AppError catalog_model_not_found */
export async function requireModel(db: Tx, id: number): Promise<ModelRow> {
  const row = await findModel(db, id)
  if (!row) throw new AppError('catalog_model_not_found')
  return row
}

/** The model, or undefined when there is none. */
export function modelById(db: Tx, id: number): Promise<ModelRow | undefined> {
  return findModel(db, id)
}

/** Every model by its name. */
export async function modelRowsByName(db: Tx): Promise<Map<string, ModelRow>> {
  const { rows } = await selectModels(db, undefined)
  return new Map(rows.map((row) => [row.model_name, row]))
}

/** Price versions of a model, newest first. @throws AppError catalog_model_not_found */
export async function priceHistory(deps: Pick<Deps, 'db'>, id: number, page: Page): Promise<PriceVersionWire[] | Paged<PriceVersionWire>> {
  await requireModel(deps.db.query, id)
  const { rows, total } = await selectPriceVersions(deps.db.query, id, page)
  const items = rows.map(versionWireOf)
  return page ? { items, total, page: page.page, page_size: page.pageSize } : items
}

/** Who changes a model and why: `source` is `manual` or the name of an import. */
export interface ModelEdit extends Actor {
  source: string
}

/** Inserts a model with its first price version, if it has a price. @throws AppError name_is_meta_model */
export async function addModel(tx: Tx, model: NewModel, edit: ModelEdit, now: number): Promise<ModelRow> {
  await requireNoMetaModel(tx, model.model_name)
  const row = await insertModel(tx, model, now)
  if (row.free === 1 || isPriced(decodeCard(row.price_card))) await addVersion(tx, row, edit, now)
  await recordAudit(tx, {
    actorUserId: edit.userId,
    action: 'create',
    objectType: 'model',
    objectId: row.id,
    after: { ...row },
    ip: edit.ip,
    now,
  })
  return row
}

/** Changes a model; a change of price leaves a version (W46). @throws AppError name_is_meta_model */
export async function changeModel(tx: Tx, before: ModelRow, change: ModelChange, edit: ModelEdit, now: number): Promise<ModelRow> {
  if (change.model_name !== undefined && change.model_name !== before.model_name) await requireNoMetaModel(tx, change.model_name)
  const after = await updateModelRow(tx, before.id, change, now)
  if (after.price_card !== before.price_card || after.quota_type !== before.quota_type || after.free !== before.free)
    await addVersion(tx, after, edit, now)
  await recordAudit(tx, {
    actorUserId: edit.userId,
    action: 'update',
    objectType: 'model',
    objectId: after.id,
    before: { ...before },
    after: { ...after },
    ip: edit.ip,
    now,
  })
  return after
}

async function addVersion(tx: Tx, row: ModelRow, edit: ModelEdit, now: number): Promise<void> {
  await insertPriceVersion(tx, {
    model_id: row.id,
    price_card: row.price_card,
    quota_type: row.quota_type,
    free: row.free,
    actor_user_id: edit.userId,
    source: edit.source,
    created_at: now,
  })
}

/**
 * The model of that name, made when there is none: enabled, without price, so not for sale before someone prices it
 * (W43). An existing one is neither renamed nor enabled (W42); a maker that is given is noted.
 */
export async function ensureModel(
  tx: Tx,
  input: { name: string; provider: string; iconUrl: string },
  edit: ModelEdit,
  now: number,
): Promise<ModelRow> {
  const found = await findModelByName(tx, input.name)
  const provider = providerOf(input.provider, input.name).id
  if (!found) {
    return addModel(
      tx,
      {
        model_name: input.name,
        provider,
        provider_icon_url: input.iconUrl,
        price_card: encodeCard(NO_PRICES),
        quota_type: 0,
        free: 0,
        max_output_tokens: null,
        enabled: 1,
      },
      edit,
      now,
    )
  }
  const next = {
    provider: input.provider === '' ? found.provider : provider,
    provider_icon_url: input.iconUrl === '' ? found.provider_icon_url : input.iconUrl,
  }
  const same = next.provider === found.provider && next.provider_icon_url === found.provider_icon_url
  return same ? found : changeModel(tx, found, next, edit, now)
}
