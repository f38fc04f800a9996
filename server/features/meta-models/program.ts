import { AppError } from '../../../contract/errors.ts'
import type { Json } from '../../../contract/json.ts'
import { analyse, describe, type Analysis } from '../../relay/meta/language.ts'
import type { PlatformNames } from '../catalog/names.ts'

export type GoodProgram = Extract<Analysis, { ok: true }>

/**
 * A program that may be stored or tried.
 * @param self the meta model's own name, "" while it has none
 * @throws AppError meta_program_invalid with the first mistake in words and all of them with their places
 */
export function requireProgram(dsl: string, self: string, { models, metaModels }: PlatformNames): GoodProgram {
  const analysis = analyse(dsl, {
    self,
    isModel: (name) => models.has(name),
    isMetaModel: (name) => metaModels.has(name),
    models: () => models,
  })
  if (analysis.ok) return analysis
  const { diagnostics } = analysis
  // A text that cannot be read comes before what it would mean.
  const first = diagnostics.find(({ code }) => code === 'syntax') ?? diagnostics.find(({ severity }) => severity === 'error')
  throw new AppError('meta_program_invalid', {
    ...(first && { message: describe(first) }),
    param: 'dsl',
    details: { diagnostics: diagnostics.map((found): Json => ({ ...found })) },
  })
}
