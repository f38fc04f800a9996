import { checkSetting, isSettingKey, settingKeys, settings, type SettingKey } from '../../../contract/settings.ts'
import type { Deps } from '../../http/deps.ts'
import { LiveSettings } from '../../lib/live-settings.ts'
import { isMask } from '../../lib/secret-box.ts'

/** Settings of a form over the stored ones, for one try. */
export interface Overlay {
  /** The application with them; what may be called is still the stored settings' to say. */
  deps: Deps
  /** The first setting of the form that could not be stored. */
  fault: string | undefined
}

/**
 * Lays a form over the stored settings.
 * @param places where each secret goes: a stored one is kept only where none of them was changed, so that it is sent to nobody else
 */
export function overlaid(
  deps: Deps,
  form: Readonly<Record<string, unknown>>,
  places: Partial<Record<SettingKey, readonly SettingKey[]>>,
): Overlay {
  const values = new Map(settingKeys.map((key) => [key, deps.settings.stored(key)]))
  let fault: string | undefined
  for (const [key, given] of Object.entries(form)) {
    if (!isSettingKey(key) || settings[key].secret || typeof given !== 'string') continue
    const value = given.trim()
    const wrong = checkSetting(key, value)
    if (wrong !== undefined) fault ??= `${key}: ${wrong}`
    values.set(key, value)
  }
  for (const [key, goesTo] of Object.entries(places) as [SettingKey, readonly SettingKey[]][]) {
    const given = form[key]
    const typed = typeof given === 'string' && given !== '' && !isMask(given)
    const moved = goesTo.some((place) => values.get(place) !== deps.settings.stored(place))
    if (typed) values.set(key, given)
    else if (given === null || moved) values.set(key, '')
  }
  const tried = new LiveSettings()
  tried.replace(values)
  return { deps: { ...deps, settings: tried }, fault }
}
