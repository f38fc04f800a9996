import type { PaymentProvider } from '../../../contract/api/payments.ts'
import type { Money } from '../../../contract/money.ts'
import { isOrderNo, receive, type Received } from './grammar.ts'
import type { Fields } from './signing.ts'

/** What a gateway must know of an order. */
export interface Payable {
  readonly orderNo: string
  readonly cents: number
  readonly method: string
  /** Of the one who pays. */
  readonly ip: string
  /** Epoch ms. */
  readonly expiresAt: number
}

/** A message whose signature, merchant and status are right; order, amount, currency and provider are compared afterwards. */
export interface PaidMessage {
  ok: true
  orderNo: string
  cents: number
  /** Upper case. */
  currency: string
  tradeNo: string
  /** The gateway's own number of the order, where it gave one when the order was opened. */
  reference?: string
}
/** `ignored`: it is real, and does not say that money came in; the gateway need not repeat it. */
export type Message = PaidMessage | { ok: false; reason: string; ignored?: boolean }

/** What came in at a gateway's address, and what is kept of it. */
export interface Heard {
  orderNo: string
  payload: string
  message: Message
}

/** A payment gateway. */
export interface Provider {
  readonly id: PaymentProvider
  /** What it is paid in, and how much of that is one unit of ours. */
  price(): { currency: string; rate: Money }
  /** @throws AppError payment_gateway_unset | payment_base_url */
  requireReady(): void
  /** Where the browser goes to pay, and the gateway's own number of the order ("" without). @throws AppError payment_url_failed */
  open(order: Payable): Promise<{ url: string; reference: string }>
  /** Reads and judges what came in, from memory only: no anonymous caller makes us call out. */
  hear(request: Request): Promise<Heard>
  /** What a believed notification is answered with. */
  successBody(): string
  /** Asks the gateway about an order; undefined: it cannot be asked, or does not answer. */
  query(order: { orderNo: string; reference: string }): Promise<Message | undefined>
}

/** What 易支付 and OpenPayment are paid in. */
export const CNY = 'CNY'

/** Hears a message of signed fields, as 易支付 and OpenPayment send them. */
export async function hearFields(request: Request, read: (fields: Fields) => Message): Promise<Heard> {
  const received: Received = await receive(request)
  if (!received.ok) return { orderNo: '', payload: '{}', message: { ok: false, reason: received.reason } }
  const { fields } = received
  const claimed = fields.get('out_trade_no') ?? fields.get('merchant_order_no') ?? ''
  return { orderNo: isOrderNo(claimed) ? claimed : '', payload: JSON.stringify(Object.fromEntries(fields)), message: read(fields) }
}
