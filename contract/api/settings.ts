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
