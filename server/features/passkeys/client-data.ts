import { z } from 'zod'
import { AppError } from '../../../contract/errors.ts'
import { isoBase64URL } from '@simplewebauthn/server/helpers'

const schema = z.object({
  type: z.string(),
  challenge: z.string().default(''),
  origin: z.string(),
  crossOrigin: z.boolean().optional(),
  topOrigin: z.unknown().optional(),
})

/** What the browser says a passkey was used for. */
export interface ClientData {
  challenge: string
  origin: string
}

/**
 * Reads `clientDataJSON`, which the passkey's signature covers.
 * @throws AppError passkey_client_data | passkey_ceremony | passkey_challenge_missing | passkey_origin (inside a foreign page)
 */
export function readClientData(encoded: string, type: 'webauthn.get' | 'webauthn.create'): ClientData {
  const data = schema.safeParse(jsonOf(encoded))
  if (!data.success) throw new AppError('passkey_client_data')
  if (data.data.type !== type)
    throw new AppError('passkey_ceremony', type === 'webauthn.create' ? { message: 'invalid passkey registration response' } : {})
  if (data.data.challenge === '') throw new AppError('passkey_challenge_missing')
  if (data.data.crossOrigin === true || data.data.topOrigin !== undefined) throw new AppError('passkey_origin')
  return { challenge: data.data.challenge, origin: data.data.origin }
}

function jsonOf(encoded: string): unknown {
  if (!isoBase64URL.isBase64URL(encoded)) return undefined
  try {
    return JSON.parse(isoBase64URL.toUTF8String(encoded))
  } catch {
    return undefined
  }
}
