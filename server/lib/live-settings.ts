import { parseMoney, type Money } from '../../contract/money.ts'
import { parseBool, settings, type BoolKey, type SettingKey, type TextKey } from '../../contract/settings.ts'

/**
 * The settings in memory, read without a query. The settings feature replaces them after each change, so they are in
 * force at once. An empty or unreadable stored value means the default (contract.md section 5).
 */
export class LiveSettings {
  #values: ReadonlyMap<SettingKey, string> = new Map()
  /** Grows with each change: caches made from settings compare it. */
  version = 0
  readonly #listeners: (() => void)[] = []

  replace(values: ReadonlyMap<SettingKey, string>): void {
    this.#values = values
    this.version += 1
    for (const listener of this.#listeners) listener()
  }

  /** Calls `listener` after each change, for what must not even compare versions. */
  onReplace(listener: () => void): void {
    this.#listeners.push(listener)
  }

  /** The stored text, or "" when the default is in force. */
  stored(key: SettingKey): string {
    return this.#values.get(key) ?? ''
  }

  text(key: TextKey): string {
    return this.#values.get(key) || settings[key].fallback
  }

  bool(key: BoolKey): boolean {
    return parseBool(this.#values.get(key) ?? '') ?? settings[key].fallback === 'true'
  }

  integer(key: TextKey): number {
    const value = Number(this.text(key))
    return Number.isSafeInteger(value) ? value : Number(settings[key].fallback)
  }

  decimal(key: TextKey): Money {
    const value = parseMoney(this.text(key)) ?? parseMoney(settings[key].fallback)
    if (value === undefined) throw new TypeError(`setting ${key} has no decimal default`)
    return value
  }
}
