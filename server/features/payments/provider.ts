import type { PaymentProvider } from '../../../contract/api/payments.ts'
import type { Fields } from './signing.ts'

/** What a gateway must know of an order. */
export interface Payable {
  readonly orderNo: string
  readonly cents: number
  readonly method: string
  /** Of the one who pays. */
  readonly ip: string
}

/** A message whose signature, merchant and status are right; order, amount and provider are compared afterwards. */
export interface PaidMessage {
  ok: true
  orderNo: string
  cents: number
  tradeNo: string
}
export type Message = PaidMessage | { ok: false; reason: string }

/** A payment gateway. Money of all of them is CNY. */
export interface Provider {
  readonly id: PaymentProvider
  /** @throws AppError payment_gateway_unset | payment_base_url */
  requireReady(): void
  /** Where the browser goes to pay. @throws AppError payment_url_failed */
  paymentUrl(order: Payable): Promise<string>
  /** Judges a received message, from memory only: no anonymous caller makes us call out. */
  read(fields: Fields): Message
  /** What a believed notification is answered with. */
  successBody(): string
  /** Asks the gateway about an order; undefined: it cannot be asked, or does not answer. */
  query(orderNo: string): Promise<Message | undefined>
}

export const PAY_CURRENCY = 'CNY'
