import type { SettingsWire } from '../../../contract/api/settings.ts'
import { AppError } from '../../../contract/errors.ts'
import {
  checkSetting,
  isSettingKey,
  parseBool,
  settingKeys,
  settings,
  type BoolKey,
  type SettingKey,
  type TextKey,
} from '../../../contract/settings.ts'
import type { Database } from '../../db/open.ts'
import type { Deps } from '../../http/deps.ts'
import { isMask, maskSecret } from '../../lib/secret-box.ts'
import { recordAudit } from '../audit/service.ts'
import { claimRow, deleteRow, readRow, readRows, touchRow, writeRow } from './store.ts'

/** The last characters of a secret tell two apart only where enough of it stays hidden. */
const HINT_CHARS = 4
const MIN_CHARS_FOR_HINT = 12

/** What a secret setting is sealed for. */
export function settingPurpose(key: SettingKey): string {
  return `setting:${key}`
}

/** Reads every setting into memory: at start, and then as the first listener of each change. */
export async function loadSettings(deps: Pick<Deps, 'db' | 'settings' | 'secrets'>): Promise<void> {
  const values = new Map<SettingKey, string>()
  for (const [key, value] of await readRows(deps.db.query)) {
    if (isSettingKey(key)) values.set(key, settings[key].secret ? deps.secrets.open(settingPurpose(key), value) : value)
  }
  deps.settings.replace(values)
}

/** What `GET /api/public/settings` answers; also part of the console's page. */
export function publicSettingsOf({ settings: live }: Pick<Deps, 'settings'>): SettingsWire {
  const mail = live.text('smtp_host') !== '' && live.text('smtp_from') !== ''
  const shown: Record<string, string | boolean> = { edition: 'community', mail_enabled: mail }
  for (const key of settingKeys) if (settings[key].public) shown[key] = shownValue(live, key)
  return shown as SettingsWire
}

/** What `GET /api/settings` answers: admin-only texts are left out when empty, secrets masked (W36). */
export function adminSettingsOf(deps: Pick<Deps, 'settings'>): SettingsWire {
  const { settings: live } = deps
  const shown: Record<string, string | boolean> = { ...publicSettingsOf(deps) }
  for (const key of settingKeys) {
    if (settings[key].public) continue
    const value = settings[key].secret ? maskOf(live.stored(key)) : shownValue(live, key)
    if (value !== '') shown[key] = value
  }
  const base = live.text('base_url').replace(/\/+$/, '')
  if (base !== '') {
    shown['payment_openpayment_notify_url'] = `${base}/api/payment/openpayment/notify`
    shown['payment_openpayment_return_url'] = `${base}/api/payment/openpayment/return`
  }
  return shown as SettingsWire
}

/**
 * Changes what differs from what is in force: all or nothing, checked, audited, in force when it returns (W37, W38).
 * @throws AppError bad_request naming the key
 */
export async function updateSettings(
  deps: Deps,
  body: Readonly<Record<string, unknown>>,
  actor: { userId: number; ip: string },
): Promise<SettingsWire> {
  const changes = new Map<SettingKey, string>()
  for (const [key, value] of Object.entries(body)) {
    if (!isSettingKey(key)) continue
    const next = nextValue(deps.settings, key, value)
    if (next !== undefined) changes.set(key, next)
  }
  if (changes.size > 0) {
    const now = deps.clock.now()
    const before = Object.fromEntries([...changes.keys()].map((key) => [key, deps.settings.stored(key)]))
    await deps.db.query.transaction().execute(async (tx) => {
      await storeSettings({ tx, secrets: deps.secrets, now }, changes)
      await recordAudit(tx, {
        actorUserId: actor.userId,
        action: 'update',
        objectType: 'settings',
        objectId: '',
        before,
        after: Object.fromEntries(changes),
        ip: actor.ip,
        now,
      })
    })
    await deps.changes.publish({ type: 'settings' })
  }
  return adminSettingsOf(deps)
}

/** Whether a change would replace a secret, or the rule that asks for a fresh proof before it. @throws AppError bad_request */
export function touchesSecrets(deps: Pick<Deps, 'settings'>, body: Readonly<Record<string, unknown>>): boolean {
  return Object.entries(body).some(
    ([key, value]) =>
      isSettingKey(key) && (settings[key].secret || key.startsWith('step_up_')) && nextValue(deps.settings, key, value) !== undefined,
  )
}

