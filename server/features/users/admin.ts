import type { UserWire } from '../../../contract/api/users.ts'
import { AppError } from '../../../contract/errors.ts'
import { formatMoney, type Money } from '../../../contract/money.ts'
import type { Database } from '../../db/open.ts'
import { isAdmin, mayCall, roleOf, type Caller, type Role } from '../../http/caller.ts'
import type { Deps } from '../../http/deps.ts'
import { limitFieldsOf, limitKeys, newLimits, type LimitInput } from '../../lib/limit-fields.ts'
import { deleteKeysOf } from '../api-keys/service.ts'
import { recordAudit } from '../audit/service.ts'
import { endAllSessions } from '../auth/service.ts'
import { accountOf, adjustBalance, credit, setBudgets, type Budgets } from '../billing/service.ts'
import { oneAtATime, takeTurn } from '../settings/service.ts'
import { requireUser, userWireOf, type UserRow } from './service.ts'
import {
  countOthersWithRole,
  deleteUserRows,
  findUser,
  groupExists,
  putMembership,
  removePermanentMembership,
  updateUserRow,
} from './store.ts'

export interface UserChange extends LimitInput {
  balance?: Money | null | undefined
  expected_balance?: Money | null | undefined
  group_id?: number | null | undefined
  is_admin?: boolean | null | undefined
  role?: Role | null | undefined
  disabled?: boolean | null | undefined
  budget_daily?: Money | null | undefined
  budget_monthly?: Money | null | undefined
  reason?: string | null | undefined
  note?: string | null | undefined
}

interface Actor {
  caller: Caller
  ip: string
}

/**
 * Changes group, role and state in one transaction, then books the difference of the balance (W49). The contract's
 * client sends balance, group and `is_admin` each time; what is as it was changes nothing.
 * @throws AppError user_missing | no_fields | group_missing | last_admin | role_required | conflict
 */
export async function updateUser(deps: Deps, id: number, change: UserChange, actor: Actor): Promise<UserWire> {
  const before = await requireUser(deps.db.query, id)
  const { balance, group_id: groupId, is_admin: wantsAdmin, role, disabled } = change
  const budgets = budgetsOf(change)
  const nothing = [balance, groupId, wantsAdmin, role, disabled].every((value) => value === undefined || value === null)
  const limited = limitKeys.some((key) => change[key] !== undefined)
  if (nothing && !limited && Object.keys(budgets).length === 0) throw new AppError('no_fields')
  if (groupId === 0) throw new AppError('bad_request', { message: 'Group is required', param: 'group_id' })
  const account = await accountOf(deps, id)
  const expected = change.expected_balance ?? undefined
  if (expected !== undefined && expected !== account.balance)
    throw new AppError('conflict', { message: 'The balance has changed meanwhile; load it again' })
  const now = deps.clock.now()
  await deps.db.query.transaction().execute(async (tx) => {
    await applyChange(tx, before.id, change, actor, now)
    if (Object.keys(budgets).length === 0) return
    await setBudgets(tx, id, budgets, now)
    const shown = ({ budget_daily: daily, budget_monthly: monthly }: Partial<Budgets>) => ({
      budget_daily: text(daily),
      budget_monthly: text(monthly),
    })
    await recordAudit(tx, {
      actorUserId: actor.caller.userId,
      action: 'update',
      objectType: 'user',
      objectId: id,
      ip: actor.ip,
      now,
      before: shown(account),
      after: shown({ ...account, ...budgets }),
    })
  })
  await deps.changes.publish({ type: 'user', userId: id })
  if (balance !== undefined && balance !== null) {
    const booked = await adjustBalance(deps, {
      userId: id,
      accountId: account.id,
      to: balance,
      ...(expected === undefined ? {} : { expected }),
      actorUserId: actor.caller.userId,
      reason: change.reason ?? 'set by an administrator',
      note: change.note ?? '',
    })
    if (booked.entryId !== undefined)
      await auditBooking(deps, id, booked.entryId, { balance: booked.balance, reason: change.reason }, actor)
  }
  return userWireOf(deps, id)
}

