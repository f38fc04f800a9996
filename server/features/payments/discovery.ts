import { z } from 'zod'
import type { Deps } from '../../http/deps.ts'
import { readSmallJson } from './outside.ts'

/** A document is used this long before it is asked for again (contract.md 9.3). */
const FRESH_MS = 300_000
/** After a failure nobody asks again for this long (W96). */
const FAILED_MS = 30_000

const names = z.array(z.string().regex(/^[A-Za-z][A-Za-z0-9_]{0,39}$/)).max(16)
const webAddress = z
  .string()
  .max(500)
  .regex(/^https?:\/\//)
const documentSchema = z.object({
  spec: z.enum(['', 'Open Payment Specification']).default(''),
  endpoints: z.object({ submit: webAddress }),
  transports: z.object({ payment_create: z.array(z.string()).optional() }).default({}),
  signing: z
    .object({
      supported: z.array(z.string()).default([]),
      default: z.string().default(''),
      include_sign_type: z.boolean().default(false),
      hmac: z.object({ output: z.enum(['hex', 'base64']).default('hex') }).default({ output: 'hex' }),
    })
    .default({ supported: [], default: '', include_sign_type: false, hmac: { output: 'hex' } }),
  payment_methods: z
    .array(z.object({ code: z.string(), aliases: z.array(z.string()).default([]), enabled: z.boolean().default(true) }))
    .default([]),
  fields: z.record(z.string(), names).default({}),
  callbacks: z.object({ notify_success_body: z.string().max(200).default('success') }).default({ notify_success_body: 'success' }),
  compatibility: z.object({ success_status_values: z.array(z.string()).optional() }).default({}),
})

/** What an OpenPayment gateway says of itself. */
export type Discovery = z.output<typeof documentSchema>

/**
 * Keeps the gateway's document in memory. Creating an order and the timer renew it; notifications only read it, so an
 * anonymous caller never makes us call out (X8) and an outage of that address stops no confirmation (W96).
 */
export class DiscoveryCache {
  readonly #deps: Pick<Deps, 'settings' | 'fetch' | 'clock'>
  #known: { source: string; document: Discovery } | undefined
  #triedAt = -Infinity
  #triedSource = ''
  #failed = false
  #running: Promise<void> | undefined

  constructor(deps: Pick<Deps, 'settings' | 'fetch' | 'clock'>) {
    this.#deps = deps
  }

  /** Where the document is: the configured address, or both spellings below the base (the standard's own has a letter less). */
  sources(): string[] {
    const { settings } = this.#deps
    const exact = settings.text('payment_openpayment_config_url')
    if (exact !== '') return [exact]
    const base = settings.text('payment_openpayment_base_url').replace(/\/+$/, '')
    return base === '' ? [] : [`${base}/.well-known/openpayment-configuation`, `${base}/.well-known/openpayment-configuration`]
  }

  /** The last good document of the configured gateway. */
  known(): Discovery | undefined {
    return this.#known?.source === this.sources()[0] ? this.#known?.document : undefined
  }

  /** Asks for it when it is old; at most one request runs. */
  async refresh(): Promise<void> {
    const source = this.sources()[0]
    if (source === undefined) return
    const age = this.#deps.clock.monotonic() - this.#triedAt
    if (this.#triedSource === source && age < (this.#failed ? FAILED_MS : FRESH_MS)) return
    this.#running ??= this.#load(source).finally(() => {
      this.#running = undefined
    })
    await this.#running
  }

  async #load(first: string): Promise<void> {
    this.#triedAt = this.#deps.clock.monotonic()
    this.#triedSource = first
    this.#failed = true
    for (const source of this.sources()) {
      const parsed = documentSchema.safeParse(await readSmallJson(this.#deps.fetch, source))
      if (!parsed.success) continue
      this.#known = { source: first, document: parsed.data }
      this.#failed = false
      return
    }
  }
}
