import { payOwedCheckIns } from '../features/check-ins/service.ts'
import { clawBackCommissions } from '../features/payments/refunds.ts'
import { payOwedRedemptions } from '../features/redeem-codes/redeem.ts'
import { bookClawbacks } from '../features/referrals/claw-back.ts'
import { creditDueCommissions, earnCommissions } from '../features/referrals/earn.ts'
import type { Deps } from '../http/deps.ts'

/** How often commissions are looked for and owed rewards made good. */
export const REWARDS_MS = 60_000

/** Finds, credits and takes back commissions; books rewards whose process died between record and credit. */
export async function payRewards(deps: Pick<Deps, 'db' | 'clock' | 'settings'>): Promise<void> {
  await payOwedCheckIns(deps)
  await payOwedRedemptions(deps)
  await earnCommissions(deps)
  await creditDueCommissions(deps)
  await clawBackCommissions(deps)
  await bookClawbacks(deps)
}
