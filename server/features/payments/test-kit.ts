import type { SettingKey } from '../../../contract/settings.ts'
import { LiveSettings } from '../../lib/live-settings.ts'

/** An order number of ours. */
export const ORDER = `PAY20261122120000${'0123456789ABCDEF'.repeat(2)}`
export const NOW = Date.UTC(2026, 10, 22)

/** Settings as they are in memory, of what is given. */
export function settingsOf(values: Partial<Record<SettingKey, string>>): LiveSettings {
  const settings = new LiveSettings()
  settings.replace(new Map(Object.entries(values) as [SettingKey, string][]))
  return settings
}

export const noFetch = () => Promise.reject(new Error('not in this test'))

/** Why a message is not believed; undefined: it is, or there is none. */
export function reasonOf(message: { ok: true } | { ok: false; reason: string } | undefined): string | undefined {
  return message === undefined || message.ok ? undefined : message.reason
}
