import type { Deps } from '../../http/deps.ts'
import { randomToken } from '../../lib/ids.ts'
import { gatewaysOf } from './gateways.ts'
import { findOrder } from './store.ts'
import { isSubmitLink } from './submit-link.ts'

/** The form that sends itself to an OpenPayment gateway (contract.md 3.2); only behind a link of ours (W19). */
export async function submitPage(deps: Deps, orderNo: string, request: Request, ip: string): Promise<Response> {
  const gateways = gatewaysOf(deps)
  if (gateways.configured().id !== 'openpayment') return plainText('not found', 404)
  const order = isSubmitLink(deps, orderNo, new URL(request.url).searchParams) ? await findOrder(deps.db.query, orderNo) : undefined
  if (!order) return plainText('payment order not found', 404)
  if (order.status !== 'pending' || (order.expires_at ?? 0) <= deps.clock.now()) return plainText('payment order is not pending', 409)
  if (order.provider !== 'openpayment') return plainText('payment order provider mismatch', 400)
  const { action, fields } = await gateways.openPayment.form({ orderNo, cents: order.pay_amount, method: order.method, ip })
  const nonce = randomToken(16)
  const inputs = fields.map(([name, value]) => `<input type="hidden" name="${escape(name)}" value="${escape(value)}">`).join('')
  const page =
    `<!doctype html><meta charset="utf-8"><title>Payment</title><form id="pay" method="post" action="${escape(action)}">${inputs}` +
    `<noscript><button type="submit">Continue to payment</button></noscript></form>` +
    `<script nonce="${nonce}">document.getElementById('pay').submit()</script>`
  return new Response(page, {
    headers: {
      'content-type': 'text/html; charset=utf-8',
      'cache-control': 'no-store',
      'content-security-policy': `default-src 'none'; script-src 'nonce-${nonce}'; form-action ${new URL(action).origin}; base-uri 'none'; frame-ancestors 'none'`,
    },
  })
}

function plainText(text: string, status: number): Response {
  return new Response(text, { status, headers: { 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-store' } })
}

function escape(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)
}
