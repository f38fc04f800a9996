import { getPublicSettings, getSettings, putSettings } from '../../../contract/api/settings.ts'
import { bind, type Route } from '../../http/bind.ts'
import type { Deps } from '../../http/deps.ts'
import { requireFresh } from '../sessions/step-up.ts'
import { adminSettingsOf, publicSettingsOf, touchesSecrets, updateSettings } from './service.ts'

/** Settings of the site. */
export function settingsRoutes(deps: Deps): Route[] {
  return [
    bind(getPublicSettings, () => publicSettingsOf(deps)),
    bind(getSettings, () => adminSettingsOf(deps)),
    bind(putSettings, async ({ body, caller, ip }) => {
      if (touchesSecrets(deps, body)) await requireFresh(deps, caller, 'site')
      return updateSettings(deps, body, { userId: caller.userId, ip })
    }),
  ]
}
