import type { ChangedMetaModel, MetaModelBody, MetaModelWire } from '../../../contract/api/meta-models.ts'
import { AppError } from '../../../contract/errors.ts'
import { cardOf, cardWire } from '../../../contract/prices.ts'
import { decodeCard, encodeCard, type PriceCard } from '../../../contract/quote.ts'
import type { Database } from '../../db/open.ts'
import type { Deps } from '../../http/deps.ts'
import { isoTime } from '../../lib/clock.ts'
import { format } from '../../relay/meta/format.ts'
import { recordAudit } from '../audit/service.ts'
import { changeRouting, type Actor } from '../catalog/change.ts'
import { platformNames } from '../catalog/names.ts'
import { requireProgram, type GoodProgram } from './program.ts'
import {
  deleteMetaModelRow,
  findMetaModel,
  insertMetaModel,
  selectMetaModels,
  updateMetaModelRow,
  type MetaModelRow,
  type NewMetaModel,
} from './store.ts'

/** Who makes a meta model, where nothing else is said (contract.md 3.7). */
const PROVIDER = { provider: 'meta', provider_name: 'Meta Module' }
const NO_PRICES: PriceCard = { prices: {}, tiers: {}, quotaType: 0 }

function wireOf(row: MetaModelRow): MetaModelWire {
  return {
    id: row.id,
    name: row.name,
    description: row.description,
    dsl: row.dsl,
    billing_mode: row.billing_mode === 'meta' ? 'meta' : 'actual',
    ...cardWire(decodeCard(row.price_card)),
    provider: row.provider,
    provider_name: row.provider_name,
    provider_icon_url: row.provider_icon_url,
    expose_referenced_models: row.expose_referenced_models === 1,
    enabled: row.enabled === 1,
    created_at: isoTime(row.created_at),
    updated_at: isoTime(row.updated_at),
  }
}

/** All, newest first, or a page of them. */
export async function listMetaModelWires(
  deps: Pick<Deps, 'db'>,
  page: { page: number; pageSize: number } | undefined,
): Promise<MetaModelWire[] | { items: MetaModelWire[]; total: number; page: number; page_size: number }> {
  const { rows, total } = await selectMetaModels(deps.db.query, page)
  const items = rows.map(wireOf)
  return page ? { items, total, page: page.page, page_size: page.pageSize } : items
}

/** Checks a program without storing it; a missing name is allowed. @throws AppError meta_program_invalid */
export async function validateProgram(
  deps: Pick<Deps, 'db'>,
  dsl: string,
  name: string,
): Promise<Pick<GoodProgram, 'plan' | 'diagnostics'> & { formatted: string }> {
  if (dsl.trim() === '') throw new AppError('bad_request', { message: 'DSL is required', param: 'dsl' })
  const { plan, diagnostics } = requireProgram(dsl, name, await platformNames(deps.db.query))
  return { plan, diagnostics, formatted: format(dsl) }
}

/** @throws AppError meta_program_invalid | meta_name_is_model | name_taken */
export function createMeta(deps: Deps, body: MetaModelBody, actor: Actor): Promise<ChangedMetaModel> {
  return change(deps, body, actor, () => Promise.resolve(undefined))
}

/** @throws AppError meta_model_not_found | meta_program_invalid | meta_name_is_model | name_taken */
export function updateMeta(deps: Deps, id: number, body: MetaModelBody, actor: Actor): Promise<ChangedMetaModel> {
  return change(deps, body, actor, async (tx) => {
    const before = await findMetaModel(tx, id)
    if (!before) throw new AppError('meta_model_not_found')
    return before
  })
}

async function change(
  deps: Deps,
  body: MetaModelBody,
  actor: Actor,
  find: (tx: Database['query']) => Promise<MetaModelRow | undefined>,
): Promise<ChangedMetaModel> {
  const { row, program } = await changeRouting(deps, 'name_taken', async (tx, now) => {
    const before = await find(tx)
    const names = await platformNames(tx)
    if (names.models.has(body.name)) throw new AppError('meta_name_is_model', { param: 'name' })
    const program = requireProgram(body.dsl, body.name, names)
    const next = rowOf(body, before)
    const row = before ? await updateMetaModelRow(tx, before.id, next, now) : await insertMetaModel(tx, next, now)
    await recordAudit(tx, {
      actorUserId: actor.userId,
      action: before ? 'update' : 'create',
      objectType: 'meta_model',
      objectId: row.id,
      before: before && { ...before },
      after: { ...row },
      ip: actor.ip,
      now,
    })
    return { row, program }
  })
  return { meta_model: wireOf(row), plan: program.plan, diagnostics: [...program.diagnostics] }
}

/** In `actual` mode the real models' prices count; prices sent along are not kept (contract.md 3.7). */
function rowOf(body: MetaModelBody, before: MetaModelRow | undefined): NewMetaModel {
  const mode = body.billing_mode ?? 'actual'
  const flag = (given: boolean | null | undefined, kept: number | undefined): number =>
    typeof given === 'boolean' ? Number(given) : (kept ?? 1)
  return {
    name: body.name,
    description: body.description ?? '',
    dsl: body.dsl,
    billing_mode: mode,
    price_card: encodeCard(mode === 'meta' ? cardOf(body, 0) : NO_PRICES),
    provider: body.provider || (before?.provider ?? PROVIDER.provider),
    provider_name: body.provider_name || (before?.provider_name ?? PROVIDER.provider_name),
    provider_icon_url: body.provider_icon_url ?? before?.provider_icon_url ?? '',
    expose_referenced_models: flag(body.expose_referenced_models, before?.expose_referenced_models),
    enabled: flag(body.enabled, before?.enabled),
  }
}

/** Deletes a meta model; one that is gone already is fine. */
export async function deleteMeta(deps: Deps, id: number, actor: Actor): Promise<void> {
  await changeRouting(deps, 'conflict', async (tx, now) => {
    const before = await findMetaModel(tx, id)
    if (!before) return
    await deleteMetaModelRow(tx, id)
    await recordAudit(tx, {
      actorUserId: actor.userId,
      action: 'delete',
      objectType: 'meta_model',
      objectId: id,
      before: { ...before },
      ip: actor.ip,
      now,
    })
  })
}
