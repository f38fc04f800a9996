import type { Database } from '../../db/open.ts'
import type { HoldTable } from '../../db/schema.ts'
import { ZERO } from '../../../contract/money.ts'
import type { Clock } from '../../lib/clock.ts'
import { describeError, type Log } from '../../lib/log.ts'
import { draftOf, NOTHING_USED, type CallFacts } from './draft.ts'
import { ruleOf } from './rules.ts'
import { ledgerOf } from './service.ts'
import { beat, forgetInstances, holdsOf, orphanedHolds, selectBeats } from './accounts/store.ts'

/** How often a process says that it lives. */
export const BEAT_MS = 3_000
/** A process that was seen silent this long is dead; with the beat that notices it, its holds are free within the promised 15 s. */
const DEAD_AFTER_MS = 10_000
/** Rows of one step: a crash under load leaves thousands, and closing them must not block calls for long. */
const STEP = 500

/** Closes the calls that dead processes left open, and own ones that could not be settled: hold released, nothing charged, a row with end reason `crashed`. */
export class OrphanSweeper {
  readonly #deps: { db: Database; clock: Clock; log: Log }
  /** The last beat of each process, and when this one first saw it, on its own monotonic clock. */
  readonly #seen = new Map<string, { beatAt: number; sinceMs: number }>()

  constructor(deps: { db: Database; clock: Clock; log: Log }) {
    this.#deps = deps
  }

  /**
   * At start, before the first request. SQLite has one process, so every hold in the file is an orphan; on PostgreSQL
   * others may live, and only those that are seen to beat no more are swept, at a later beat.
   */
  async start(): Promise<void> {
    const { db } = this.#deps
    if (db.engine === 'sqlite') await this.#sweep('all')
    await this.beat()
  }

  /** Every BEAT_MS: says that this process lives, and closes what dead ones left. */
  async beat(): Promise<void> {
    const { db, clock } = this.#deps
    const { instance } = ledgerOf(db)
    await beat(db.query, instance, clock.now())
    const dead = await this.#silent(instance)
    await this.#sweepUnconfirmed()
    await this.#sweep(dead)
    await forgetInstances(db.query, dead)
  }

  /**
   * The processes that were seen to beat no more. A beat is looked at for change only: its time is that of another clock, which
   * may be an hour off or be set while it runs, and to call a living process dead would give its calls away.
   */
  async #silent(self: string): Promise<string[]> {
    const beats = await selectBeats(this.#deps.db.query, self)
    const nowMs = this.#deps.clock.monotonic()
    const before = new Map(this.#seen)
    this.#seen.clear()
    const silent: string[] = []
    for (const { id, heartbeat_at: beatAt } of beats) {
      const known = before.get(id)
      const seen = known?.beatAt === beatAt ? known : { beatAt, sinceMs: nowMs }
      this.#seen.set(id, seen)
      if (nowMs - seen.sinceMs >= DEAD_AFTER_MS) silent.push(id)
    }
    return silent
  }

  /** Own calls that ended while the database did not answer. Their clients were told an error, so nothing is charged. */
  async #sweepUnconfirmed(): Promise<void> {
    const { db } = this.#deps
    const { unconfirmed } = ledgerOf(db)
    while (unconfirmed.size > 0) {
      const ids = [...unconfirmed].slice(0, STEP)
      const held = await holdsOf(db.query, ids)
      const open = new Set<string>()
      for (const hold of held) if (!(await this.#close(hold))) open.add(hold.id)
      for (const id of ids) if (!open.has(id)) unconfirmed.delete(id)
      if (open.size > 0) return
    }
  }

  async #sweep(dead: readonly string[] | 'all'): Promise<void> {
    const { db, clock, log } = this.#deps
    for (;;) {
      const holds = await orphanedHolds(db.query, dead, clock.now(), STEP)
      const closed = (await Promise.all(holds.map((hold) => this.#close(hold)))).filter(Boolean).length
      if (closed > 0) log.warn('closed calls that a stopped process left open', { calls: closed })
      // A full step that could be closed may have more behind it; one that could not would come back for ever.
      if (holds.length < STEP || closed === 0) return
    }
  }

  async #close(hold: HoldTable): Promise<boolean> {
    const { db, clock, log } = this.#deps
    try {
      const facts = JSON.parse(hold.context) as CallFacts
      const now = clock.now()
      const result = {
        ...NOTHING_USED,
        status: 0,
        endReason: 'crashed' as const,
        chargeNote: ruleOf('crashed', 'none').note,
        losses: [],
        attempts: [],
        error: 'the server or its database stopped in the middle of the call',
        firstResponseMs: null,
        responseMs: Math.max(0, now - hold.created_at),
      }
      const draft = draftOf(facts, undefined, result, ZERO)
      await ledgerOf(db).settle({ requestId: hold.id, accountId: hold.account_id, apiKeyId: facts.apiKeyId, cost: ZERO, now, log: draft })
      return true
    } catch (error) {
      log.error('could not close an orphaned call', { request_id: hold.id, cause: describeError(error) })
      return false
    }
  }
}
