import { createHmac, timingSafeEqual } from 'node:crypto'
import { AppError } from '../../../contract/errors.ts'
import type { Database } from '../../db/open.ts'
import type { Deps } from '../../http/deps.ts'
import { drawBelow, randomToken } from '../../lib/ids.ts'
import { deriveKey } from '../../lib/secret-box.ts'
import { countAttempt, forgetAttempts, GUESSES, type AttemptLimit } from '../attempts/service.ts'
import { queueMail } from '../mail/service.ts'
import { writeMail, type MailLanguage } from '../mail/templates.ts'
import { deleteCodesBefore, insertCode, tryCodes, useCode } from './store.ts'

export type CodePurpose = 'registration' | 'password_change' | 'password_reset'

/** Contract.md 3.3. */
const CODE_DIGITS = 6
const CODE_MINUTES = 10
/** Tries a code takes, right or wrong (promises.md S7). */
const MAX_TRIES = 5
/** Mails one address gets, whatever for and whoever asks: nobody's inbox is flooded through us. */
const MAILS_PER_ADDRESS: AttemptLimit = { count: 3, windowMs: 10 * 60_000 }

export interface CodeRequest {
  /** Lower case. */
  email: string
  purpose: CodePurpose
  language: MailLanguage
  /**
   * `code` sends one; `account_exists` tells the owner of the address so instead; `nothing` sends nothing. All three do
   * the same work and leave the same rows, so that neither answer nor time tells them apart (W21).
   */
  send: 'code' | 'account_exists' | 'nothing'
}

/** @throws AppError smtp_unset */
export function requireMail(deps: Pick<Deps, 'mailer'>): void {
  if (!deps.mailer.configured()) throw new AppError('smtp_unset')
}

/**
 * Makes a code and queues its mail.
 * @throws AppError smtp_unset | too_many_requests
 */
export async function sendCode(
  deps: Pick<Deps, 'db' | 'clock' | 'settings' | 'secrets' | 'mailer' | 'jwtSecret'>,
  request: CodeRequest,
): Promise<void> {
  requireMail(deps)
  const { email, purpose, language, send } = request
  await countAttempt(deps, `mail:${email}`, MAILS_PER_ADDRESS)
  const now = deps.clock.now()
  const expiresAt = now + CODE_MINUTES * 60_000
  const code = String(drawBelow(10 ** CODE_DIGITS)).padStart(CODE_DIGITS, '0')
  const site = deps.settings.text('site_name')
  const content = send === 'account_exists' ? ({ kind: send } as const) : { kind: purpose, code, minutes: CODE_MINUTES }
  const mail = writeMail(email, site, language, content)
  await deps.db.query.transaction().execute(async (tx) => {
    // Where no code is sent, no code is right.
    const secret = send === 'code' ? code : randomToken(CODE_DIGITS)
    await insertCode(tx, {
      email,
      purpose,
      code_hash: hashOf(deps.jwtSecret, email, purpose, secret),
      expires_at: expiresAt,
      created_at: now,
    })
    await queueMail(tx, deps, { kind: content.kind, mail, deadlineAt: expiresAt, deliver: send !== 'nothing' })
  })
}

/**
 * Counts a try and finds the code that was meant; it is used up by `spendCode` in the transaction that acts on it.
 * @returns the code's id
 * @throws AppError code_invalid | too_many_requests
 */
export async function checkCode(
  deps: Pick<Deps, 'db' | 'clock' | 'jwtSecret'>,
  { email, purpose, code }: { email: string; purpose: CodePurpose; code: string },
): Promise<number> {
  await countAttempt(deps, guessKey(email, purpose), GUESSES)
  const wanted = Buffer.from(hashOf(deps.jwtSecret, email, purpose, code.trim()))
  const tried = await tryCodes(deps.db.query, { email, purpose }, MAX_TRIES, deps.clock.now())
  const found = tried.filter(({ code_hash: hash }) => timingSafeEqual(Buffer.from(hash), wanted))
  const [match] = found
  if (!match) throw new AppError('code_invalid')
  return match.id
}

/**
 * Uses the code up in the caller's transaction: of many who present it at once one is served.
 * @throws AppError code_invalid
 */
export async function spendCode(
  tx: Database['query'],
  id: number,
  { email, purpose }: { email: string; purpose: CodePurpose },
  now: number,
): Promise<void> {
  if (!(await useCode(tx, id, now))) throw new AppError('code_invalid')
  await forgetAttempts(tx, guessKey(email, purpose))
}

/** Drops codes that have run out. */
export function sweepCodes(deps: Pick<Deps, 'db' | 'clock'>): Promise<void> {
  return deleteCodesBefore(deps.db.query, deps.clock.now())
}

function guessKey(email: string, purpose: CodePurpose): string {
  return `code:${purpose}:${email}`
}

/** Keyed, because six digits are found in a moment from a plain hash (W25). */
function hashOf(jwtSecret: string, email: string, purpose: CodePurpose, code: string): string {
  return createHmac('sha256', deriveKey(jwtSecret, 'mail-code')).update(`${email}|${purpose}|${code}`).digest('hex')
}
