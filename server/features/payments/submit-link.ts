import { createHmac } from 'node:crypto'
import type { Deps } from '../../http/deps.ts'
import { deriveKey } from '../../lib/secret-box.ts'
import { siteAddress } from './addresses.ts'
import { sameText } from './signing.ts'

/** The browser follows the link at once; a quarter of an hour leaves room for a slow one. */
const LIFETIME_MS = 900_000

type LinkDeps = Pick<Deps, 'settings' | 'jwtSecret' | 'clock'>

/** The address of the form of an order, good for a quarter of an hour (W19). @throws AppError payment_base_url */
export function submitLink(deps: LinkDeps, orderNo: string): string {
  const until = deps.clock.now() + LIFETIME_MS
  const address = siteAddress(deps.settings, `/api/payment/openpayment/submit/${orderNo}`)
  return `${address}?until=${until}&token=${tokenOf(deps, orderNo, until)}`
}

/** True for a link of ours whose time is not over. */
export function isSubmitLink(deps: LinkDeps, orderNo: string, query: URLSearchParams): boolean {
  const until = Number(query.get('until'))
  if (!Number.isSafeInteger(until) || until <= deps.clock.now()) return false
  return sameText(query.get('token') ?? '', tokenOf(deps, orderNo, until))
}

function tokenOf(deps: LinkDeps, orderNo: string, until: number): string {
  return createHmac('sha256', deriveKey(deps.jwtSecret, 'payment submit link')).update(`${orderNo}.${until}`).digest('base64url')
}
