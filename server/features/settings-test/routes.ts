import { testCaptcha, testMail, testOidc, testPayment } from '../../../contract/api/settings.ts'
import { bind, type Route } from '../../http/bind.ts'
import type { Deps } from '../../http/deps.ts'
import { mailLanguage } from '../mail/templates.ts'
import { tryCaptcha } from './captcha.ts'
import { tryOidc } from './oidc.ts'
import { tryPayment } from './payment.ts'
import { tryMail } from './service.ts'

/** Trying settings out before they are saved. */
export function settingsTestRoutes(deps: Deps): Route[] {
  return [
    bind(testMail, ({ caller, body, request }) => tryMail(deps, caller.userId, body, mailLanguage(request.headers.get('accept-language')))),
    bind(testOidc, ({ caller, body, ip }) => tryOidc(deps, { userId: caller.userId, ip }, body)),
    bind(testCaptcha, ({ caller, body, ip }) => tryCaptcha(deps, { userId: caller.userId, ip }, body)),
    bind(testPayment, ({ caller, body, ip }) => tryPayment(deps, { userId: caller.userId, ip }, body)),
  ]
}
