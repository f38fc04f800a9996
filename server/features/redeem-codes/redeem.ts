import { AppError, type ErrorCode } from '../../../contract/errors.ts'
import type { Money } from '../../../contract/money.ts'
import type { Deps } from '../../http/deps.ts'
import { accountOf, credit } from '../billing/service.ts'
import { grantGroup } from '../users/service.ts'
import {
  findRedeemCodeByText,
  hasRedeemed,
  insertRedemption,
  markRedemptionCredited,
  selectOwedRedemptions,
  takeUse,
  type RedeemCodeRow,
  type RedemptionRow,
} from './store.ts'

/** Owed credits booked in one run of the job. */
const OWED_BATCH = 500

/** Upper case without spaces and dashes: how a code is stored and compared (contract.md 3.7). */
export function normalCode(text: string): string {
  return text.toUpperCase().replace(/[\s-]/g, '')
}

/**
 * Uses a code: count, record and group in one transaction, which of many tries as many win as there are uses; then the
 * credit, booked once by its reference. What a crash leaves between them `payOwedRedemptions` makes good.
 * @throws AppError redeem_code_unknown | _disabled | _expired | _spent | _used
 */
export async function redeemCode(
  deps: Pick<Deps, 'db' | 'clock' | 'changes'>,
  userId: number,
  text: string,
): Promise<{ amount: Money; balance: Money }> {
  const now = deps.clock.now()
  const { redemption, groupId } = await deps.db.query.transaction().execute(async (tx) => {
    const code = await findRedeemCodeByText(tx, normalCode(text))
    if (!code) throw new AppError('redeem_code_unknown')
    const fault = (await hasRedeemed(tx, code.id, userId)) ? 'redeem_code_used' : faultOf(code, now)
    if (fault) throw new AppError(fault)
    const used = await takeUse(tx, code.id, now)
    if (!used) throw new AppError('redeem_code_spent')
    const made = await insertRedemption(tx, used.id, userId, used.amount, now)
    if (!made) throw new AppError('redeem_code_used')
    if (used.group_id !== null) await grantGroup(tx, userId, used.group_id, used.group_duration_days, now)
    return { redemption: made, groupId: used.group_id }
  })
  if (groupId !== null) await deps.changes.publish({ type: 'user', userId })
  return { amount: redemption.amount, balance: await payRedemption(deps, redemption) }
}

function faultOf(code: RedeemCodeRow, now: number): ErrorCode | undefined {
  if (code.enabled !== 1) return 'redeem_code_disabled'
  if (code.expires_at !== null && code.expires_at <= now) return 'redeem_code_expired'
  return code.used_count >= code.max_uses ? 'redeem_code_spent' : undefined
}

/** Books the money of a use, once; as a gift: it earns no commission. @returns the balance after it */
async function payRedemption(deps: Pick<Deps, 'db' | 'clock'>, row: RedemptionRow): Promise<Money> {
  const account = await accountOf(deps, row.user_id)
  let balance = account.balance
  if (row.amount !== 0n) {
    const reference = `${row.redeem_code_id}:${row.user_id}`
    ;({ balance } = await credit(deps, { accountId: account.id, kind: 'redeem', reference, amount: row.amount, gifted: row.amount }))
  }
  await markRedemptionCredited(deps.db.query, row.id, deps.clock.now())
  return balance
}

/** Books what a crash left between record and credit. */
export async function payOwedRedemptions(deps: Pick<Deps, 'db' | 'clock'>): Promise<void> {
  for (const row of await selectOwedRedemptions(deps.db.query, OWED_BATCH)) await payRedemption(deps, row)
}
