import { AppError } from '../../../contract/errors.ts'
import type { Deps } from '../../http/deps.ts'
import { isLoopback, parseRange } from '../../lib/client-ip.ts'

/** What browsers and authenticators all have: ES256 and RS256 (contract.md 3.6), as IANA's registry of COSE algorithms numbers them. */
export const ALGORITHMS = [-7, -257]

/** For whom passkeys are made: the host name they are bound to, and the origin whose pages may use them. */
export interface RelyingParty {
  id: string
  origin: string
}

/**
 * The relying party is the `base_url` setting, never a Host header: whoever can choose that header chose the site a
 * passkey is good for. Before there is a base URL (or it is a bare address, which no passkey can be bound to) the console
 * on the same machine may use `localhost`; no page from elsewhere has that origin.
 * @throws AppError passkey_rp_unset
 */
export function relyingParty(deps: Pick<Deps, 'settings'>, request: Request, ip: string): RelyingParty {
  const base = deps.settings.text('base_url')
  const configured = base === '' ? undefined : partyOf(base)
  if (configured) return configured
  const local = isLoopback(ip) ? partyOf(request.headers.get('origin') ?? '') : undefined
  if (local?.id === 'localhost') return local
  throw new AppError('passkey_rp_unset')
}

function partyOf(url: string): RelyingParty | undefined {
  if (!URL.canParse(url)) return undefined
  const { hostname, origin, protocol } = new URL(url)
  const named = (protocol === 'https:' || protocol === 'http:') && parseRange(hostname.replace(/^\[|\]$/g, '')) === undefined
  return named ? { id: hostname, origin } : undefined
}
