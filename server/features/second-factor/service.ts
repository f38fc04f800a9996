import { AppError } from '../../../contract/errors.ts'
import type { Database } from '../../db/open.ts'
import type { Deps } from '../../http/deps.ts'
import { isoTimeOrNull } from '../../lib/clock.ts'
import { countAttempt, forgetAttempts, GUESSES } from '../attempts/service.ts'
import { recordAudit } from '../audit/service.ts'
import { requireUser } from '../users/service.ts'
import { isTotpCode, newRecoveryCodes, newTotp, normalCode, recoveryHash, stepOf } from './codes.ts'
import {
  confirmRow,
  countRecoveryCodes,
  findTotp,
  putPendingTotp,
  removeTotp,
  replaceRecoveryCodes,
  takeRecoveryCode,
  useStep,
} from './store.ts'

/** What the secrets of authenticator apps are sealed for. */
export const TOTP_PURPOSE = 'totp'

interface Actor {
  userId: number
  ip: string
}

/** Uses a proven code up in the transaction of what it allows. @throws AppError second_factor_used when it was used before */
export type Spend = (tx: Database['query']) => Promise<void>

export async function hasTotp(deps: Pick<Deps, 'db'>, userId: number): Promise<boolean> {
  return ((await findTotp(deps.db.query, userId))?.confirmed_at ?? null) !== null
}

export async function stateOf(
  deps: Pick<Deps, 'db'>,
  userId: number,
): Promise<{ totp_enabled: boolean; totp_enabled_at: string | null; recovery_codes_left: number }> {
  const confirmedAt = (await findTotp(deps.db.query, userId))?.confirmed_at ?? null
  const left = await countRecoveryCodes(deps.db.query, userId)
  return { totp_enabled: confirmedAt !== null, totp_enabled_at: isoTimeOrNull(confirmedAt), recovery_codes_left: left }
}

/**
 * Checks a code of the app or a recovery code. Ten wrong ones an hour and account, whatever they are tried for.
 * @returns what uses it up
 * @throws AppError second_factor_failed | too_many_requests
 */
export async function proveCode(deps: Pick<Deps, 'db' | 'clock' | 'secrets'>, userId: number, typed: string): Promise<Spend> {
  const guesses = guessesOf(userId)
  await countAttempt(deps, guesses, GUESSES)
  const totp = await findTotp(deps.db.query, userId)
  if (!totp || totp.confirmed_at === null) throw new AppError('second_factor_failed')
  const code = normalCode(typed)
  if (!isTotpCode(code)) {
    return async (tx) => {
      if (!(await takeRecoveryCode(tx, userId, recoveryHash(userId, code)))) throw new AppError('second_factor_failed')
      await forgetAttempts(tx, guesses)
    }
  }
  const step = stepOf(deps.secrets.open(TOTP_PURPOSE, totp.sealed), code, deps.clock.now())
  if (step === undefined) throw new AppError('second_factor_failed')
  return async (tx) => {
    if (!(await useStep(tx, totp.id, step))) throw new AppError('second_factor_used')
    await forgetAttempts(tx, guesses)
  }
}

/** A new secret, which counts once a code of it is confirmed. @throws AppError totp_enabled */
export async function beginTotp(deps: Deps, userId: number): Promise<{ secret: string; otpauth_url: string }> {
  const user = await requireUser(deps.db.query, userId)
  const { secret, url } = newTotp(deps.settings.text('site_name'), user.email || user.username)
  const row = { user_id: userId, sealed: deps.secrets.seal(TOTP_PURPOSE, secret), created_at: deps.clock.now() }
  if (!(await putPendingTotp(deps.db.query, row))) throw new AppError('totp_enabled')
  return { secret, otpauth_url: url }
}

/**
 * Switches the app on with a first code of it.
 * @returns the recovery codes, which nobody can show again
 * @throws AppError totp_not_begun | totp_enabled | second_factor_failed | second_factor_used | too_many_requests
 */
export async function confirmTotp(deps: Deps, { userId, ip }: Actor, typed: string): Promise<string[]> {
  await countAttempt(deps, guessesOf(userId), GUESSES)
  const totp = await findTotp(deps.db.query, userId)
  if (!totp) throw new AppError('totp_not_begun')
  if (totp.confirmed_at !== null) throw new AppError('totp_enabled')
  const now = deps.clock.now()
  const step = stepOf(deps.secrets.open(TOTP_PURPOSE, totp.sealed), normalCode(typed), now)
  if (step === undefined) throw new AppError('second_factor_failed')
  return deps.db.query.transaction().execute(async (tx) => {
    if (!(await useStep(tx, totp.id, step))) throw new AppError('second_factor_used')
    await confirmRow(tx, totp.id, now)
    await forgetAttempts(tx, guessesOf(userId))
    await audit(tx, 'totp_enable', { userId, ip }, now)
    return newCodes(tx, userId, now)
  })
}

/** @throws AppError totp_not_begun */
export async function disableTotp(deps: Deps, { userId, ip }: Actor): Promise<void> {
  if (!(await findTotp(deps.db.query, userId))) throw new AppError('totp_not_begun')
  const now = deps.clock.now()
  await deps.db.query.transaction().execute(async (tx) => {
    await removeTotp(tx, userId)
    await audit(tx, 'totp_disable', { userId, ip }, now)
  })
}

/** New recovery codes in place of the old. @throws AppError totp_not_begun */
export async function renewRecoveryCodes(deps: Deps, { userId, ip }: Actor): Promise<string[]> {
  if (!(await hasTotp(deps, userId))) throw new AppError('totp_not_begun')
  const now = deps.clock.now()
  return deps.db.query.transaction().execute(async (tx) => {
    await audit(tx, 'recovery_codes', { userId, ip }, now)
    return newCodes(tx, userId, now)
  })
}

async function newCodes(tx: Database['query'], userId: number, now: number): Promise<string[]> {
  const codes = newRecoveryCodes()
  const hashes = codes.map((code) => recoveryHash(userId, code))
  await replaceRecoveryCodes(tx, userId, hashes, now)
  return codes
}

function guessesOf(userId: number): string {
  return `second-factor:${userId}`
}

function audit(tx: Database['query'], action: string, { userId, ip }: Actor, now: number): Promise<void> {
  return recordAudit(tx, { actorUserId: userId, action, objectType: 'user', objectId: userId, ip, now })
}
