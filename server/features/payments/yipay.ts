import { z } from 'zod'
import { AppError } from '../../../contract/errors.ts'
import type { Deps } from '../../http/deps.ts'
import { requirePlain, siteAddress } from './addresses.ts'
import { centsOf, centsText, isOrderNo, isTradeNo, plain } from './grammar.ts'
import { readSmallJson } from './outside.ts'
import { CNY, hearFields, type Message, type Payable, type Provider } from './provider.ts'
import { canonical, md5Sign, sameText, type Fields } from './signing.ts'

/** What a notification consists of. Ours to the gateway have `notify_url`, so they are never one (X6). */
const NOTIFY_FIELDS = ['pid', 'trade_no', 'out_trade_no', 'type', 'name', 'money', 'trade_status', 'sign', 'sign_type']
/** What it may have besides, by the protocol: a text of the merchant, signed like the rest. We send none and use none. */
const OPTIONAL_FIELDS = ['param']
/** Only these mean that money came in (W93). */
const PAID = ['TRADE_SUCCESS', 'TRADE_FINISHED']

/** 易支付 (contract.md 9.2). */
export function yipay(deps: Pick<Deps, 'settings' | 'fetch'>): Provider {
  const { settings } = deps
  const config = () => ({
    url: settings.text('payment_yipay_gateway_url'),
    pid: settings.text('payment_yipay_pid').trim(),
    key: settings.text('payment_yipay_key').trim(),
  })
  const callbacks = () => ({
    notify_url: requirePlain(settings.text('payment_yipay_notify_url') || siteAddress(settings, '/api/payment/yipay/notify')),
    return_url: requirePlain(settings.text('payment_yipay_return_url') || siteAddress(settings, '/api/payment/yipay/return')),
  })
  return {
    id: 'yipay',
    price: () => ({ currency: CNY, rate: settings.decimal('payment_usd_to_rmb_rate') }),
    requireReady() {
      const { url, pid, key } = config()
      if (url === '' || key === '' || plain(pid) !== pid || pid === '') throw new AppError('payment_gateway_unset')
      callbacks()
    },
    open(order) {
      const { url, pid, key } = config()
      const target = new URL(url)
      for (const [name, value] of signed(outgoing(pid, order, callbacks(), settings.text('site_name')), key))
        target.searchParams.set(name, value)
      return Promise.resolve({ url: target.href, reference: '' })
    },
    hear: (request) => hearFields(request, (fields) => readNotification(fields, config())),
    successBody: () => 'success',
    async query({ orderNo }) {
      const { url, pid, key } = config()
      if (!url.endsWith('/submit.php') || key === '') return undefined
      // The key travels in this address: encrypted, unless the owner lists the host as one of his own (additions.md).
      const listed = settings
        .text('ssrf_allowed_hosts')
        .split(/[\s,;]+/)
        .includes(new URL(url).hostname)
      if (!url.startsWith('https:') && !listed) return undefined
      const target = new URL(url.replace(/submit\.php$/, 'api.php'))
      for (const [name, value] of Object.entries({ act: 'order', pid, key, out_trade_no: orderNo })) target.searchParams.set(name, value)
      const answer = queryAnswer.safeParse(await readSmallJson(deps.fetch, target.href))
      return answer.success ? judgeAnswer(answer.data, pid, orderNo) : undefined
    },
  }
}

function outgoing(
  pid: string,
  order: Payable,
  callbacks: { notify_url: string; return_url: string },
  siteName: string,
): Map<string, string> {
  return new Map(
    Object.entries({
      pid,
      type: order.method,
      out_trade_no: order.orderNo,
      ...callbacks,
      name: `Balance recharge ${order.orderNo}`,
      money: centsText(order.cents),
      sitename: plain(siteName),
    }),
  )
}

function signed(fields: Map<string, string>, key: string): Map<string, string> {
  return new Map([...fields, ['sign', md5Sign(canonical(fields), key)], ['sign_type', 'MD5']])
}

/** Judges a notification, in the order of contract.md 9.2; pure. */
export function readNotification(fields: Fields, { pid, key }: { pid: string; key: string }): Message {
  if (pid === '' || key === '') return refuse('the gateway is not configured')
  const unexpected = [...fields.keys()].find((name) => !NOTIFY_FIELDS.includes(name) && !OPTIONAL_FIELDS.includes(name))
  if (unexpected !== undefined) return refuse(`unexpected field ${unexpected}`)
  const missing = NOTIFY_FIELDS.find((name) => !fields.has(name))
  if (missing !== undefined) return refuse(`field ${missing} is missing`)
  const of = (name: string): string => fields.get(name) ?? ''
  if (of('sign_type').toUpperCase() !== 'MD5') return refuse('another kind of signature')
  if (!sameText(of('sign').toLowerCase(), md5Sign(canonical(fields), key))) return refuse('wrong signature')
  if (!sameText(of('pid'), pid)) return refuse('another merchant (pid)')
  if (!PAID.includes(of('trade_status'))) return refuse(`not paid: ${of('trade_status')}`)
  return paid(of('out_trade_no'), of('money'), of('trade_no'))
}

function paid(orderNo: string, amount: string, tradeNo: string): Message {
  const cents = centsOf(amount)
  if (!isOrderNo(orderNo)) return refuse('not an order number of ours')
  if (cents === undefined) return refuse('the amount is no plain decimal')
  if (!isTradeNo(tradeNo)) return refuse('the trade number is odd')
  return { ok: true, orderNo, cents, currency: CNY, tradeNo }
}

const word = z.union([z.string().max(256), z.number()]).transform(String)
const queryAnswer = z.object({ code: word, pid: word, out_trade_no: word, trade_no: word, money: word, status: word })

function judgeAnswer(answer: z.output<typeof queryAnswer>, pid: string, orderNo: string): Message {
  if (answer.code !== '1') return refuse('the gateway does not know the order')
  if (answer.pid !== pid) return refuse('another merchant (pid)')
  if (answer.out_trade_no !== orderNo) return refuse('the answer is about another order')
  if (answer.status !== '1') return refuse(`not paid: ${answer.status}`)
  return paid(answer.out_trade_no, answer.money, answer.trade_no)
}

function refuse(reason: string): Message {
  return { ok: false, reason }
}
