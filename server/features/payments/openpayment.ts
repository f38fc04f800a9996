import { AppError } from '../../../contract/errors.ts'
import type { Deps } from '../../http/deps.ts'
import { siteAddress } from './addresses.ts'
import type { Discovery, DiscoveryCache } from './discovery.ts'
import { centsOf, centsText, isOrderNo, isTradeNo, plain } from './grammar.ts'
import { CNY, hearFields, type Message, type Payable, type Provider } from './provider.ts'
import { canonical, hmacSign, md5Sign, sameText, type Fields } from './signing.ts'
import { submitLink } from './submit-link.ts'

/** Names of each field; the first is the one that is sent (contract.md 9.3). */
const ALIASES = {
  merchant_id: ['pid', 'mch_id', 'merchant_id'],
  payment_method: ['type', 'payment_method'],
  merchant_order_no: ['out_trade_no', 'merchant_order_no'],
  platform_order_no: ['trade_no', 'platform_order_no'],
  subject: ['name', 'subject'],
  amount: ['money', 'amount'],
  notify_url: ['notify_url'],
  return_url: ['return_url'],
  client_ip: ['clientip', 'client_ip'],
  metadata: ['param', 'metadata'],
  status: ['trade_status', 'status'],
} as const
type Field = keyof typeof ALIASES

/** What a notification must and may have. It has no `notify_url`, which everything we send has: ours is never one (X6). */
const REQUIRED: readonly Field[] = ['merchant_id', 'merchant_order_no', 'platform_order_no', 'amount', 'status']
const OPTIONAL: readonly Field[] = ['payment_method', 'subject', 'metadata']
/** What means paid where the gateway's document does not say (W93). */
const PAID = ['TRADE_SUCCESS', 'TRADE_FINISHED']

type Algorithm = 'MD5' | 'HMAC-SHA256'

/** OpenPayment with what is its own: the form it may want to be sent. */
export interface OpenPayment extends Provider {
  /** Fields of the form and where it goes, by name. @throws AppError payment_url_failed */
  form(order: Omit<Payable, 'expiresAt'>): Promise<{ action: string; fields: [string, string][] }>
}

/** OpenPayment (contract.md 9.3). */
export function openPayment(deps: Deps, discovery: DiscoveryCache): OpenPayment {
  const { settings } = deps
  const merchant = () => ({
    id: settings.text('payment_openpayment_merchant_id').trim(),
    key: settings.text('payment_openpayment_key').trim(),
  })
  const form: OpenPayment['form'] = async (order) => {
    await discovery.refresh()
    const document = discovery.known()
    if (!document) throw new AppError('payment_url_failed')
    const fields = signedFields(document, merchant(), order, {
      notify_url: siteAddress(settings, '/api/payment/openpayment/notify'),
      return_url: siteAddress(settings, '/api/payment/openpayment/return'),
    })
    return { action: document.endpoints.submit, fields: [...fields].sort(([a], [b]) => (a < b ? -1 : 1)) }
  }
  return {
    id: 'openpayment',
    price: () => ({ currency: CNY, rate: settings.decimal('payment_usd_to_rmb_rate') }),
    requireReady() {
      if (discovery.sources().length === 0)
        throw new AppError('payment_gateway_unset', { message: 'Open Payment discovery URL is not configured' })
      const { id, key } = merchant()
      if (id === '' || key === '' || plain(id) !== id)
        throw new AppError('payment_gateway_unset', { message: 'Open Payment merchant is not configured' })
      siteAddress(settings, '/')
    },
    form,
    async open(order) {
      const { action, fields } = await form(order)
      const transports = discovery.known()?.transports.payment_create ?? ['form_get']
      if (!transports.includes('form_get') && transports.includes('form_post'))
        return { url: submitLink(deps, order.orderNo), reference: '' }
      const target = new URL(action)
      for (const [name, value] of fields) target.searchParams.set(name, value)
      return { url: target.href, reference: '' }
    },
    hear: (request) =>
      hearFields(request, (fields) => {
        const document = discovery.known()
        return document ? readMessage(fields, document, merchant()) : refuse('the document of the gateway is not known yet')
      }),
    successBody: () => discovery.known()?.callbacks.notify_success_body ?? 'success',
    query: () => Promise.resolve(undefined),
  }
}

function namesOf(document: Discovery, field: Field): readonly string[] {
  const own = document.fields[field]
  return own === undefined || own.length === 0 ? ALIASES[field] : own
}

