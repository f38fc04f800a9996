import type { PaymentProvider } from '../../../contract/api/payments.ts'
import type { Deps } from '../../http/deps.ts'
import { DiscoveryCache } from './discovery.ts'
import { openPayment, type OpenPayment } from './openpayment.ts'
import type { Provider } from './provider.ts'
import { stripe } from './stripe.ts'
import { yipay } from './yipay.ts'

/** The gateways of this process. */
export interface Gateways {
  readonly discovery: DiscoveryCache
  readonly openPayment: OpenPayment
  of(id: PaymentProvider): Provider
  /** The one new orders go to; orders keep theirs (W18). */
  configured(): Provider
}

/** The gateway of a setting that may have the names other versions gave it (contract.md 5.1). */
function providerOf(name: string): PaymentProvider {
  if (name === 'stripe') return name
  return name === 'yipay' || name === 'epay' ? 'yipay' : 'openpayment'
}

const made = new WeakMap<Deps['db'], Gateways>()

/** One set per process, because the document of a gateway is kept in memory. */
export function gatewaysOf(deps: Deps): Gateways {
  let gateways = made.get(deps.db)
  if (!gateways) {
    gateways = makeGateways(deps)
    made.set(deps.db, gateways)
  }
  return gateways
}

/** A set of its own, for settings that are only tried. */
export function makeGateways(deps: Deps): Gateways {
  const discovery = new DiscoveryCache(deps)
  const byId = { yipay: yipay(deps), openpayment: openPayment(deps, discovery), stripe: stripe(deps) }
  return {
    discovery,
    openPayment: byId.openpayment,
    of: (id) => byId[id],
    configured: () => byId[providerOf(deps.settings.text('payment_gateway_provider'))],
  }
}
