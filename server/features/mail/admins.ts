import type { Database } from '../../db/open.ts'
import type { Deps } from '../../http/deps.ts'
import { administrators } from '../users/service.ts'
import { queueMail } from './service.ts'
import { writeMail, type MailContent } from './templates.ts'

/** Nobody wants the news of yesterday's outage. */
const NEWS_MS = 60 * 60_000

/** Queues a mail, in English as no browser asks, to every administrator with a verified address, when mail is set up. @returns whether anybody is written to */
export async function mailAdmins(
  tx: Database['query'],
  deps: Pick<Deps, 'settings' | 'secrets' | 'clock' | 'mailer'>,
  content: MailContent,
): Promise<boolean> {
  if (!deps.mailer.configured()) return false
  const site = deps.settings.text('site_name')
  const people = await administrators(tx)
  for (const { email } of people) {
    const mail = writeMail(email, site, 'en', content)
    await queueMail(tx, deps, { kind: content.kind, mail, deadlineAt: deps.clock.now() + NEWS_MS, deliver: true })
  }
  return people.length > 0
}
