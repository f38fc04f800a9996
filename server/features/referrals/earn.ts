import { money, MONEY_ONE, mulDiv, type Money } from '../../../contract/money.ts'
import type { Deps } from '../../http/deps.ts'
import { accountOf, credit } from '../billing/service.ts'
import { oneAtATime, readMark, writeMark } from '../settings/service.ts'
import { earnedBy, insertCommission, markCommissionCredited, nextLogs, selectDue, selectPaidCalls, type PaidCall } from './store.ts'
import { DAY_MS } from '../../lib/clock.ts'
import { nextTurn } from '../../lib/turn.ts'

/** Log rows of one step: one transaction of a few milliseconds. */
const STEP = 500
/** Steps of one run at most: a long backlog is worked off over several runs. */
const MAX_STEPS = 100
/** Commissions credited in one run. */
const DUE_BATCH = 500
/**
 * Rows younger than this wait for the next run: with several processes on one database a row with a smaller number may
 * be committed after one with a larger.
 */
const LAG_MS = 30_000

/**
 * The part of a charge that was paid with paid money: without what was gifted, and without what went below zero, which
 * nobody has paid yet. From the ledger entry alone.
 */
export function paidPart({ amount, gifted, balance_after: after }: Pick<PaidCall, 'amount' | 'gifted' | 'balance_after'>): Money {
  const charged = -amount
  const owed = after < 0n ? (-after < charged ? -after : charged) : 0n
  const paid = charged + gifted - owed
  return money(paid > 0n ? paid : 0n)
}

/** One mailbox under several spellings: letters after `+` and dots before the `@` do not make a second person. */
export function sameMailbox(one: string, other: string): boolean {
  return mailboxOf(one) === mailboxOf(other)
}

function mailboxOf(email: string): string {
  const at = email.lastIndexOf('@')
  const local = email.slice(0, at).replace(/\+.*$/, '').replaceAll('.', '')
  return `${local}${email.slice(at)}`.toLowerCase()
}

/**
 * Writes the commissions of the calls that were settled since the last run: outside the path of the calls, each log row
 * once, paid usage only, the rate below 1, up to the cap of each invited user.
 */
export async function earnCommissions(deps: Pick<Deps, 'db' | 'clock' | 'settings'>): Promise<void> {
  for (let step = 0; step < MAX_STEPS; step += 1) {
    if (!(await earnStep(deps))) return
    // Calls go on between two steps.
    await nextTurn()
  }
}

/** @returns whether there may be more */
async function earnStep(deps: Pick<Deps, 'db' | 'clock' | 'settings'>): Promise<boolean> {
  const now = deps.clock.now()
  const rate = rateOf(deps)
  const cap = deps.settings.decimal('referral_commission_cap')
  const holdMs = deps.settings.integer('referral_hold_days') * DAY_MS
  return deps.db.query.transaction().execute(async (tx) => {
    await oneAtATime(tx, now)
    const mark = await readMark(tx, 'mark.referral_logs')
    const rows = await nextLogs(tx, mark, STEP)
    const young = rows.findIndex(({ created_at: at }) => at > now - LAG_MS)
    const settled = young === -1 ? rows : rows.slice(0, young)
    const upTo = settled.at(-1)?.id
    if (upTo === undefined) return false
    for (const call of rate > 0n ? await selectPaidCalls(tx, mark, upTo) : []) {
      if (call.user_id === call.referrer_id || sameMailbox(call.email, call.referrer_email)) continue
      const base = paidPart(call)
      const left = cap - (await earnedBy(tx, call.user_id))
      const full = mulDiv(base, rate, MONEY_ONE, 'down')
      const amount = money(full < left ? full : left)
      if (amount <= 0n) continue
      await insertCommission(tx, {
        referrer_id: call.referrer_id,
        referred_user_id: call.user_id,
        token_log_id: call.log_id,
        base_cost: base,
        rate,
        amount,
        created_at: now,
        due_at: call.created_at + holdMs,
        credited_at: null,
      })
    }
    await writeMark(tx, 'mark.referral_logs', upTo, now)
    return settled.length === STEP
  })
}

/** The rate in force, 0 when there is none. One of 1 or more would give everything away and counts as none (W85). */
function rateOf({ settings }: Pick<Deps, 'settings'>): Money {
  const rate = settings.decimal('referral_commission_rate')
  return money(settings.bool('referral_enabled') && rate > 0n && rate < MONEY_ONE ? rate : 0n)
}

/** Credits the commissions whose time has come, each once; as gifts, so that they earn no commission again. */
export async function creditDueCommissions(deps: Pick<Deps, 'db' | 'clock'>): Promise<void> {
  for (const { id, referrer_id: referrerId, token_log_id: logId, amount } of await selectDue(deps.db.query, deps.clock.now(), DUE_BATCH)) {
    const account = await accountOf(deps, referrerId)
    await credit(deps, { accountId: account.id, kind: 'commission', reference: String(logId), amount, gifted: amount })
    await markCommissionCredited(deps.db.query, id, deps.clock.now())
  }
}
