import { hash, createHmac } from 'node:crypto'
import type { TestApp } from '../app.ts'

export const PID = '1001'
export const KEY = 'gateway-key-5f2c'
export const MERCHANT = { id: 'm-77', key: 'merchant-key-91ab' }

type Fields = Record<string, string>

/** The signature as the contract describes it, written a second time: the gateway shares no code with what it tests. */
export function sign(fields: Fields, key: string, hmac = false): string {
  const text = Object.keys(fields)
    .filter((name) => name !== 'sign' && name !== 'sign_type' && fields[name]?.trim() !== '')
    .sort()
    .map((name) => `${name}=${fields[name]}`)
    .join('&')
  return hmac ? createHmac('sha256', key).update(text).digest('hex') : hash('md5', text + key)
}

export interface Order {
  order_no: string
  rmb_amount: string
  payment_url: string
}

/** What 易支付 sends when an order was paid; `change` makes it something else, signed all the same. */
export function yipayNotice(order: Order, change: Fields = {}, key = KEY): Fields {
  const fields: Fields = {
    pid: PID,
    trade_no: `T${order.order_no.slice(-20)}`,
    out_trade_no: order.order_no,
    type: 'alipay',
    name: `Balance recharge ${order.order_no}`,
    money: order.rmb_amount,
    trade_status: 'TRADE_SUCCESS',
    ...change,
  }
  return { sign: sign(fields, key), sign_type: 'MD5', ...fields }
}

/** What an OpenPayment gateway sends. */
export function openNotice(order: Order, change: Fields = {}, algorithm = 'HMAC-SHA256'): Fields {
  const fields: Fields = {
    pid: MERCHANT.id,
    trade_no: `O${order.order_no.slice(-20)}`,
    out_trade_no: order.order_no,
    money: order.rmb_amount,
    trade_status: 'TRADE_SUCCESS',
    ...change,
  }
  return { ...fields, sign: sign(fields, MERCHANT.key, algorithm !== 'MD5'), sign_type: algorithm }
}

/** Brings a notification as a gateway would. */
export async function notify(app: TestApp, provider: string, fields: Fields | string, how: 'get' | 'post' | 'json' = 'get') {
  const path = `/api/payment/${provider}/notify`
  const text = typeof fields === 'string' ? fields : new URLSearchParams(fields).toString()
  const type = how === 'json' ? 'application/json' : 'application/x-www-form-urlencoded'
  const body = how === 'json' ? JSON.stringify(fields) : text
  const response =
    how === 'get' ? await app.fetch(`${path}?${text}`) : await app.fetch(path, { method: 'POST', headers: { 'content-type': type }, body })
  return { status: response.status, text: await response.text() }
}

export interface FakeGateway {
  readonly url: string
  /** Paths that were asked for. */
  readonly asked: string[]
  /** How the discovery document is given. */
  discovery: 'good' | 'error' | 'html' | 'huge'
  /** Members of the document that differ from its usual ones. */
  document: Record<string, unknown>
  /** What `api.php` says of an order. */
  answer: Record<string, unknown> | undefined
  /** Runs while it is asked about an order. */
  asking: () => void
  stop(): void
}

/** A gateway over HTTP: its document and its query page, each as bad as the test wants. */
export function startGateway(): FakeGateway {
  const asked: string[] = []
  const server = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    fetch(request) {
      const { pathname } = new URL(request.url)
      asked.push(pathname)
      if (pathname === '/api.php') gateway.asking()
      if (pathname === '/api.php') return gateway.answer ? Response.json(gateway.answer) : new Response('down', { status: 502 })
      // The standard's own spelling, a letter short.
      if (pathname !== '/.well-known/openpayment-configuation') return new Response('no', { status: 404 })
      if (gateway.discovery === 'error') return new Response('down', { status: 503 })
      if (gateway.discovery === 'html') return new Response('<html>not JSON</html>')
      if (gateway.discovery === 'huge') return new Response(`{"spec":"${'x'.repeat(2_000_000)}"}`)
      return Response.json({
        spec: 'Open Payment Specification',
        endpoints: { submit: `${gateway.url}/submit` },
        signing: { supported: ['MD5', 'HMAC-SHA256'], default: 'HMAC-SHA256' },
        callbacks: { notify_success_body: 'received' },
        ...gateway.document,
      })
    },
  })
  const gateway: FakeGateway = {
    url: `http://127.0.0.1:${server.port}`,
    asked,
    discovery: 'good',
    document: {},
    answer: undefined,
    asking: () => undefined,
    stop: () => void server.stop(true),
  }
  return gateway
}

/** Settings of a site that takes payments. */
export function paymentSettings(gateway: { url: string }): Record<string, unknown> {
  return {
    base_url: 'https://shop.example',
    ssrf_allowed_hosts: '127.0.0.1',
    payment_enabled: true,
    payment_yipay_gateway_url: `${gateway.url}/submit.php`,
    payment_yipay_pid: PID,
    payment_yipay_key: KEY,
    payment_openpayment_base_url: gateway.url,
    payment_openpayment_merchant_id: MERCHANT.id,
    payment_openpayment_key: MERCHANT.key,
  }
}
