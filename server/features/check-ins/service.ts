import type { CheckInStatusWire, CheckInWire } from '../../../contract/api/check-ins.ts'
import { AppError } from '../../../contract/errors.ts'
import { formatMoney, money, ZERO, type Money } from '../../../contract/money.ts'
import type { Deps } from '../../http/deps.ts'
import { publicNetwork } from '../../lib/client-ip.ts'
import type { Span } from '../../lib/query-time.ts'
import { accountOf, credit } from '../billing/service.ts'
import { requireUser } from '../users/service.ts'
import { dateIn, dayBefore, standsToday, type LastDay } from './day.ts'
import { nextStreakReward, rewardFor, rewardRules, type RewardKind } from './reward.ts'
import {
  countCheckIns,
  countOfNetwork,
  insertCheckIn,
  markCheckInCredited,
  selectCheckIns,
  selectOwedCheckIns,
  type CheckInRow,
} from './store.ts'

type CheckInDeps = Pick<Deps, 'db' | 'clock' | 'settings'>

/** Records of the status answer and of the bare list (contract.md 3.6). */
const RECENT = 7
const LATEST = 100
/** Owed rewards booked in one run of the job. */
const OWED_BATCH = 500

function wireOf(row: CheckInRow): CheckInWire {
  return {
    check_in_date: row.check_in_date,
    reward_amount: formatMoney(row.reward_amount),
    streak_days: row.streak_days,
    reward_kind: row.reward_kind as RewardKind,
  }
}

function lastOf(row: CheckInRow | undefined): LastDay | undefined {
  return row && { date: row.check_in_date, zone: row.time_zone, at: row.created_at, streak: row.streak_days }
}

/** @throws AppError checkin_timezone: a zone this machine does not know */
function todayOf({ settings, clock }: CheckInDeps): { zone: string; now: number; today: string } {
  const zone = settings.text('checkin_timezone')
  const now = clock.now()
  try {
    return { zone, now, today: dateIn(zone, now) }
  } catch (cause) {
    throw new AppError('checkin_timezone', { cause })
  }
}

/** Where the caller stands; also while the check-in is switched off. */
export async function statusOf(deps: CheckInDeps, userId: number): Promise<CheckInStatusWire> {
  const { zone, now, today } = todayOf(deps)
  const rows = await selectCheckIns(deps.db.query, userId, RECENT)
  const last = lastOf(rows[0])
  const streak = last && last.date >= dayBefore(today) ? last.streak : 0
  const rules = rewardRules(deps.settings)
  const next = nextStreakReward(rules, streak)
  return {
    enabled: deps.settings.bool('checkin_enabled'),
    checked_in_today: standsToday(last, today, zone, now),
    current_streak: streak,
    today_reward_preview: formatMoney(money(rules.daily + (rules.random?.min ?? ZERO))),
    random_enabled: deps.settings.bool('checkin_random_enabled'),
    random_min: formatMoney(deps.settings.decimal('checkin_random_min')),
    random_max: formatMoney(deps.settings.decimal('checkin_random_max')),
    ...(next ? { next_streak_reward: { day: next.day, amount: formatMoney(next.amount) } } : {}),
    currency_display_name: deps.settings.text('payment_currency_display_name'),
    recent_records: rows.map(wireOf),
  }
}

/** Own records, newest first: the latest 100, or a page. */
export async function listRecords(
  deps: Pick<Deps, 'db'>,
  userId: number,
  page: { page: number; pageSize: number } | undefined,
  span: Span,
): Promise<CheckInWire[] | { items: CheckInWire[]; total: number; page: number; page_size: number }> {
  const db = deps.db.query
  if (!page) return (await selectCheckIns(db, userId, LATEST)).map(wireOf)
  const rows = await selectCheckIns(db, userId, page.pageSize, (page.page - 1) * page.pageSize, span)
  return { items: rows.map(wireOf), total: await countCheckIns(db, userId, span), page: page.page, page_size: page.pageSize }
}

/**
 * Collects the reward of today: the record first, which one of many tries wins, then the credit, which is booked once
 * by its reference; what a crash leaves between them `payOwedCheckIns` makes good.
 * @throws AppError checkin_disabled | checkin_unverified | checkin_done | checkin_network_limit | checkin_timezone
 */
export async function checkInNow(deps: CheckInDeps, userId: number, ip: string): Promise<{ row: CheckInWire; balance: Money }> {
  if (!deps.settings.bool('checkin_enabled')) throw new AppError('checkin_disabled')
  if (deps.settings.bool('checkin_verified_email_only') && (await requireUser(deps.db.query, userId)).email_verified !== 1)
    throw new AppError('checkin_unverified')
  const { zone, now, today } = todayOf(deps)
  const [latest] = await selectCheckIns(deps.db.query, userId, 1)
  const last = lastOf(latest)
  if (standsToday(last, today, zone, now)) throw new AppError('checkin_done')
  const streak = last && last.date === dayBefore(today) ? last.streak + 1 : 1
  const network = publicNetwork(ip)
  await requireRoom(deps, today, network)
  const reward = rewardFor(rewardRules(deps.settings), streak)
  const row = await insertCheckIn(deps.db.query, {
    user_id: userId,
    check_in_date: today,
    reward_amount: reward.amount,
    streak_days: streak,
    reward_kind: reward.kind,
    created_at: now,
    time_zone: zone,
    credited_at: null,
    ip: network,
  })
  if (!row) throw new AppError('checkin_done')
  return { row: wireOf(row), balance: await payCheckIn(deps, row) }
}

/**
 * Ends the harvest of one person's many accounts (W84). Callers of one moment may pass together; the limit is against farms,
 * the reward itself is once per account and day by its unique row.
 */
async function requireRoom({ db, settings }: CheckInDeps, today: string, network: string): Promise<void> {
  const limit = settings.integer('checkin_accounts_per_network')
  if (limit > 0 && network !== '' && (await countOfNetwork(db.query, today, network)) >= limit) throw new AppError('checkin_network_limit')
}

/** Books the reward of a record, once; as a gift: it earns no commission. @returns the balance after it */
async function payCheckIn(deps: Pick<Deps, 'db' | 'clock'>, row: CheckInRow): Promise<Money> {
  const account = await accountOf(deps, row.user_id)
  let balance = account.balance
  if (row.reward_amount !== 0n) {
    const reference = `${row.user_id}:${row.check_in_date}`
    const booked = { accountId: account.id, kind: 'check_in', reference, amount: row.reward_amount, gifted: row.reward_amount } as const
    ;({ balance } = await credit(deps, booked))
  }
  await markCheckInCredited(deps.db.query, row.id, deps.clock.now())
  return balance
}

/** Books what a crash left between record and credit. */
export async function payOwedCheckIns(deps: Pick<Deps, 'db' | 'clock'>): Promise<void> {
  for (const row of await selectOwedCheckIns(deps.db.query, OWED_BATCH)) await payCheckIn(deps, row)
}
