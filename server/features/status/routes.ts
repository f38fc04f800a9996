import { pageOf } from '../../../contract/api/common.ts'
import {
  checkMonitor,
  createMonitor as createEndpoint,
  deleteMonitor as deleteEndpoint,
  getPublicStatus,
  listMonitors,
  updateMonitor as updateEndpoint,
} from '../../../contract/api/status.ts'
import { bind, type Route } from '../../http/bind.ts'
import type { Deps } from '../../http/deps.ts'
import { PublicStatus } from './public.ts'
import { allMonitors, checkWireOf, createMonitor, deleteMonitor, updateMonitor } from './service.ts'
import type { CheckRow } from './store.ts'

/** Checks one monitor at once. @throws AppError monitor_not_found */
export type CheckNow = (id: number) => Promise<CheckRow>

/** Status monitors and the public status of the site. */
export function statusRoutes(deps: Deps, checkNow: CheckNow): Route[] {
  const status = new PublicStatus(deps)
  const changed = async <T>(work: Promise<T>): Promise<T> => {
    const result = await work
    status.forget()
    return result
  }
  return [
    bind(getPublicStatus, ({ query }) => status.get(query.days ?? 0)),
    bind(listMonitors, ({ query }) => allMonitors(deps, pageOf(query))),
    bind(createEndpoint, ({ body, caller, ip }) => changed(createMonitor(deps, body, { userId: caller.userId, ip }))),
    bind(updateEndpoint, ({ params, body, caller, ip }) => changed(updateMonitor(deps, params.id, body, { userId: caller.userId, ip }))),
    bind(deleteEndpoint, async ({ params, caller, ip }) => {
      await changed(deleteMonitor(deps, params.id, { userId: caller.userId, ip }))
      return { message: 'Status monitor deleted' }
    }),
    bind(checkMonitor, async ({ params }) => checkWireOf(await changed(checkNow(params.id)))),
  ]
}
