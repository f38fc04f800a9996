import { z } from 'zod'
import type { Assertion, Attestation, RequestOptions } from '../../../contract/api/passkeys.ts'
import { AppError } from '../../../contract/errors.ts'
import type { Database } from '../../db/open.ts'
import type { Deps } from '../../http/deps.ts'
import { issueChallenge, spendChallenge, type ChallengePurpose } from '../challenges/service.ts'
import { relyingParty, type RelyingParty } from './relying-party.ts'
import { findPasskey, raiseCounter, type PasskeyRow } from './store.ts'
// What these checks are made with is loaded with the first passkey (docs/decisions/0008).
import type { NewCredential } from './verify.ts'

/** How long the browser waits for the person (contract.md 3.3); the challenge lives longer, networks are slow. */
const TIMEOUT_MS = 60_000

const payloadSchema = z.object({ id: z.string(), origin: z.string(), decoy: z.boolean().optional() })

/** Where a request of a ceremony comes from. */
export interface From {
  request: Request
  ip: string
}

/** Who may answer: one user, anybody with a passkey, or nobody (an account that is not there, which must not show). */
export type Answerer = { userId: number } | 'anybody' | 'nobody'

/** Makes a challenge bound to the relying party and, if it is known, the user. @throws AppError passkey_rp_unset */
export async function beginCeremony(
  deps: Pick<Deps, 'db' | 'clock' | 'settings'>,
  purpose: ChallengePurpose,
  answerer: Answerer,
  from: From,
): Promise<{ challenge: string; timeout: number; party: RelyingParty }> {
  const party = relyingParty(deps, from.request, from.ip)
  const challenge = await issueChallenge(deps, purpose, {
    userId: typeof answerer === 'object' ? answerer.userId : null,
    payload: { ...party, ...(answerer === 'nobody' ? { decoy: true } : {}) },
  })
  return { challenge, timeout: TIMEOUT_MS, party }
}

/** The options of a sign-in or a confirmation, for these credentials. */
export async function requestOptionsOf(
  deps: Pick<Deps, 'db' | 'clock' | 'settings'>,
  purpose: ChallengePurpose,
  answerer: Answerer,
  from: From,
  credentialIds: readonly string[],
): Promise<RequestOptions> {
  const { challenge, timeout, party } = await beginCeremony(deps, purpose, answerer, from)
  return { challenge, timeout, rpId: party.id, allowCredentials: credentialIds.map(descriptorOf), userVerification: 'required' }
}

export function descriptorOf(id: string): { type: 'public-key'; id: string } {
  return { type: 'public-key', id }
}

/** The user handle of an account: its decimal id (contract.md 3.6). */
export function userHandle(userId: number): string {
  return Buffer.from(String(userId)).toString('base64url')
}

/** A passkey that signed the challenge; `store` makes it count, once, in the transaction of what it allows. */
export interface ProvenPasskey {
  passkey: PasskeyRow
  /** @throws AppError passkey_counter when another answer came first */
  store(tx: Database['query'], now: number): Promise<void>
}

/**
 * Checks an answer to a challenge of `purpose`. The challenge is used up whatever comes out.
 * @param userId whose passkey it must be, when somebody is signed in
 * @throws AppError passkey_*
 */
export async function proveAssertion(
  deps: Pick<Deps, 'db' | 'clock'>,
  purpose: 'passkey_login' | 'passkey_reauth',
  answer: Assertion,
  userId?: number,
): Promise<ProvenPasskey> {
  const { credentialIdOf, readClientData, verifyAssertion } = await import('./verify.ts')
  const rawId = credentialIdOf(answer)
  const { challenge, party, decoy, owner } = await spend(deps, purpose, readClientData(answer.response.clientDataJSON, 'webauthn.get'))
  const passkey = await findPasskey(deps.db.query, rawId)
  if (!passkey) throw new AppError('passkey_unknown')
  const handle = answer.response.userHandle
  const belongs = [owner ?? passkey.user_id, userId ?? passkey.user_id].every((id) => id === passkey.user_id)
  if (decoy || !belongs || (handle !== '' && handle !== userHandle(passkey.user_id))) throw new AppError('passkey_foreign')
  const count = await verifyAssertion(answer, passkey, { challenge, party })
  return {
    passkey,
    async store(tx, now) {
      if (!(await raiseCounter(tx, passkey.id, count, now))) throw new AppError('passkey_counter')
    },
  }
}

/** Checks a new passkey of a user. The challenge is used up whatever comes out. @throws AppError passkey_* */
export async function proveAttestation(deps: Pick<Deps, 'db' | 'clock'>, answer: Attestation, userId: number): Promise<NewCredential> {
  const { credentialIdOf, readClientData, verifyAttestation } = await import('./verify.ts')
  const rawId = credentialIdOf(answer)
  const clientData = readClientData(answer.response.clientDataJSON, 'webauthn.create')
  const { challenge, party, owner } = await spend(deps, 'passkey_register', clientData)
  if (owner !== userId) throw new AppError('passkey_challenge')
  return verifyAttestation(answer, rawId, { challenge, party })
}

async function spend(
  deps: Pick<Deps, 'db' | 'clock'>,
  purpose: ChallengePurpose,
  { challenge, origin }: { challenge: string; origin: string },
): Promise<{ challenge: string; party: RelyingParty; decoy: boolean; owner: number | null }> {
  const found = await spendChallenge(deps.db.query, purpose, challenge, deps.clock.now())
  if (!found) throw new AppError('passkey_challenge')
  const { decoy = false, ...party } = payloadSchema.parse(found.payload)
  if (origin !== party.origin) throw new AppError('passkey_origin')
  return { challenge, party, decoy, owner: found.userId }
}
