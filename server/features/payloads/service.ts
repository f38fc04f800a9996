import type { PayloadWire } from '../../../contract/api/payloads.ts'
import { AppError } from '../../../contract/errors.ts'
import type { Deps } from '../../http/deps.ts'
import { DAY_MS, isoTime } from '../../lib/clock.ts'
import { recordAudit } from '../audit/service.ts'
import { findCall } from '../logs/service.ts'
import { readMark } from '../settings/service.ts'
import { PAYLOAD_PURPOSE, type KeptPayload } from './recorder.ts'
import { deletePayloads, findPayload } from './store.ts'
import { nextTurn } from '../../lib/turn.ts'

/** How often it is looked for records that have to go. */
export const SWEEP_PAYLOADS_MS = 60_000
/** Records of one step: some ten megabytes, so that no call waits long. */
const STEP = 50
/** Steps of one run; a minute later it goes on. */
const MAX_STEPS = 100

/**
 * What was asked and answered in one call. Reading it leaves a row in the audit log before anything is shown.
 * @throws AppError not_found (no such call), payload_not_found (nothing was recorded of it, or it has been deleted)
 */
export async function readPayload(
  deps: Pick<Deps, 'db' | 'clock' | 'secrets'>,
  id: string,
  { userId, ip }: { userId: number; ip: string },
): Promise<PayloadWire> {
  const { row } = await findCall(deps, id)
  const found = await findPayload(deps.db.query, row.id)
  if (!found) throw new AppError('payload_not_found')
  const kept = JSON.parse(deps.secrets.open(PAYLOAD_PURPOSE, found.sealed)) as KeptPayload
  await recordAudit(deps.db.query, {
    actorUserId: userId,
    action: 'read_payload',
    objectType: 'log',
    objectId: row.request_id,
    ip,
    now: deps.clock.now(),
  })
  return { log_id: row.id, request_id: row.request_id, user_id: row.user_id, ...kept, created_at: isoTime(found.created_at) }
}

/** Deletes records that are older than the settings say, and those of calls that have left the log, some at a time. */
export async function sweepPayloads({ db, clock, settings }: Pick<Deps, 'db' | 'clock' | 'settings'>): Promise<void> {
  const before = clock.now() - settings.integer('payload_retention_days') * DAY_MS
  for (let step = 0; step < MAX_STEPS; step += 1) {
    const goneUpTo = await readMark(db.query, 'mark.log_archive')
    if ((await deletePayloads(db.query, before, goneUpTo, STEP)) < STEP) return
    // Calls go on between two steps.
    await nextTurn()
  }
}
