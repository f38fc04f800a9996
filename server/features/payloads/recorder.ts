import type { Deps } from '../../http/deps.ts'
import { describeError } from '../../lib/log.ts'
import { PayloadRecord, type Side } from './record.ts'
import { redact } from './redact.ts'
import { insertPayload, selectCalls } from './store.ts'

/** What a payload is sealed for. */
export const PAYLOAD_PURPOSE = 'log-payload'

/** Characters kept of a request and of an answer each: a long conversation's end is of less use than the room it takes. */
const MAX_KEPT_CHARS = 65_536
/** Records that wait to be written, of half a megabyte at most; beyond it they are dropped and counted, never waited for. */
const MAX_WAITING = 64
/** Records are written together, so often. */
const WRITE_MS = 1_000
/** How often it is looked for the row of a call; that of a client that left is written a little after its answer ended. */
const MAX_LOOKS = 5

/** What is sealed: both sides, redacted, and how long each was. */
export interface KeptPayload {
  request: string
  request_bytes: number
  answer: string
  answer_bytes: number
}

interface Waiting {
  record: PayloadRecord
  looks: number
}

type RecorderDeps = Pick<Deps, 'db' | 'log' | 'metrics' | 'secrets' | 'settings'>

/**
 * Records what customers ask and are answered, where the owner has switched that on (`payload_log_mode`). A call pays one look at a setting
 * when it is off, and never waits for a record when it is on: what cannot be kept up with is dropped and counted.
 */
export class PayloadRecorder {
  readonly #deps: RecorderDeps
  #waiting: Waiting[] = []
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor(deps: RecorderDeps) {
    this.#deps = deps
  }

  /** A record for the call that begins, or undefined while nothing is recorded. */
  begin(requestId: string): PayloadRecord | undefined {
    if (this.#deps.settings.text('payload_log_mode') === 'off') return undefined
    return new PayloadRecord(requestId, (record) => this.#add({ record, looks: 0 }))
  }

  /** Writes what waits, once. */
  async write(): Promise<void> {
    clearTimeout(this.#timer)
    this.#timer = undefined
    const waiting = this.#waiting
    this.#waiting = []
    if (waiting.length === 0) return
    try {
      await this.#store(waiting)
    } catch (error) {
      this.#deps.metrics.payloads.add('failed', waiting.length)
      this.#deps.log.warn('records of calls could not be written', { count: waiting.length, cause: describeError(error) })
    }
  }

  #add(one: Waiting): void {
    if (this.#waiting.length >= MAX_WAITING) {
      this.#deps.metrics.payloads.add('dropped')
      return
    }
    this.#waiting.push(one)
    this.#timer ??= setTimeout(() => void this.write(), WRITE_MS)
    this.#timer.unref()
  }

  async #store(waiting: readonly Waiting[]): Promise<void> {
    const { db, metrics, secrets, settings } = this.#deps
    const onlyFailed = settings.text('payload_log_mode') === 'errors'
    const rows = await selectCalls(
      db.query,
      waiting.map(({ record }) => record.requestId),
    )
    const calls = new Map(rows.map((row) => [row.request_id, row]))
    const kept = waiting.flatMap(({ record, looks }) => {
      const call = calls.get(record.requestId)
      if (!call) {
        // A call that was refused before anything was held has no row, and no record.
        if (looks + 1 < MAX_LOOKS) this.#add({ record, looks: looks + 1 })
        return []
      }
      if (onlyFailed && call.end_reason === 'complete') return []
      const sealed = secrets.seal(PAYLOAD_PURPOSE, JSON.stringify(keptOf(record)))
      return [{ log_id: call.id, user_id: call.user_id, sealed, created_at: call.created_at }]
    })
    if (kept.length === 0) return
    await db.query.transaction().execute(async (tx) => {
      for (const row of kept) await insertPayload(tx, row)
    })
    metrics.payloads.add('kept', kept.length)
  }
}

function keptOf({ request, answer }: PayloadRecord): KeptPayload {
  const cut = (side: Side | undefined): string => redact(side?.text ?? '').slice(0, MAX_KEPT_CHARS)
  return { request: cut(request), request_bytes: request?.bytes ?? 0, answer: cut(answer), answer_bytes: answer.bytes }
}
