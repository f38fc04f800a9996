import type { PublicMonitorWire, PublicStatusWire } from '../../../contract/api/status.ts'
import { AppError } from '../../../contract/errors.ts'
import type { Deps } from '../../http/deps.ts'
import { isoTime, DAY_MS, HOUR_MS } from '../../lib/clock.ts'
import { HOURS_KEPT_MS } from './record.ts'
import { latestChecks, selectMonitors, sumsOf, type MonitorRow, type SumRow } from './store.ts'

/** Public checks of one monitor (contract.md 3.2). */
const PUBLIC_CHECKS = 60
/** Every visitor of the page asks twice a minute: so many of them get the same answer. */
const KEPT_MS = 5_000
/** The longest stretch whose days are told. */
const DAYS = 90

type StatusDeps = Pick<Deps, 'db' | 'clock' | 'settings'>

/** The public answer, computed once for everybody who asks within some seconds. */
export class PublicStatus {
  readonly #deps: StatusDeps
  readonly #kept = new Map<number, { untilMs: number; answer: Promise<PublicStatusWire> }>()

  constructor(deps: StatusDeps) {
    this.#deps = deps
  }

  /** @param days how many days are told, 0 for none @throws AppError not_found when the page is switched off */
  async get(days: number): Promise<PublicStatusWire> {
    if (!this.#deps.settings.bool('status_monitor_enabled')) throw new AppError('not_found', { message: 'Not found' })
    const nowMs = this.#deps.clock.monotonic()
    const kept = this.#kept.get(days)
    if (kept && kept.untilMs > nowMs) return kept.answer
    const answer = statusOf(this.#deps, days)
    this.#kept.set(days, { untilMs: nowMs + KEPT_MS, answer })
    answer.catch(() => this.#kept.delete(days))
    return answer
  }

  /** A monitor was changed here: what is said next is true. */
  forget(): void {
    this.#kept.clear()
  }
}

async function statusOf({ db, clock }: StatusDeps, days: number): Promise<PublicStatusWire> {
  const now = clock.now()
  const monitors: PublicMonitorWire[] = []
  for (const row of await selectMonitors(db.query, { enabledOnly: true })) {
    const today = now - (now % DAY_MS)
    const hours = await sumsOf(db.query, row.id, 'hour', now - HOURS_KEPT_MS)
    const windowMs = row.retention_hours * HOUR_MS
    const byDay = windowMs > HOURS_KEPT_MS || days > 0
    const daily = byDay ? await sumsOf(db.query, row.id, 'day', today - Math.max(windowMs, DAYS * DAY_MS)) : []
    const window = windowMs > HOURS_KEPT_MS ? since(daily, now - windowMs) : since(hours, now - windowMs)
    monitors.push({
      id: row.id,
      name: row.name,
      status: row.last_status as PublicMonitorWire['status'],
      latency_ms: row.last_latency_ms,
      last_checked_at: row.last_checked_at === null ? null : isoTime(row.last_checked_at),
      uptime: share(window) ?? 0,
      recent_checks: (await latestChecks(db.query, row.id, PUBLIC_CHECKS)).map(({ status, latency_ms, checked_at }) => ({
        status: status as PublicMonitorWire['status'],
        latency_ms,
        checked_at: isoTime(checked_at),
      })),
      ...(days > 0 && history(row, hours, daily, today, now, days)),
    })
  }
  return { enabled: true, generated_at: isoTime(now), monitors }
}

function history({ created_at }: MonitorRow, hours: SumRow[], daily: SumRow[], today: number, now: number, days: number) {
  const past = (count: number): number | null => share(since(daily, today - (count - 1) * DAY_MS))
  const byStart = new Map(daily.map((sum) => [sum.start, sum]))
  return {
    uptimes: { '24h': share(since(hours, now - DAY_MS)), '7d': past(7), '30d': past(30), '90d': past(90) },
    days: Array.from({ length: days }, (_, index) => today - (days - 1 - index) * DAY_MS)
      .filter((start) => start + DAY_MS > created_at)
      .map((start) => {
        const sum = byStart.get(start)
        return {
          day: isoTime(start).slice(0, 10),
          uptime: sum ? share([sum]) : null,
          down_minutes: Math.round((sum?.down_seconds ?? 0) / 60),
        }
      }),
  }
}

/** Sums of stretches that had not ended at `from`. */
function since(sums: readonly SumRow[], from: number): SumRow[] {
  return sums.filter(({ span, start }) => start + (span === 'hour' ? HOUR_MS : DAY_MS) > from)
}

/** Percent of good checks to two places; null: there were none. */
function share(sums: readonly SumRow[]): number | null {
  let up = 0
  let all = 0
  for (const sum of sums) {
    up += sum.up
    all += sum.up + sum.down
  }
  return all === 0 ? null : Math.floor((up * 10_000) / all) / 100
}
