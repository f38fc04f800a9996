import { testMail } from '../../../contract/api/settings.ts'
import { bind, type Route } from '../../http/bind.ts'
import type { Deps } from '../../http/deps.ts'
import { mailLanguage } from '../mail/templates.ts'
import { tryMail } from './service.ts'

/** Trying settings out before they are saved. */
export function settingsTestRoutes(deps: Deps): Route[] {
  return [
    bind(testMail, ({ caller, body, request }) => tryMail(deps, caller.userId, body, mailLanguage(request.headers.get('accept-language')))),
  ]
}
