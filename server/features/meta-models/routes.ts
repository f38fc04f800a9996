import { pageOf } from '../../../contract/api/common.ts'
import * as api from '../../../contract/api/meta-models.ts'
import { bind, type Route } from '../../http/bind.ts'
import type { Deps } from '../../http/deps.ts'
import { platformNames } from '../catalog/names.ts'
import type { Catalog } from '../catalog/service.ts'
import { requireProgram } from './program.ts'
import { createMeta, deleteMeta, listMetaModelWires, updateMeta, validateProgram } from './service.ts'
import { simulate } from './simulate.ts'

/** Models that are programs over other models. */
export function metaModelsRoutes(deps: Deps, catalog: Catalog): Route[] {
  return [
    bind(api.listMetaModels, ({ query }) => listMetaModelWires(deps, pageOf(query))),
    bind(api.createMetaModel, ({ body, caller, ip }) => createMeta(deps, body, { userId: caller.userId, ip })),
    bind(api.validateMetaModel, async ({ body }) => {
      const { plan, formatted, diagnostics } = await validateProgram(deps, body.dsl ?? '', body.name ?? '')
      return { plan, formatted, diagnostics: [...diagnostics] }
    }),
    bind(api.simulateMetaModel, async ({ body }) => {
      const program = requireProgram(body.dsl, body.name ?? '', await platformNames(deps.db.query))
      const groupMode = deps.settings.text('group_multiplier_mode') === 'min' ? 'min' : 'max'
      return { results: simulate(program, body, catalog.snapshot, groupMode), diagnostics: [...program.diagnostics] }
    }),
    bind(api.updateMetaModel, ({ params, body, caller, ip }) => updateMeta(deps, params.id, body, { userId: caller.userId, ip })),
    bind(api.deleteMetaModel, async ({ params, caller, ip }) => {
      await deleteMeta(deps, params.id, { userId: caller.userId, ip })
      return { message: 'Meta model deleted' }
    }),
  ]
}
