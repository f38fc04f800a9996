import type { RedeemCodeWire } from '../../../contract/api/redeem-codes.ts'
import { AppError } from '../../../contract/errors.ts'
import { formatMoney, ZERO, type Money } from '../../../contract/money.ts'
import type { Database } from '../../db/open.ts'
import type { Deps } from '../../http/deps.ts'
import { isUniqueViolation } from '../../http/errors.ts'
import { isoTime, isoTimeOrNull } from '../../lib/clock.ts'
import { codeOf } from '../../lib/ids.ts'
import { recordAudit } from '../audit/service.ts'
import type { Actor } from '../catalog/change.ts'
import { groupWires } from '../groups/service.ts'
import { takeTurn } from '../settings/service.ts'
import { normalCode } from './redeem.ts'
import {
  countRedeemCodes,
  deleteRedeemCodeRow,
  findRedeemCode,
  insertRedeemCode,
  selectRedeemCodes,
  updateRedeemCodeRow,
  type RedeemCodeFields,
  type RedeemCodeRow,
} from './store.ts'

/** Random letters of a code: 100 bits cannot be guessed. */
const CODE_CHARS = 20

interface Input {
  code?: string | null | undefined
  amount?: Money | null | undefined
  group_id?: number | null | undefined
  group_duration_days?: number | null | undefined
  max_uses?: number | null | undefined
  enabled?: boolean | null | undefined
  expires_at?: string | null | undefined
}

type CodeDeps = Pick<Deps, 'db' | 'clock'>

async function wiresOf(db: Database['query'], rows: readonly RedeemCodeRow[]): Promise<RedeemCodeWire[]> {
  const groups = await groupWires(db)
  return rows.map((row) => ({
    id: row.id,
    code: row.code,
    amount: formatMoney(row.amount),
    group_id: row.group_id,
    group: row.group_id === null ? null : (groups.get(row.group_id) ?? null),
    group_duration_days: row.group_duration_days,
    max_uses: row.max_uses,
    used_count: row.used_count,
    enabled: row.enabled === 1,
    expires_at: isoTimeOrNull(row.expires_at),
    created_at: isoTime(row.created_at),
    updated_at: isoTime(row.updated_at),
  }))
}

async function wireOf(db: Database['query'], row: RedeemCodeRow): Promise<RedeemCodeWire> {
  const [wire] = await wiresOf(db, [row])
  if (!wire) throw new AppError('redeem_code_not_found')
  return wire
}

/** All codes, newest first, or a page of them. */
export async function listCodes(
  deps: Pick<Deps, 'db'>,
  page: { page: number; pageSize: number } | undefined,
): Promise<RedeemCodeWire[] | { items: RedeemCodeWire[]; total: number; page: number; page_size: number }> {
  const db = deps.db.query
  const items = await wiresOf(db, await selectRedeemCodes(db, page))
  return page ? { items, total: await countRedeemCodes(db), page: page.page, page_size: page.pageSize } : items
}

/** Makes `count` codes worth the same, all or none. @throws AppError redeem_code_empty | redeem_code_exists | group_missing */
export async function createCodes(deps: CodeDeps, input: Input, count: number, actor: Actor): Promise<RedeemCodeWire[]> {
  return change(deps, async (tx, now) => {
    if (input.group_id) await keepGroups(tx, now)
    const rows: RedeemCodeRow[] = []
    for (let made = 0; made < count; made += 1) {
      const row = await insertRedeemCode(tx, await fieldsOf(tx, input, undefined), now)
      await recordAudit(tx, { ...about(actor, row.id, now), action: 'create', after: { ...row, code: hintOf(row.code) } })
      rows.push(row)
    }
    return wiresOf(tx, rows)
  })
}

/** Absent members stay as they are. @throws AppError redeem_code_not_found | redeem_code_empty | redeem_code_exists | group_missing */
export async function updateCode(deps: CodeDeps, id: number, input: Input, actor: Actor): Promise<RedeemCodeWire> {
  return change(deps, async (tx, now) => {
    if (input.group_id) await keepGroups(tx, now)
    const before = await findRedeemCode(tx, id)
    if (!before) throw new AppError('redeem_code_not_found')
    const after = await updateRedeemCodeRow(tx, id, await fieldsOf(tx, input, before), now)
    await recordAudit(tx, {
      ...about(actor, id, now),
      action: 'update',
      before: { ...before, code: hintOf(before.code) },
      after: { ...after, code: hintOf(after.code) },
    })
    return wireOf(tx, after)
  })
}

/** @throws AppError redeem_code_not_found */
export async function deleteCode(deps: CodeDeps, id: number, actor: Actor): Promise<void> {
  await change(deps, async (tx, now) => {
    const before = await findRedeemCode(tx, id)
    if (!before) throw new AppError('redeem_code_not_found')
    await deleteRedeemCodeRow(tx, id)
    await recordAudit(tx, { ...about(actor, id, now), action: 'delete', before: { ...before, code: hintOf(before.code) } })
  })
}

async function change<T>(deps: CodeDeps, work: (tx: Database['query'], now: number) => Promise<T>): Promise<T> {
  try {
    return await deps.db.query.transaction().execute((tx) => work(tx, deps.clock.now()))
  } catch (cause) {
    throw isUniqueViolation(cause) ? new AppError('redeem_code_exists', { cause }) : cause
  }
}

/** Nobody deletes the group meanwhile. */
function keepGroups(tx: Database['query'], now: number): Promise<void> {
  return takeTurn(tx, 'turn.routing', now)
}

async function fieldsOf(tx: Database['query'], input: Input, before: RedeemCodeRow | undefined): Promise<RedeemCodeFields> {
  const groupId = input.group_id === undefined ? (before?.group_id ?? null) : input.group_id || null
  if (groupId !== null && groupId !== before?.group_id && !(await groupWires(tx)).has(groupId)) {
    throw new AppError('group_missing', { param: 'group_id' })
  }
  const amount = input.amount ?? before?.amount ?? ZERO
  if (amount === 0n && groupId === null) throw new AppError('redeem_code_empty', { param: 'amount' })
  return {
    code: normalCode(input.code ?? '') || (before?.code ?? codeOf(CODE_CHARS)),
    amount,
    group_id: groupId,
    group_duration_days: input.group_duration_days ?? before?.group_duration_days ?? 0,
    max_uses: input.max_uses ?? before?.max_uses ?? 1,
    enabled: (input.enabled ?? before?.enabled !== 0) ? 1 : 0,
    expires_at: input.expires_at === undefined ? (before?.expires_at ?? null) : input.expires_at ? Date.parse(input.expires_at) : null,
  }
}

/** A code is money: the audit log names it by its end. */
function hintOf(code: string): string {
  return `…${code.slice(-4)}`
}

function about(actor: Actor, objectId: number, now: number) {
  return { actorUserId: actor.userId, objectType: 'redeem_code', objectId, ip: actor.ip, now }
}
