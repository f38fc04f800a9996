import { pageOf } from '../../../contract/api/common.ts'
import {
  createRedeemCode,
  createRedeemCodes,
  deleteRedeemCode,
  listRedeemCodes,
  redeem,
  updateRedeemCode,
} from '../../../contract/api/redeem-codes.ts'
import { AppError } from '../../../contract/errors.ts'
import { formatMoney } from '../../../contract/money.ts'
import { bind, type Route } from '../../http/bind.ts'
import type { Deps } from '../../http/deps.ts'
import { RateLimiter } from '../../lib/rate-limit.ts'
import { redeemCode } from './redeem.ts'
import { createCodes, deleteCode, listCodes, updateCode } from './service.ts'

/** Tries per user and minute: enough for a stack of vouchers, too few to guess one. */
const TRIES_PER_MINUTE = 20

/** Codes that are worth money or a group. */
export function redeemCodesRoutes(deps: Deps): Route[] {
  const tries = new RateLimiter(deps.clock)
  return [
    bind(listRedeemCodes, ({ query }) => listCodes(deps, pageOf(query))),
    bind(createRedeemCode, async ({ body, caller, ip }) => {
      const [made] = await createCodes(deps, body, 1, { userId: caller.userId, ip })
      if (!made) throw new AppError('internal')
      return made
    }),
    bind(createRedeemCodes, ({ body, caller, ip }) => createCodes(deps, body, body.count, { userId: caller.userId, ip })),
    bind(updateRedeemCode, ({ params, body, caller, ip }) => updateCode(deps, params.id, body, { userId: caller.userId, ip })),
    bind(deleteRedeemCode, async ({ params, caller, ip }) => {
      await deleteCode(deps, params.id, { userId: caller.userId, ip })
      return { message: 'Redeem code deleted' }
    }),
    bind(redeem, async ({ body, caller }) => {
      const wait = tries.take(caller.userId, TRIES_PER_MINUTE)
      if (wait > 0) throw new AppError('too_many_requests', { retryAfterSeconds: wait })
      const { amount, balance } = await redeemCode(deps, caller.userId, body.code)
      return { amount: formatMoney(amount), balance: formatMoney(balance) }
    }),
  ]
}
