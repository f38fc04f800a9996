import { getPublicSettings, getSettings, putSettings } from '../../../contract/api/settings.ts'
import { bind, type Route } from '../../http/bind.ts'
import type { Deps } from '../../http/deps.ts'
import { adminSettingsOf, publicSettingsOf, updateSettings } from './service.ts'

/** Settings of the site. */
export function settingsRoutes(deps: Deps): Route[] {
  return [
    bind(getPublicSettings, () => publicSettingsOf(deps)),
    bind(getSettings, () => adminSettingsOf(deps)),
    bind(putSettings, ({ body, caller, ip }) => updateSettings(deps, body, { userId: caller.userId, ip })),
  ]
}
