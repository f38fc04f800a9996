import { pageOf } from '../../../contract/api/common.ts'
import * as api from '../../../contract/api/models.ts'
import { bind, type Route } from '../../http/bind.ts'
import type { Deps } from '../../http/deps.ts'
import { createModel, deleteModel, updateModel } from './edit.ts'
import { listModelWires, modelWireOf, priceHistory, requireModel } from './service.ts'

/** Models of the platform and their prices. */
export function modelsRoutes(deps: Deps): Route[] {
  return [
    bind(api.listModels, ({ query }) => listModelWires(deps, pageOf(query), query.q)),
    bind(api.getModel, async ({ params }) => modelWireOf(await requireModel(deps.db.query, params.id))),
    bind(api.createModel, ({ body, caller, ip }) => createModel(deps, body, { userId: caller.userId, ip })),
    bind(api.updateModel, ({ params, body, caller, ip }) => updateModel(deps, params.id, body, { userId: caller.userId, ip })),
    bind(api.deleteModel, async ({ params, caller, ip }) => {
      await deleteModel(deps, params.id, { userId: caller.userId, ip })
      return { message: 'Model deleted' }
    }),
    bind(api.modelPriceHistory, ({ params, query }) => priceHistory(deps, params.id, pageOf(query))),
  ]
}
