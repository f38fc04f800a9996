import { createHmac } from 'node:crypto'
import { sameText } from './signing.ts'

/** How far the signed time may be from ours: Stripe's own tolerance (docs.stripe.com/webhooks/signature). */
const TOLERANCE_SECONDS = 300
/** Signatures in a header: two while a secret is being replaced; more is somebody's try. */
const MAX_SIGNATURES = 5

/**
 * Checks the header `Stripe-Signature` (`t=1492774577,v1=5257a8...`) over the very bytes of the body: HMAC-SHA256 of
 * `<t>.<body>`, compared in constant time, of a time near ours.
 * @returns what is wrong, or undefined. An empty secret accepts nothing (CVE-2026-41432).
 */
export function stripeSignatureFault(header: string, body: Uint8Array, secret: string, now: number): string | undefined {
  if (secret.trim() === '') return 'the gateway is not configured'
  const parts = header.split(',').map((part) => part.trim().split('=', 2) as [string, string | undefined])
  const times = parts.filter(([name]) => name === 't').map(([, value]) => value ?? '')
  const signatures = parts.filter(([name]) => name === 'v1').map(([, value]) => value ?? '')
  const [time] = times
  if (time === undefined || times.length > 1 || !/^\d{1,12}$/.test(time)) return 'no signature'
  if (signatures.length === 0 || signatures.length > MAX_SIGNATURES) return 'no signature'
  const expected = createHmac('sha256', secret).update(`${time}.`).update(body).digest('hex')
  // All are compared: which one fits must not show in the time.
  const fits = signatures.map((signature) => sameText(signature, expected))
  if (!fits.includes(true)) return 'wrong signature'
  return Math.abs(now / 1000 - Number(time)) > TOLERANCE_SECONDS ? 'the signature is too old or from the future' : undefined
}
