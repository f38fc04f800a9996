import { getLogPayload } from '../../../contract/api/payloads.ts'
import { bind, type Route } from '../../http/bind.ts'
import type { Deps } from '../../http/deps.ts'
import { readPayload } from './service.ts'

/** What customers asked and were answered, where it is recorded. */
export function payloadsRoutes(deps: Deps): Route[] {
  return [bind(getLogPayload, ({ caller, ip, params }) => readPayload(deps, params.id, { userId: caller.userId, ip }))]
}
