import { z } from 'zod'
import { endpoint } from '../endpoint.ts'
import { settingKeys, settings, type BoolKey, type SettingKey } from '../settings.ts'

/** Texts made from others; never written (contract.md 3.5). */
export const computedSettings = ['payment_openpayment_notify_url', 'payment_openpayment_return_url'] as const

/** The flat settings object: booleans are booleans, everything else is a string. */
export type SettingsWire = { [K in SettingKey]?: K extends BoolKey ? boolean : string } & {
  [K in (typeof computedSettings)[number]]?: string
} & { edition: 'community'; mail_enabled: boolean }

const edition = z.literal('community')
/** Whether the site can send mail: then passwords can be reset. */
const mailEnabled = z.boolean()
const wireOf = (key: SettingKey) => (settings[key].kind === 'bool' ? z.boolean() : z.string())
const publicShape = Object.fromEntries(settingKeys.filter((key) => settings[key].public).map((key) => [key, wireOf(key)]))
const adminShape = Object.fromEntries([
  ...settingKeys.map((key) => [key, settings[key].public ? wireOf(key) : wireOf(key).optional()] as const),
  ...computedSettings.map((key) => [key, z.string().optional()] as const),
])

export const publicSettings = z.strictObject({ ...publicShape, edition, mail_enabled: mailEnabled }) as unknown as z.ZodType<
  SettingsWire,
  SettingsWire
>
export const adminSettings = z.strictObject({ ...adminShape, edition, mail_enabled: mailEnabled }) as unknown as z.ZodType<
  SettingsWire,
  SettingsWire
>

export const getPublicSettings = endpoint({
  method: 'GET',
  path: '/api/public/settings',
  access: 'public',
  summary: 'Settings every page needs',
  response: publicSettings,
})

export const getSettings = endpoint({
  method: 'GET',
  path: '/api/settings',
  access: 'support',
  summary: 'All settings, secrets masked',
  response: adminSettings,
})

export const putSettings = endpoint({
  method: 'PUT',
  path: '/api/settings',
  access: 'admin',
  summary: 'Changes any subset; "" clears a text, a mask or "" keeps a secret and null clears it, unknown keys are ignored',
  body: z.record(z.string(), z.unknown()),
  response: adminSettings,
})

export const testMail = endpoint({
  method: 'POST',
  path: '/api/settings/test/email',
  access: 'admin',
  summary: 'Sends a test mail to the own address with the mail settings of the body, saved or not; says how far it came',
  body: z.object({
    smtp_host: z.string().max(300).optional(),
    smtp_port: z.union([z.string().max(10), z.number()]).optional(),
    smtp_username: z.string().max(300).optional(),
    smtp_password: z.string().max(1000).nullish(),
    smtp_from: z.string().max(300).optional(),
    smtp_security: z.string().max(20).optional(),
  }),
  response: z.strictObject({
    ok: z.boolean(),
    steps: z.array(z.strictObject({ name: z.enum(['settings', 'address', 'delivery']), ok: z.boolean(), message: z.string() })),
  }),
})

const typed = z.string().max(1_000).optional()
const typedSecret = z.string().max(1_000).nullish()
/** Each step that was taken, in order; the first that fails is the last. */
const stepsOf = <const T extends readonly [string, ...string[]]>(names: T) =>
  z.strictObject({ ok: z.boolean(), steps: z.array(z.strictObject({ name: z.enum(names), ok: z.boolean(), message: z.string() })) })

export const testOidc = endpoint({
  method: 'POST',
  path: '/api/settings/test/oidc',
  access: 'admin',
  summary:
    "Reads the identity provider's description and keys with the settings of the body, saved or not; tells the redirect URL to register",
  body: z.object({ oidc_issuer: typed, oidc_client_id: typed, oidc_client_secret: typedSecret, oidc_redirect_url: typed }),
  response: stepsOf(['settings', 'discovery', 'keys']),
})

export const testCaptcha = endpoint({
  method: 'POST',
  path: '/api/settings/test/captcha',
  access: 'admin',
  summary: 'Asks the captcha service with the settings of the body, saved or not; with a solved `captcha_token` all the way',
  body: z.object({
    hcaptcha_site_key: typed,
    hcaptcha_secret: typedSecret,
    hcaptcha_verify_url: typed,
    captcha_token: z.string().max(20_000).optional(),
  }),
  response: stepsOf(['settings', 'service', 'captcha']),
})

export const testPayment = endpoint({
  method: 'POST',
  path: '/api/settings/test/payment',
  access: 'admin',
  summary: 'Checks the payment settings of the body, saved or not, and asks the gateway; opens no order and moves no money',
  body: z.object({
    payment_gateway_provider: typed,
    payment_yipay_gateway_url: typed,
    payment_yipay_pid: typed,
    payment_yipay_key: typedSecret,
    payment_openpayment_base_url: typed,
    payment_openpayment_config_url: typed,
    payment_openpayment_merchant_id: typed,
    payment_openpayment_key: typedSecret,
    payment_stripe_secret_key: typedSecret,
    payment_stripe_webhook_secret: typedSecret,
    payment_stripe_currency: typed,
    payment_stripe_api_url: typed,
  }),
  response: stepsOf(['settings', 'gateway']),
})
