import type { StatementWire } from '../../../contract/api/statements.ts'
import { ledgerKinds } from '../../../contract/api/ledger.ts'
import { AppError } from '../../../contract/errors.ts'
import { formatMoney, ZERO } from '../../../contract/money.ts'
import type { Deps } from '../../http/deps.ts'
import { isoTime } from '../../lib/clock.ts'
import { accountOf } from '../billing/service.ts'
import { ordersPaidIn } from '../payments/orders.ts'
import { usedBy } from '../usage/service.ts'
import { monthStart } from './month.ts'
import { balanceBefore, firstEntryFrom, lastEntryOf, sumsByKind } from './store.ts'

/** The zone of statements is the site's: where its days turn (the setting of the check-in). */
const ZONE = 'checkin_timezone'

/**
 * The statement of a month. Its border is an entry, not a time: entries that were made in the same millisecond stay in the
 * order they were booked, so that opening + kinds = closing always.
 * @throws AppError bad_request for a month that has not begun, not_found without such a user
 */
export async function statementOf(deps: Pick<Deps, 'db' | 'clock' | 'settings'>, userId: number, month: string): Promise<StatementWire> {
  const { settings, clock } = deps
  const db = deps.db.query
  const zone = settings.text(ZONE)
  const [year = 0, number = 0] = month.split('-').map(Number)
  const from = monthStart(zone, year, number)
  const to = number === 12 ? monthStart(zone, year + 1, 1) : monthStart(zone, year, number + 1)
  const now = clock.now()
  if (from > now) throw new AppError('bad_request', { message: 'Invalid month', param: 'month' })
  const { id: accountId } = await accountOf(deps, userId)
  const first = await firstEntryFrom(db, accountId, from)
  // The end of a month that runs is the last entry there is now, whatever is booked while this is added up.
  const next = (await firstEntryFrom(db, accountId, to)) ?? ((await lastEntryOf(db, accountId)) ?? 0) + 1
  const opening = (await balanceBefore(db, accountId, first ?? next)) ?? ZERO
  const sums = first === undefined ? [] : await sumsByKind(db, accountId, first, next)
  const closing = (await balanceBefore(db, accountId, next)) ?? ZERO
  const models = await usedBy(deps, userId, 'model_name', from, to)
  const keys = await usedBy(deps, userId, 'api_key_id', from, to)
  return {
    user_id: userId,
    month,
    zone,
    from: isoTime(from),
    to: isoTime(to),
    provisional: to > now,
    generated_at: isoTime(now),
    opening: formatMoney(opening),
    kinds: sums.flatMap(({ kind, entries, total_amount: amount }) => {
      const known = ledgerKinds.find((word) => word === kind)
      return known === undefined ? [] : [{ kind: known, entries, amount: formatMoney(amount) }]
    }),
    closing: formatMoney(closing),
    models: models.map(({ key, requests, cost }) => ({ model_name: key, requests, cost: formatMoney(cost) })),
    keys: keys.map(({ key, name, requests, cost }) => ({ api_key_id: Number(key), name, requests, cost: formatMoney(cost) })),
    orders: await ordersPaidIn(deps, userId, from, to),
  }
}
