import { AppError } from '../../../contract/errors.ts'
import type { LiveSettings } from '../../lib/live-settings.ts'

/**
 * An address of this site from the setting `base_url` and nothing else: the Host header of a request is the caller's word,
 * and these addresses are signed (W54).
 * @throws AppError payment_base_url
 */
export function siteAddress(settings: LiveSettings, path: string): string {
  const base = settings.text('base_url')
  if (!URL.canParse(base)) throw new AppError('payment_base_url')
  const { origin, pathname } = new URL(base)
  return requirePlain(`${origin}${pathname.replace(/\/+$/, '')}${path}`)
}

/** @throws AppError payment_base_url when the address could be read as more than one signed field */
export function requirePlain(address: string): string {
  if (!/^https?:\/\/[\x21-\x25\x27-\x3c\x3e-\x7e]+$/.test(address)) {
    throw new AppError('payment_base_url', { message: 'The callback addresses must be absolute and without "&" or "="' })
  }
  return address
}