/** The budgets that the body names; null ends one. */
function budgetsOf({ budget_daily: daily, budget_monthly: monthly }: UserChange): Partial<Budgets> {
  return { ...(daily === undefined ? {} : { budget_daily: daily }), ...(monthly === undefined ? {} : { budget_monthly: monthly }) }
}

function text(amount: Money | null | undefined): string | null {
  return amount === null || amount === undefined ? null : formatMoney(amount)
}

async function applyChange(tx: Database['query'], id: number, change: UserChange, { caller, ip }: Actor, now: number): Promise<void> {
  await oneAtATime(tx, now)
  const user = await requireUser(tx, id)
  const next: Partial<Omit<UserRow, 'id'>> = {}
  const role = nextRole(roleOf(user.role), change)
  if (role !== user.role) next.role = role
  if (typeof change.disabled === 'boolean' && change.disabled !== (user.disabled_at !== null))
    next.disabled_at = change.disabled ? now : null
  if (typeof change.group_id === 'number' && change.group_id !== user.group_id) next.group_id = change.group_id
  const limits = newLimits(change, user)
  for (const key of limitKeys) if (limits[key] !== user[key]) next[key] = limits[key]
  if (Object.keys(next).length === 0) return

  await checkPower(tx, user, { role, disabled: (next.disabled_at ?? null) !== null }, next, caller)
  if (next.group_id !== undefined) {
    // Nobody deletes the group meanwhile.
    await takeTurn(tx, 'turn.routing', now)
    if (!(await groupExists(tx, next.group_id))) throw new AppError('group_missing')
    await removePermanentMembership(tx, id, user.group_id)
    await putMembership(tx, id, next.group_id, now)
  }
  // A session of before a demotion or a lock must not outlive it (S10).
  if (next.role !== undefined || next.disabled_at !== undefined) await endAllSessions(tx, id, now)
  await updateUserRow(tx, id, { ...next, updated_at: now })
  await recordAudit(tx, {
    actorUserId: caller.userId,
    action: 'update',
    objectType: 'user',
    objectId: id,
    ip,
    now,
    before: { role: user.role, disabled_at: user.disabled_at, group_id: user.group_id, ...limitFieldsOf(user) },
    after: { role: user.role, disabled_at: user.disabled_at, group_id: user.group_id, ...limitFieldsOf(user), ...next },
  })
}

/** `is_admin` only moves between the two ends: it must not make an owner an admin, nor an admin of a support role. */
function nextRole(role: Role, change: UserChange): Role {
  if (change.role) return change.role
  if (typeof change.is_admin !== 'boolean' || change.is_admin === isAdmin(role)) return role
  return change.is_admin ? 'admin' : 'user'
}

/** Nobody touches an owner, or makes one, but an owner; the last of them stays. */
async function checkPower(
  tx: Database['query'],
  user: UserRow,
  after: { role: Role; disabled: boolean },
  next: Partial<UserRow>,
  caller: Caller,
): Promise<void> {
  const powerChanges = next.role !== undefined || next.disabled_at !== undefined
  if (!powerChanges) return
  await requirePower(tx, caller, user.role === 'owner' || after.role === 'owner' ? 'owner' : 'admin')
  if (next.role !== undefined || after.disabled) await keepOne(tx, user)
}

/**
 * Looks at the caller once more, in the turn: somebody may have taken his power since the request began, and two owners
 * who demote each other must not both succeed.
 * @throws AppError role_required
 */
async function requirePower(tx: Database['query'], caller: Caller, least: 'admin' | 'owner'): Promise<void> {
  const now = await findUser(tx, caller.userId)
  if (!now || now.disabled_at !== null || !mayCall(roleOf(now.role), least)) throw new AppError('role_required')
}

/** @throws AppError last_admin when nobody of the user's power would be left */
async function keepOne(tx: Database['query'], user: UserRow): Promise<void> {
  const equals = user.role === 'owner' ? ['owner'] : user.role === 'admin' ? ['owner', 'admin'] : []
  if (equals.length > 0 && user.disabled_at === null && (await countOthersWithRole(tx, user.id, equals)) === 0)
    throw new AppError('last_admin')
}

/**
 * Deletes a user with keys, sessions, memberships and passkeys; account, ledger and logs are the books and stay (W50).
 * @throws AppError user_missing | self_delete | last_admin | role_required
 */
