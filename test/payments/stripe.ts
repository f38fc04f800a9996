import { createHmac } from 'node:crypto'
import type { TestApp } from '../app.ts'

export const STRIPE_KEY = 'sk_live_only_for_tests'
export const WEBHOOK_SECRET = 'whsec_only_for_tests'

type Session = Record<string, unknown> & { id: string; client_reference_id: string }

/** Ways in which the fake answers something else than it was asked for. */
export type Badness = 'good' | 'error' | 'html' | 'huge' | 'other order' | 'other amount' | 'other currency' | 'script address' | 'redirect'

export interface FakeStripe {
  readonly url: string
  /** Sessions by id, as Stripe would keep them. */
  readonly sessions: Map<string, Session>
  /** Requests it got: method, path, and what matters of their headers. */
  readonly asked: { method: string; path: string; authorization: string; key: string; version: string }[]
  behaves: Badness
  /** Marks the session of an order as paid, as the payer would. */
  pay(orderNo: string): Session
  stop(): void
}

/** Stripe's side of Checkout, as bad as the test wants. */
export function startStripe(): FakeStripe {
  const sessions = new Map<string, Session>()
  const byKey = new Map<string, Session>()
  const asked: FakeStripe['asked'] = []
  let serial = 0
  const server = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    async fetch(request) {
      const { pathname } = new URL(request.url)
      const header = (name: string): string => request.headers.get(name) ?? ''
      const key = header('idempotency-key')
      asked.push({ method: request.method, path: pathname, authorization: header('authorization'), key, version: header('stripe-version') })
      if (fake.behaves === 'error') return Response.json({ error: { message: 'no' } }, { status: 402 })
      if (fake.behaves === 'html') return new Response('<html></html>')
      if (fake.behaves === 'huge') return new Response(`{"id":"${'x'.repeat(2_000_000)}"}`)
      if (fake.behaves === 'redirect') return Response.redirect('http://127.0.0.1:1/', 302)
      if (request.method === 'GET') {
        const found = sessions.get(pathname.split('/').at(-1) ?? '')
        return found ? Response.json(found) : Response.json({ error: {} }, { status: 404 })
      }
      const known = byKey.get(key)
      if (known) return Response.json(known)
      const form = new URLSearchParams(await request.text())
      serial += 1
      const made: Session = {
        id: `cs_live_${serial}`,
        object: 'checkout.session',
        client_reference_id: fake.behaves === 'other order' ? 'PAY1' : (form.get('client_reference_id') ?? ''),
        mode: form.get('mode'),
        status: 'open',
        payment_status: 'unpaid',
        amount_total: Number(form.get('line_items[0][price_data][unit_amount]')) + (fake.behaves === 'other amount' ? 1 : 0),
        currency: fake.behaves === 'other currency' ? 'jpy' : form.get('line_items[0][price_data][currency]'),
        payment_intent: null,
        livemode: true,
        customer_details: { email: 'payer@example.test' },
        url: fake.behaves === 'script address' ? 'javascript:alert(1)' : `https://checkout.example/c/pay/cs_live_${serial}`,
        form: Object.fromEntries(form),
      }
      sessions.set(made.id, made)
      byKey.set(key, made)
      return Response.json(made)
    },
  })
  const fake: FakeStripe = {
    url: `http://127.0.0.1:${server.port}`,
    sessions,
    asked,
    behaves: 'good',
    pay(orderNo) {
      const found = [...sessions.values()].find(({ client_reference_id: reference }) => reference === orderNo)
      if (!found) throw new Error(`no session of ${orderNo}`)
      Object.assign(found, { status: 'complete', payment_status: 'paid', payment_intent: `pi_${found.id}` })
      return found
    },
    stop: () => void server.stop(true),
  }
  return fake
}

export interface Sent {
  type?: string
  secret?: string
  /** Seconds from now that the signature says. */
  late?: number
  /** Changes the text after it was signed. */
  tamper?: (text: string) => string
  header?: string
}

/** Brings an event as Stripe would: signed with the secret over the text, written a second time here. */
export async function sendEvent(app: TestApp, object: unknown, how: Sent = {}) {
  const { type = 'checkout.session.completed', secret = WEBHOOK_SECRET, late = 0, tamper = (same) => same } = how
  const text = JSON.stringify({ id: 'evt_1', object: 'event', type, data: { object } })
  const time = Math.floor(app.clock.now() / 1000) + late
  const signature = createHmac('sha256', secret).update(`${time}.${text}`).digest('hex')
  const headers = { 'content-type': 'application/json', 'stripe-signature': how.header ?? `t=${time},v1=${signature},v0=old` }
  const response = await app.fetch('/api/payment/stripe/notify', { method: 'POST', headers, body: tamper(text) })
  return { status: response.status, text: await response.text() }
}

/** Settings of a site that is paid over Stripe. */
export function stripeSettings(fake: { url: string }): Record<string, unknown> {
  return {
    base_url: 'https://shop.example',
    ssrf_allowed_hosts: '127.0.0.1',
    payment_enabled: true,
    payment_gateway_provider: 'stripe',
    payment_methods: '["card","alipay"]',
    payment_stripe_secret_key: STRIPE_KEY,
    payment_stripe_webhook_secret: WEBHOOK_SECRET,
    payment_stripe_currency: 'eur',
    payment_stripe_rate: '0.92',
    payment_stripe_api_url: fake.url,
  }
}