/** The algorithm comes from the gateway's document, never from a message (W95). */
function algorithmOf({ signing }: Discovery): Algorithm | undefined {
  const supported = signing.supported.map((name) => name.toUpperCase())
  const usable = (name: string): name is Algorithm => name === 'MD5' || name === 'HMAC-SHA256'
  const preferred = signing.default.toUpperCase()
  if (usable(preferred) && (supported.length === 0 || supported.includes(preferred))) return preferred
  return supported.length === 0 ? 'MD5' : supported.find(usable)
}

function signedFields(
  document: Discovery,
  { id, key }: { id: string; key: string },
  order: Omit<Payable, 'expiresAt'>,
  callbacks: { notify_url: string; return_url: string },
): Map<string, string> {
  const algorithm = algorithmOf(document)
  if (!algorithm) throw new AppError('payment_url_failed', { cause: new Error('the gateway signs in no way we know') })
  const values: Partial<Record<Field, string>> = {
    merchant_id: id,
    payment_method: methodOf(document, order.method),
    merchant_order_no: order.orderNo,
    subject: `Balance recharge ${order.orderNo}`,
    amount: centsText(order.cents),
    ...callbacks,
    client_ip: order.ip,
  }
  const fields = new Map<string, string>()
  for (const [field, value] of Object.entries(values)) fields.set(namesOf(document, field as Field)[0] ?? field, value)
  fields.set('sign_type', algorithm)
  const text = canonical(fields, document.signing.include_sign_type)
  fields.set('sign', algorithm === 'MD5' ? md5Sign(text, key) : hmacSign(text, key, document.signing.hmac.output))
  return fields
}

/** The gateway's word for a method: its first alias, else its code. */
function methodOf(document: Discovery, method: string): string {
  if (document.payment_methods.length === 0) return method
  const same = (text: string): boolean => text.toLowerCase() === method
  const found = document.payment_methods.find(({ code, aliases, enabled }) => enabled && (same(code) || aliases.some(same)))
  if (!found) throw new AppError('payment_url_failed', { cause: new Error('the gateway does not offer this method') })
  return plain(found.aliases[0] ?? found.code)
}

/** Judges a notification, in the order of contract.md 9.3; pure. */
export function readMessage(fields: Fields, document: Discovery, { id, key }: { id: string; key: string }): Message {
  if (id === '' || key === '') return refuse('the gateway is not configured')
  const values = fieldsOf(fields, document)
  if (typeof values === 'string') return refuse(values)
  const algorithm = algorithmOf(document)
  const claimed = fields.get('sign_type')
  if (!algorithm || (claimed !== undefined && claimed.toUpperCase() !== algorithm)) return refuse('another kind of signature')
  if (!isSigned(fields, canonical(fields, document.signing.include_sign_type), algorithm, key)) return refuse('wrong signature')
  if (!sameText(values.get('merchant_id') ?? '', id)) return refuse('another merchant')
  const status = (values.get('status') ?? '').toLowerCase()
  const success = document.compatibility.success_status_values ?? PAID
  if (!success.some((word) => word.toLowerCase() === status)) return refuse(`not paid: ${status}`)
  const orderNo = values.get('merchant_order_no') ?? ''
  const tradeNo = values.get('platform_order_no') ?? ''
  const cents = centsOf(values.get('amount') ?? '')
  if (!isOrderNo(orderNo)) return refuse('not an order number of ours')
  if (cents === undefined) return refuse('the amount is no plain decimal')
  if (!isTradeNo(tradeNo)) return refuse('the trade number is odd')
  return { ok: true, orderNo, cents, currency: CNY, tradeNo }
}

/** Values by meaning; each field under one of its names only. The text says what is wrong. */
function fieldsOf(fields: Fields, document: Discovery): Map<Field, string> | string {
  const values = new Map<Field, string>()
  for (const [name, value] of fields) {
    if (name === 'sign' || name === 'sign_type') continue
    const field = [...REQUIRED, ...OPTIONAL].find((candidate) => namesOf(document, candidate).includes(name))
    if (field === undefined) return `unexpected field ${name}`
    if (values.has(field)) return `field ${field} under two names`
    values.set(field, value)
  }
  const missing = REQUIRED.find((field) => !values.has(field))
  return missing === undefined ? values : `field ${missing} is missing`
}

function isSigned(fields: Fields, text: string, algorithm: Algorithm, key: string): boolean {
  const sign = fields.get('sign') ?? ''
  if (algorithm === 'MD5') return sameText(sign.toLowerCase(), md5Sign(text, key))
  return sameText(sign.toLowerCase(), hmacSign(text, key, 'hex')) || sameText(sign, hmacSign(text, key, 'base64'))
}

function refuse(reason: string): Message {
  return { ok: false, reason }
}