/** Writes checked values in the caller's transaction; the caller loads them afterwards. */
export async function storeSettings(
  { tx, secrets, now }: { tx: Database['query']; secrets: Deps['secrets']; now: number },
  values: ReadonlyMap<SettingKey, string>,
): Promise<void> {
  for (const [key, value] of values) {
    if (value === '') await deleteRow(tx, key)
    else await writeRow(tx, key, settings[key].secret ? secrets.seal(settingPurpose(key), value) : value, now)
  }
}

/** Flags of the installation that are set once and never taken back; they share the table, not the names, of settings. */
export type InstallationFlag = 'installation.setup_completed'

/** @returns true for the one caller that set it */
export function setFlagOnce(tx: Database['query'], flag: InstallationFlag, now: number): Promise<boolean> {
  return claimRow(tx, flag, 'true', now)
}

export async function hasFlag(db: Database['query'], flag: InstallationFlag): Promise<boolean> {
  return (await readRow(db, flag)) !== undefined
}

/** How far a job has come, a number that only it moves; it shares the table, not the names, of settings. */
export type Mark = 'mark.referral_logs' | 'mark.daily_totals' | 'mark.usage' | 'mark.log_archive'

/** @returns 0 for a mark that was never set */
export async function readMark(db: Database['query'], mark: Mark): Promise<number> {
  return Number((await readRow(db, mark)) ?? 0)
}

export async function writeMark(tx: Database['query'], mark: Mark, value: number, now: number): Promise<void> {
  await writeRow(tx, mark, String(value), now)
}

/** Makes transactions that decide on what all administrators are run one after the other, also on PostgreSQL. */
export function oneAtATime(tx: Database['query'], now: number): Promise<void> {
  const flag: InstallationFlag = 'installation.setup_completed'
  return touchRow(tx, flag, now)
}

/** What transactions take turns at: whoever has it keeps it until his transaction ends. */
export type Turn = 'turn.routing'

/** Makes transactions that take the same turn run one after the other, also on PostgreSQL; the first statement of each. */
export function takeTurn(tx: Database['query'], turn: Turn, now: number): Promise<void> {
  return writeRow(tx, turn, '', now)
}

/** The text to store, "" to clear, or undefined to leave it as it is. */
function nextValue(live: Deps['settings'], key: SettingKey, value: unknown): string | undefined {
  const { kind, secret } = settings[key]
  if (value === undefined) return undefined
  if (secret) return nextSecret(key, value)
  if (value === null) return undefined
  const text = textOf(key, value)
  const next = kind === 'bool' && text !== '' ? normalBool(key, text) : text
  // Forms send back everything they got: what is unchanged is neither checked nor stored.
  if (next === String(shownValue(live, key))) return undefined
  const fault = checkSetting(key, next)
  if (fault !== undefined) throw new AppError('bad_request', { message: /^[A-Z]/.test(fault) ? fault : `${key}: ${fault}`, param: key })
  return next === live.stored(key) ? undefined : next
}

/** A secret: `null` clears, its mask or "" keeps, anything else replaces (additions.md). Blanks may be part of it. */
function nextSecret(key: SettingKey, value: unknown): string | undefined {
  if (value === null) return ''
  if (typeof value !== 'string') throw new AppError('bad_request', { message: `${key}: must be a string`, param: key })
  return value === '' || isMask(value) ? undefined : value
}

function textOf(key: SettingKey, value: unknown): string {
  if (typeof value === 'string') return value.trim()
  if (typeof value === 'number' || typeof value === 'boolean') return String(value)
  throw new AppError('bad_request', { message: `${key}: must be a ${settings[key].kind === 'bool' ? 'boolean' : 'string'}`, param: key })
}

function normalBool(key: SettingKey, text: string): string {
  const value = parseBool(text)
  if (value === undefined) throw new AppError('bad_request', { message: `${key}: must be true or false`, param: key })
  return String(value)
}

function shownValue(live: Deps['settings'], key: SettingKey): string | boolean {
  if (settings[key].kind === 'bool') return live.bool(key as BoolKey)
  const value = live.text(key as TextKey)
  return key === 'payment_gateway_provider' ? normalProvider(value) : value
}

/** The names other versions gave the gateways (contract.md 5.1). */
function normalProvider(value: string): string {
  if (value === 'stripe') return value
  return value === 'yipay' || value === 'epay' ? 'yipay' : 'openpayment'
}

function maskOf(secret: string): string {
  if (secret === '') return ''
  return maskSecret(secret.length >= MIN_CHARS_FOR_HINT ? secret.slice(-HINT_CHARS) : '')
}
