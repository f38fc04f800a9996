import type { Attestation, CreationOptions, PasskeyWire } from '../../../contract/api/passkeys.ts'
import { AppError } from '../../../contract/errors.ts'
import type { Database } from '../../db/open.ts'
import type { Caller } from '../../http/caller.ts'
import type { Deps } from '../../http/deps.ts'
import { isUniqueViolation } from '../../http/errors.ts'
import { isoTime, isoTimeOrNull } from '../../lib/clock.ts'
import { recordAudit } from '../audit/service.ts'
import { requireUser } from '../users/service.ts'
import { beginCeremony, descriptorOf, proveAttestation, userHandle, type From } from './ceremony.ts'
import { ALGORITHMS } from './relying-party.ts'
import { insertPasskey, lockPasskeys, removePasskey, selectPasskeys, updatePasskey, type PasskeyRow } from './store.ts'

/** More than anybody's devices; bounds the lists that browsers are sent. */
const MAX_PASSKEYS = 50
const DEFAULT_NAME = 'Passkey'
const MAX_NAME = 100

interface Actor {
  caller: Caller
  ip: string
}

/** A user's passkeys, newest first. */
export async function passkeysOf(deps: Pick<Deps, 'db'>, userId: number): Promise<PasskeyWire[]> {
  return (await selectPasskeys(deps.db.query, userId)).map(wireOf)
}

/** Credential ids of a user, for the browser's choice. */
export async function credentialIdsOf(db: Database['query'], userId: number): Promise<string[]> {
  return (await selectPasskeys(db, userId)).map(({ credential_id: id }) => id)
}

/** @throws AppError passkey_disabled | passkey_rp_unset | passkey_limit */
export async function registrationOptions(deps: Deps, userId: number, from: From): Promise<CreationOptions> {
  requireEnabled(deps)
  const user = await requireUser(deps.db.query, userId)
  const existing = await credentialIdsOf(deps.db.query, userId)
  if (existing.length >= MAX_PASSKEYS) throw new AppError('passkey_limit')
  const { challenge, timeout, party } = await beginCeremony(deps, 'passkey_register', { userId }, from)
  return {
    challenge,
    rp: { name: deps.settings.text('site_name'), id: party.id },
    user: { id: userHandle(userId), name: user.email || user.username, displayName: user.username || user.email },
    pubKeyCredParams: ALGORITHMS.map((alg) => ({ type: 'public-key', alg })),
    timeout,
    attestation: 'none',
    excludeCredentials: existing.map(descriptorOf),
    authenticatorSelection: { userVerification: 'required', residentKey: 'preferred' },
  }
}

/** @throws AppError passkey_* */
export async function registerPasskey(
  deps: Deps,
  { caller, ip }: Actor,
  input: { name?: string | null | undefined; credential: Attestation },
): Promise<PasskeyWire> {
  requireEnabled(deps)
  const { userId } = caller
  const made = await proveAttestation(deps, input.credential, userId)
  const now = deps.clock.now()
  const row = await deps.db.query
    .transaction()
    .execute(async (tx) => {
      if ((await lockPasskeys(tx, userId, now)).length >= MAX_PASSKEYS) throw new AppError('passkey_limit')
      const passkey = await insertPasskey(tx, {
        user_id: userId,
        name: nameOf(input.name ?? ''),
        credential_id: made.credentialId,
        public_key: made.publicKey,
        sign_count: made.signCount,
        transports: '[]',
        last_used_at: null,
        created_at: now,
        updated_at: now,
      })
      await audit(tx, 'create', passkey, { ip, now })
      return passkey
    })
    .catch((error: unknown) => {
      throw isUniqueViolation(error) ? new AppError('passkey_exists', { cause: error }) : error
    })
  return wireOf(row)
}

/** @throws AppError passkey_missing */
export async function renamePasskey(deps: Deps, { caller, ip }: Actor, id: number, name: string): Promise<PasskeyWire> {
  const now = deps.clock.now()
  const row = await deps.db.query.transaction().execute(async (tx) => {
    const renamed = await updatePasskey(tx, caller.userId, id, { name: nameOf(name), updated_at: now })
    if (!renamed) throw new AppError('passkey_missing')
    await audit(tx, 'update', renamed, { ip, now })
    return renamed
  })
  return wireOf(row)
}

/** @throws AppError passkey_missing | last_sign_in */
export async function deletePasskey(deps: Deps, { caller, ip }: Actor, id: number): Promise<void> {
  const now = deps.clock.now()
  await deps.db.query.transaction().execute(async (tx) => {
    const ids = await lockPasskeys(tx, caller.userId, now)
    if (!ids.includes(id)) throw new AppError('passkey_missing')
    const user = await requireUser(tx, caller.userId)
    if (ids.length === 1 && user.password_hash === null && user.oidc_sub === null) throw new AppError('last_sign_in')
    await audit(tx, 'delete', await removePasskey(tx, caller.userId, id), { ip, now })
  })
}

/** @throws AppError passkey_disabled */
export function requireEnabled(deps: Pick<Deps, 'settings'>): void {
  if (!deps.settings.bool('passkey_enabled')) throw new AppError('passkey_disabled')
}

function audit(tx: Database['query'], action: string, passkey: PasskeyRow, { ip, now }: { ip: string; now: number }): Promise<void> {
  const { id, user_id: userId, name } = passkey
  return recordAudit(tx, { actorUserId: userId, action, objectType: 'passkey', objectId: id, after: { user_id: userId, name }, ip, now })
}

function nameOf(text: string): string {
  return text.trim().slice(0, MAX_NAME) || DEFAULT_NAME
}

function wireOf(row: PasskeyRow): PasskeyWire {
  return {
    id: row.id,
    name: row.name,
    sign_count: row.sign_count,
    last_used_at: isoTimeOrNull(row.last_used_at),
    created_at: isoTime(row.created_at),
  }
}