export async function deleteUser(deps: Deps, id: number, { caller, ip }: Actor): Promise<void> {
  const now = deps.clock.now()
  const keyHashes = await deps.db.query.transaction().execute(async (tx) => {
    await oneAtATime(tx, now)
    const user = await requireUser(tx, id)
    if (id === caller.userId) throw new AppError('self_delete')
    await requirePower(tx, caller, user.role === 'owner' ? 'owner' : 'admin')
    await keepOne(tx, user)
    const hashes = await deleteKeysOf(tx, id)
    await deleteUserRows(tx, id)
    await recordAudit(tx, {
      actorUserId: caller.userId,
      action: 'delete',
      objectType: 'user',
      objectId: id,
      ip,
      now,
      before: { username: user.username, email: user.email, role: user.role, group_id: user.group_id, keys: hashes.length },
    })
    return hashes
  })
  await deps.changes.publish({ type: 'api_key', keyHashes })
  await deps.changes.publish({ type: 'user', userId: id })
}

/** Signs a user out everywhere. @throws AppError user_missing | role_required */
export async function endSessionsOf(deps: Deps, id: number, { caller, ip }: Actor): Promise<void> {
  const now = deps.clock.now()
  await deps.db.query.transaction().execute(async (tx) => {
    const user = await requireUser(tx, id)
    if (user.role === 'owner' && caller.role !== 'owner') throw new AppError('role_required')
    await endAllSessions(tx, id, now)
    await recordAudit(tx, { actorUserId: caller.userId, action: 'end_sessions', objectType: 'user', objectId: id, ip, now })
  })
  await deps.changes.publish({ type: 'user', userId: id })
}

/** The entry in the ledger explains the money; this row makes it findable beside everything else an administrator did. */
function auditBooking(deps: Deps, id: number, entryId: number, after: Record<string, unknown>, { caller, ip }: Actor): Promise<void> {
  return recordAudit(deps.db.query, {
    actorUserId: caller.userId,
    action: 'adjust_balance',
    objectType: 'user',
    objectId: id,
    after: { ledger_entry_id: entryId, ...after },
    ip,
    now: deps.clock.now(),
  })
}

export interface Adjustment {
  amount: Money
  reason: string
  note: string
  gifted: boolean
  expected_balance?: Money | null | undefined
}

/** Most characters of an `Idempotency-Key` that count. */
const MAX_IDEMPOTENCY_KEY = 100

/**
 * Books a signed amount by hand. With an `Idempotency-Key` a repeat answers the first entry and leaves no row: nothing changed.
 * @throws AppError user_missing | conflict (the balance is not the expected one) | bad_request (below the floor)
 */
export async function adjustUserBalance(
  deps: Deps,
  id: number,
  input: Adjustment,
  actor: Actor,
  idempotencyKey: string | null,
): Promise<{ entryId: number; balance: Money }> {
  const booked = await book(deps, id, input, actor.caller, idempotencyKey)
  if (!booked.repeated)
    await auditBooking(deps, id, booked.entryId, { amount: input.amount, balance: booked.balance, reason: input.reason }, actor)
  return booked
}

async function book(deps: Deps, id: number, input: Adjustment, caller: Caller, idempotencyKey: string | null) {
  await requireUser(deps.db.query, id)
  const account = await accountOf(deps, id)
  const common = {
    accountId: account.id,
    actorUserId: caller.userId,
    reason: input.reason,
    note: input.note,
    ...(input.expected_balance === undefined || input.expected_balance === null ? {} : { expected: input.expected_balance }),
  }
  if (idempotencyKey === null) {
    const { entryId, balance } = await adjustBalance(deps, { ...common, userId: id, delta: input.amount, gifted: input.gifted })
    return { entryId: entryId ?? 0, balance, repeated: false }
  }
  const reference = `${account.id}:${idempotencyKey.slice(0, MAX_IDEMPOTENCY_KEY)}`
  // A debit is booked against gifted money first, as any spending is.
  const gifted = input.gifted || input.amount < 0n ? { gifted: input.amount } : {}
  return credit(deps, { ...common, ...gifted, kind: 'adjustment', reference, amount: input.amount })
}
