import { formatMoney, money } from '../../../contract/money.ts'
import type { Database } from '../../db/open.ts'
import { insertAudit } from './store.ts'

/** Column names whose text never enters the audit log, not even masked by length. */
const SECRET_NAME = /(^|_)(key|secret|password|token|hash|sealed|words)$/i
/** A changed about page is recorded by its beginning: the log shows that and what, it is no version store. */
const MAX_TEXT = 2_000

/** Who did what to which object. `before` and `after` are plain objects of column or wire names; Money may stand as bigint. */
export interface AuditEntry {
  /** null: the system itself. */
  actorUserId: number | null
  /** `create`, `update`, `delete`, or a verb of the area such as `rotate`. */
  action: string
  /** Singular: `channel`, `user`, `settings`. */
  objectType: string
  objectId: string | number
  /** For a change give both: only the members that differ are kept. */
  before?: Readonly<Record<string, unknown>> | undefined
  after?: Readonly<Record<string, unknown>> | undefined
  ip: string
  now: number
}

/**
 * Records an administrative change in the caller's transaction, so that no change is without its row (W38, W49).
 * Secrets are masked by name; that they changed still shows.
 */
export async function recordAudit(tx: Database['query'], entry: AuditEntry): Promise<void> {
  const { before, after } = entry
  const keep = (name: string): boolean => before === undefined || after === undefined || encode(before[name]) !== encode(after[name])
  await insertAudit(tx, {
    actor_user_id: entry.actorUserId,
    action: entry.action,
    object_type: entry.objectType,
    object_id: String(entry.objectId),
    before: textOf(before, keep),
    after: textOf(after, keep),
    ip: entry.ip,
    created_at: entry.now,
  })
}

function textOf(values: Readonly<Record<string, unknown>> | undefined, keep: (name: string) => boolean): string {
  if (values === undefined) return 'null'
  const shown: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(values)) {
    if (!keep(name)) continue
    if (typeof value === 'string' && value !== '' && SECRET_NAME.test(name)) shown[name] = '********'
    else shown[name] = typeof value === 'string' ? value.slice(0, MAX_TEXT) : value
  }
  return encode(shown)
}

/** JSON in which a bigint, always Money in our rows, is a decimal string. */
function encode(value: unknown): string {
  return JSON.stringify(value, (_, member: unknown) => (typeof member === 'bigint' ? formatMoney(money(member)) : member)) ?? 'null'
}
