import type { testCaptcha } from '../../../contract/api/settings.ts'
import type { BodyOf, ResponseOf } from '../../../contract/endpoint.ts'
import type { Deps } from '../../http/deps.ts'
import { askCaptchaService, type CaptchaVerdict } from '../auth/captcha.ts'
import { overlaid } from './overlay.ts'
import { trySteps } from './steps.ts'

type Answer = ResponseOf<typeof testCaptcha>

/** No service takes it for a solved captcha: its answer shows whether the secret is known there. */
const NO_TOKEN = 'a-token-that-nobody-solved'
/** What hCaptcha says of the site's own settings, not of the token (docs.hcaptcha.com, siteverify error codes). */
const OURS = new Set(['missing-input-secret', 'invalid-input-secret', 'sitekey-secret-mismatch', 'not-using-dummy-passcode'])

/**
 * Asks the captcha service as a sign-in would; without a token only whether it knows the secret.
 * @throws AppError too_many_requests
 */
export function tryCaptcha(deps: Deps, actor: { userId: number; ip: string }, form: BodyOf<typeof testCaptcha>): Promise<Answer> {
  const { deps: tried, fault } = overlaid(deps, form, { hcaptcha_secret: ['hcaptcha_verify_url'] })
  const token = form.captcha_token?.trim() ?? ''
  let verdict: CaptchaVerdict | undefined
  return trySteps<Answer['steps'][number]['name']>(
    deps,
    actor,
    'captcha',
    async (step) =>
      (await step('settings', () => {
        if (fault !== undefined) throw new Error(fault)
        for (const key of ['hcaptcha_site_key', 'hcaptcha_secret'] as const)
          if (tried.settings.text(key) === '') throw new Error(`${key}: must not be empty`)
        return tried.settings.text('hcaptcha_verify_url')
      })) &&
      (await step('service', async () => {
        verdict = await askCaptchaService(tried, token || NO_TOKEN)
        const wrong = verdict['error-codes'].find((code) => OURS.has(code))
        if (wrong !== undefined) throw new Error(wrong)
        return 'the service knows the secret'
      })) &&
      (token === '' ||
        (await step('captcha', () => {
          if (verdict?.success !== true) throw new Error(verdict?.['error-codes'].join(', ') || 'not solved')
          return verdict.hostname ?? 'solved'
        }))),
  )
}
