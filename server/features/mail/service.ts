import type { Database } from '../../db/open.ts'
import type { Deps } from '../../http/deps.ts'
import { describeError } from '../../lib/log.ts'
import { MailRefused, type Mail } from '../../lib/mailer.ts'
import { claimMails, deleteMailsBefore, endMail, insertMail, postponeMail, type MailRow } from './store.ts'

/** How often the queue is looked at: a person waits for the code. */
export const DELIVER_MAILS_MS = 1_000
/** Longer than all time-outs of one delivery together (server/lib/mailer.ts). */
const LEASE_MS = 120_000
/** At once, so that one slow server does not hold up all mail, and no more than a small server takes. */
const AT_ONCE = 5
/** First wait after a failure; three times as long after each further one, up to the longest. */
const FIRST_RETRY_MS = 5_000
const RETRY_FACTOR = 3
const LONGEST_RETRY_MS = 5 * 60_000
/** A trace of a mail is kept this long, for the owner who asks why one did not come. */
const KEPT_MS = 24 * 60 * 60_000
/** What queued mails are sealed for. */
export const MAIL_PURPOSE = 'mail'

export interface QueuedMail {
  /** What for, such as `registration`; never its text. */
  kind: string
  mail: Mail
  /** After this nobody wants it any more. */
  deadlineAt: number
  /** False: leaves the same trace and costs the same work, but nothing is sent (W21). */
  deliver: boolean
}

/** Puts a mail into the queue in the caller's transaction. The text is sealed: a code in it is not readable at rest. */
export function queueMail(tx: Database['query'], deps: Pick<Deps, 'secrets' | 'clock'>, queued: QueuedMail): Promise<void> {
  const now = deps.clock.now()
  const sealed = deps.secrets.seal(MAIL_PURPOSE, JSON.stringify(queued.mail))
  return insertMail(tx, {
    kind: queued.kind,
    sealed: queued.deliver ? sealed : '',
    tries: 0,
    next_try_at: queued.deliver ? now : null,
    deadline_at: queued.deadlineAt,
    outcome: '',
    error: '',
    created_at: now,
  })
}

/** Sends what is due. What the server cannot take now is tried again later, what it refuses for good is not. */
export async function deliverMails(deps: Pick<Deps, 'db' | 'clock' | 'secrets' | 'mailer' | 'log'>): Promise<void> {
  for (;;) {
    const mails = await claimMails(deps.db.query, deps.clock.now(), LEASE_MS, AT_ONCE)
    await Promise.all(mails.map((mail) => deliver(deps, mail)))
    if (mails.length < AT_ONCE) return
  }
}

/** Drops the traces of old mails. */
export function sweepMails(deps: Pick<Deps, 'db' | 'clock'>): Promise<void> {
  return deleteMailsBefore(deps.db.query, deps.clock.now() - KEPT_MS)
}

async function deliver(deps: Pick<Deps, 'db' | 'clock' | 'secrets' | 'mailer' | 'log'>, row: MailRow): Promise<void> {
  const db = deps.db.query
  if (deps.clock.now() >= row.deadline_at) return endMail(db, row.id, 'expired', row.error)
  try {
    await deps.mailer.send(JSON.parse(deps.secrets.open(MAIL_PURPOSE, row.sealed)) as Mail)
  } catch (error) {
    const cause = describeError(error)
    deps.log.warn('a mail could not be sent', { mail_id: row.id, kind: row.kind, tries: row.tries, cause })
    if (error instanceof MailRefused) return endMail(db, row.id, 'refused', cause)
    const wait = Math.min(FIRST_RETRY_MS * RETRY_FACTOR ** (row.tries - 1), LONGEST_RETRY_MS)
    return postponeMail(db, row.id, deps.clock.now() + wait, cause)
  }
  return endMail(db, row.id, 'sent', '')
}
