import type { testPayment } from '../../../contract/api/settings.ts'
import type { BodyOf, ResponseOf } from '../../../contract/endpoint.ts'
import type { Deps } from '../../http/deps.ts'
import { makeGateways } from '../payments/gateways.ts'
import { overlaid } from './overlay.ts'
import { trySteps } from './steps.ts'

type Answer = ResponseOf<typeof testPayment>

/** As for orders (contract.md 9.3). */
const TIMEOUT_MS = 5_000
const SERVER_FAULT = 500

/**
 * Checks that orders could be opened, and asks the gateway in a way that opens none: OpenPayment for its document, Stripe for the
 * account's balance, yipay's page for whether it is there at all.
 * @throws AppError too_many_requests
 */
export function tryPayment(deps: Deps, actor: { userId: number; ip: string }, form: BodyOf<typeof testPayment>): Promise<Answer> {
  const { deps: tried, fault } = overlaid(deps, form, {
    payment_yipay_key: ['payment_yipay_gateway_url'],
    payment_openpayment_key: ['payment_openpayment_base_url', 'payment_openpayment_config_url'],
    payment_stripe_secret_key: ['payment_stripe_api_url'],
    payment_stripe_webhook_secret: [],
  })
  const { settings } = tried
  const gateways = makeGateways(tried)
  const gateway = gateways.configured()
  const ask = async (url: string, headers: Record<string, string> = {}): Promise<number> => {
    const response = await deps.fetch(url, { headers, signal: AbortSignal.timeout(TIMEOUT_MS) })
    await response.body?.cancel()
    return response.status
  }
  const asked = {
    async yipay() {
      const status = await ask(settings.text('payment_yipay_gateway_url'))
      if (status >= SERVER_FAULT) throw new Error(`the gateway answers ${status}`)
      return `the gateway answers ${status}`
    },
    async openpayment() {
      const [source = ''] = gateways.discovery.sources()
      await gateways.discovery.refresh()
      const found = gateways.discovery.known()
      if (found) return found.endpoints.submit
      throw new Error(`${source} answers ${await ask(source)} and is no document of an OpenPayment gateway`)
    },
    async stripe() {
      const api = settings.text('payment_stripe_api_url').replace(/\/+$/, '')
      const status = await ask(`${api}/v1/balance`, { authorization: `Bearer ${settings.text('payment_stripe_secret_key').trim()}` })
      if (status !== 200) throw new Error(status === 401 ? 'Stripe does not know the key' : `Stripe answers ${status}`)
      return 'Stripe knows the key'
    },
  }
  return trySteps<Answer['steps'][number]['name']>(
    deps,
    actor,
    'payment',
    async (step) =>
      (await step('settings', () => {
        if (fault !== undefined) throw new Error(fault)
        gateway.requireReady()
        return gateway.id
      })) && (await step('gateway', asked[gateway.id])),
  )
}
