import { AppError } from '../../../contract/errors.ts'
import type { Database } from '../../db/open.ts'
import { isMetaModelName, selectModelNames } from './store.ts'

/** What the names of the platform stand for now; models and meta models share one space of names (W102). */
export interface PlatformNames {
  readonly models: ReadonlySet<string>
  readonly metaModels: ReadonlySet<string>
}

/** Reads all names, also inside a transaction that is about to add one. */
export async function platformNames(db: Database['query']): Promise<PlatformNames> {
  const { models, metaModels } = await selectModelNames(db)
  return { models: new Set(models), metaModels: new Set(metaModels) }
}

/** @throws AppError name_is_meta_model when a model of this name would be hidden */
export async function requireNoMetaModel(db: Database['query'], name: string): Promise<void> {
  if (await isMetaModelName(db, name)) throw new AppError('name_is_meta_model', { param: 'model_name' })
}
