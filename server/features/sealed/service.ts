import { isSettingKey, settings } from '../../../contract/settings.ts'
import type { Database } from '../../db/open.ts'
import type { SecretBox } from '../../lib/secret-box.ts'
import { CHANNEL_KEY_PURPOSE } from '../catalog/service.ts'
import { MAIL_PURPOSE } from '../mail/service.ts'
import { OIDC_FLOW_PURPOSE } from '../oidc/flow.ts'
import { PAYLOAD_PURPOSE } from '../payloads/recorder.ts'
import { TOTP_PURPOSE } from '../second-factor/service.ts'
import { settingPurpose } from '../settings/service.ts'
import { eachSealed, putSealed, type SealedColumn } from './store.ts'

/** Every sealed column, and what its texts are sealed for; undefined: this row's text is no secret. */
const columns: readonly (SealedColumn & { purposeOf(id: string | number): string | undefined })[] = [
  { table: 'channels', id: 'id', column: 'api_key_sealed', purposeOf: () => CHANNEL_KEY_PURPOSE },
  {
    table: 'settings',
    id: 'key',
    column: 'value',
    purposeOf: (key) => (typeof key === 'string' && isSettingKey(key) && settings[key].secret ? settingPurpose(key) : undefined),
  },
  { table: 'totp_secrets', id: 'id', column: 'sealed', purposeOf: () => TOTP_PURPOSE },
  { table: 'mails', id: 'id', column: 'sealed', purposeOf: () => MAIL_PURPOSE },
  { table: 'log_payloads', id: 'log_id', column: 'sealed', purposeOf: () => PAYLOAD_PURPOSE },
  { table: 'oidc_flows', id: 'id', column: 'sealed', purposeOf: () => OIDC_FLOW_PURPOSE },
]

/**
 * Seals every secret with another key, all in one transaction: whoever is killed on the way has changed nothing, and what a
 * finished run did already is left alone, so that it can be run again.
 * @returns how many were sealed anew, and how many had the new key already
 * @throws Error, and changes nothing, when a secret opens with neither key
 */
export function resealAll(db: Database, from: SecretBox, to: SecretBox): Promise<{ sealed: number; already: number }> {
  return db.query.transaction().execute(async (tx) => {
    const done = { sealed: 0, already: 0 }
    for (const column of columns) {
      for await (const { id, sealed } of eachSealed(tx, column)) {
        const purpose = column.purposeOf(id)
        if (purpose === undefined) continue
        if (opens(to, purpose, sealed)) {
          done.already += 1
          continue
        }
        await putSealed(tx, column, id, to.seal(purpose, openOld(from, purpose, sealed, `${column.table} ${id}`)))
        done.sealed += 1
      }
    }
    return done
  })
}

function openOld(from: SecretBox, purpose: string, sealed: string, where: string): string {
  try {
    return from.open(purpose, sealed)
  } catch (cause) {
    throw new Error(`the secret of ${where} opens with neither the old nor the new key; nothing was changed`, { cause })
  }
}

/** Authenticated encryption: another key opens nothing. */
function opens(box: SecretBox, purpose: string, sealed: string): boolean {
  try {
    box.open(purpose, sealed)
    return true
  } catch {
    return false
  }
}
