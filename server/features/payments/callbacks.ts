import type { PaymentProvider } from '../../../contract/api/payments.ts'
import type { Deps } from '../../http/deps.ts'
import { describeError } from '../../lib/log.ts'
import { RateLimiter } from '../../lib/rate-limit.ts'
import { gatewaysOf } from './gateways.ts'
import type { Message } from './provider.ts'
import { matchOrder, record, settleMessage, type Verdict } from './settle.ts'

/** Callbacks of one address in a minute: each leaves a row. A gateway's busiest minute is far below, and it asks again. */
const MAX_PER_MINUTE = 3_000

/** What the gateways' own addresses answer (contract.md 3.2); the address says which gateway speaks, not a setting (W18). */
export class Callbacks {
  readonly #deps: Deps
  readonly #limiter: RateLimiter

  constructor(deps: Deps) {
    this.#deps = deps
    this.#limiter = new RateLimiter(deps.clock)
  }

  /** A notification: credits a real payment, once. 200 and the gateway's word for "received", else 400 `fail`. */
  async notify(provider: PaymentProvider, request: Request, ip: string): Promise<Response> {
    if (this.#limiter.take(ip, MAX_PER_MINUTE) > 0) return answer('fail', 429)
    try {
      const gateway = gatewaysOf(this.#deps).of(provider)
      const { orderNo, payload, message } = await gateway.hear(request)
      const verdict = await this.#judge(provider, message)
      await record(this.#deps, { orderNo, provider, source: 'notify', payload }, verdict)
      return verdict.verdict === 'refused' ? answer('fail', 400) : answer(gateway.successBody(), 200)
    } catch (error) {
      // The gateway tries again; a row that could not be written must not look like a receipt.
      this.#deps.log.error('a payment notification failed', { provider, cause: describeError(error) })
      return answer('fail', 400)
    }
  }

  /** The returning browser: shows what is known and credits nothing (W94). */
  async show(provider: PaymentProvider, request: Request, ip: string): Promise<Response> {
    const { orderNo, payload, message } = await gatewaysOf(this.#deps).of(provider).hear(request)
    if (this.#limiter.take(ip, MAX_PER_MINUTE) > 0) return redirect(false, orderNo)
    const match = message.ok ? await matchOrder(this.#deps, provider, message) : message
    const paid = 'order' in match
    const verdict: Verdict = paid ? { verdict: 'shown', reason: '' } : { verdict: 'refused', reason: match.reason }
    await record(this.#deps, { orderNo, provider, source: 'return', payload }, verdict)
    return redirect(paid, orderNo)
  }

  async #judge(provider: PaymentProvider, message: Message): Promise<Verdict> {
    if (!message.ok) return { verdict: message.ignored === true ? 'ignored' : 'refused', reason: message.reason }
    return settleMessage(this.#deps, provider, message)
  }
}

function answer(text: string, status: number): Response {
  return new Response(text, { status, headers: { 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-store' } })
}

function redirect(paid: boolean, orderNo: string): Response {
  const location = `/dashboard/wallet?payment=${paid ? 'success' : 'failed'}&order_no=${orderNo}`
  return new Response(null, { status: 302, headers: { location, 'cache-control': 'no-store' } })
}
