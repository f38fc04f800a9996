import { getStatement } from '../../../contract/api/statements.ts'
import { AppError } from '../../../contract/errors.ts'
import { bind, type Route } from '../../http/bind.ts'
import { mayCall } from '../../http/caller.ts'
import type { Deps } from '../../http/deps.ts'
import { statementOf } from './service.ts'

/** Months of an account. */
export function statementsRoutes(deps: Deps): Route[] {
  return [
    bind(getStatement, ({ params, query, caller }) => {
      const userId = query.user_id ?? caller.userId
      if (userId !== caller.userId && !mayCall(caller.role, 'support')) throw new AppError('admin_required')
      return statementOf(deps, userId, params.month)
    }),
  ]
}
