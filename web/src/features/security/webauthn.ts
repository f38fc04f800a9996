import type { PasskeyCreation, PasskeyRequest } from '../../api/types.ts'

/** The person closed the browser's passkey window, or it took too long. Nothing is wrong: nothing is shown. */
export class PasskeyCancelled extends Error {
  override readonly name = 'PasskeyCancelled'
}

/** Whether this browser has passkeys here: not on plain http, but for this machine. */
export function passkeysWork(): boolean {
  return typeof PublicKeyCredential === 'function'
}

/** Signs with a passkey. @throws PasskeyCancelled */
export async function signWithPasskey(publicKey: PasskeyRequest): Promise<unknown> {
  const { startAuthentication } = await import('@simplewebauthn/browser')
  return startAuthentication({ optionsJSON: publicKey }).catch(cancelled)
}

/** Makes a passkey. @throws PasskeyCancelled */
export async function makePasskey(publicKey: PasskeyCreation): Promise<unknown> {
  const { startRegistration } = await import('@simplewebauthn/browser')
  return startRegistration({ optionsJSON: publicKey }).catch(cancelled)
}

/** Browsers say NotAllowedError for "no", for "too late", and for "this one already has a passkey". */
function cancelled(error: unknown): never {
  throw error instanceof Error && (error.name === 'NotAllowedError' || error.name === 'AbortError') ? new PasskeyCancelled() : error
}
