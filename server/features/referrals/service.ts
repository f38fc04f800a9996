import type { CommissionWire } from '../../../contract/api/referrals.ts'
import { formatMoney, money } from '../../../contract/money.ts'
import type { ResponseOf } from '../../../contract/endpoint.ts'
import type { getReferral } from '../../../contract/api/referrals.ts'
import type { Deps } from '../../http/deps.ts'
import { isoTime, isoTimeOrNull } from '../../lib/clock.ts'
import { maskedUsers, requireUser } from '../users/service.ts'
import { countCommissions, countInvited, selectCommissions, sumOf, type CommissionRow } from './store.ts'

/** Commissions of the answer and of the bare list (contract.md 3.5, 3.6). */
const RECENT = 50
const LATEST = 200

async function wiresOf(deps: Pick<Deps, 'db'>, rows: readonly CommissionRow[]): Promise<CommissionWire[]> {
  const users = await maskedUsers(deps.db.query, [...new Set(rows.map(({ referred_user_id: id }) => id))])
  return rows.map((row) => {
    const referred = users.get(row.referred_user_id)
    return {
      id: row.id,
      referrer_id: row.referrer_id,
      referred_user_id: row.referred_user_id,
      ...(referred ? { referred_user: referred } : {}),
      token_log_id: row.token_log_id,
      base_cost: formatMoney(row.base_cost),
      rate: formatMoney(row.rate),
      amount: formatMoney(row.amount),
      clawed_back: formatMoney(row.clawed_back),
      created_at: isoTime(row.created_at),
      due_at: isoTime(row.due_at),
      credited_at: isoTimeOrNull(row.credited_at),
    }
  })
}

/**
 * The caller's link and earnings. Without `base_url` the link is a path of this site: the Host header of a request is the
 * caller's word and goes into no link (W54).
 */
export async function referralOf(deps: Pick<Deps, 'db' | 'settings'>, userId: number): Promise<ResponseOf<typeof getReferral>> {
  const { settings } = deps
  const db = deps.db.query
  const { referral_code: code } = await requireUser(db, userId)
  const base = settings.text('base_url').replace(/\/+$/, '')
  return {
    enabled: settings.bool('referral_enabled'),
    code,
    link: `${base}/?ref=${encodeURIComponent(code)}`,
    commission_rate: formatMoney(settings.decimal('referral_commission_rate')),
    hold_days: settings.integer('referral_hold_days'),
    commission_cap: formatMoney(settings.decimal('referral_commission_cap')),
    invite_count: await countInvited(db, userId),
    total_commission: formatMoney(money(await sumOf(db, userId, true))),
    pending_commission: formatMoney(money(await sumOf(db, userId, false))),
    recent_logs: await wiresOf(deps, await selectCommissions(db, userId, RECENT)),
  }
}

/** All commissions, newest first: the latest 200, or a page. */
export async function listAllCommissions(
  deps: Pick<Deps, 'db'>,
  page: { page: number; pageSize: number } | undefined,
): Promise<CommissionWire[] | { items: CommissionWire[]; total: number; page: number; page_size: number }> {
  const db = deps.db.query
  if (!page) return wiresOf(deps, await selectCommissions(db, undefined, LATEST))
  const rows = await selectCommissions(db, undefined, page.pageSize, (page.page - 1) * page.pageSize)
  return { items: await wiresOf(deps, rows), total: await countCommissions(db), page: page.page, page_size: page.pageSize }
}
