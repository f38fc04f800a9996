import { z } from 'zod'
import { AppError } from '../../../contract/errors.ts'
import type { Deps } from '../../http/deps.ts'
import { readCapped } from '../../lib/read-capped.ts'
import { countAttempt, type AttemptLimit } from '../attempts/service.ts'

/** Contract.md 3.3. */
const TIMEOUT_MS = 10_000
/** The answer is a few lines. */
const MAX_ANSWER_BYTES = 64 * 1024
/** A real token has some 2,000 to 10,000 characters. */
const MAX_TOKEN_CHARS = 20_000
/** Longer than a token lives (two minutes): what was verified once is never asked about again. */
const ONCE: AttemptLimit = { count: 1, windowMs: 60 * 60_000 }

const answer = z.object({
  success: z.boolean(),
  hostname: z.string().optional(),
  'error-codes': z.array(z.string()).max(20).default([]),
})

type CaptchaDeps = Pick<Deps, 'db' | 'clock' | 'settings' | 'fetch'>

/**
 * Verifies the solved captcha of a form, once; does nothing while captchas are switched off.
 * @param hostname of the site, which the captcha must have been solved on
 * @throws AppError captcha_unset | captcha_required | captcha_failed | captcha_unavailable
 */
export async function requireCaptcha(deps: CaptchaDeps, token: string | null | undefined, hostname: string): Promise<void> {
  const { settings } = deps
  if (!settings.bool('password_hcaptcha_enabled')) return
  const secret = settings.text('hcaptcha_secret')
  const siteKey = settings.text('hcaptcha_site_key')
  if (secret === '' || siteKey === '') throw new AppError('captcha_unset')
  const given = token?.trim() ?? ''
  if (given === '') throw new AppError('captcha_required')
  if (given.length > MAX_TOKEN_CHARS) throw new AppError('captcha_failed')
  try {
    await countAttempt(deps, `captcha:${given}`, ONCE)
  } catch (cause) {
    if (cause instanceof AppError) throw new AppError('captcha_failed', { cause })
    throw cause
  }
  const verdict = await ask(deps, new URLSearchParams({ secret, response: given, sitekey: siteKey }))
  const solvedHere = verdict.hostname === undefined || verdict.hostname.toLowerCase() === hostname.toLowerCase()
  if (!verdict.success || !solvedHere) throw new AppError('captcha_failed')
}

/**
 * What the service says of a token, without counting it or judging its page: for trying settings out.
 * @throws AppError captcha_unavailable
 */
export async function askCaptchaService({ settings, fetch }: Pick<Deps, 'settings' | 'fetch'>, token: string): Promise<CaptchaVerdict> {
  const form = new URLSearchParams({
    secret: settings.text('hcaptcha_secret'),
    response: token,
    sitekey: settings.text('hcaptcha_site_key'),
  })
  return ask({ settings, fetch }, form)
}

export type CaptchaVerdict = z.output<typeof answer>

async function ask(deps: Pick<Deps, 'settings' | 'fetch'>, form: URLSearchParams): Promise<CaptchaVerdict> {
  try {
    const response = await deps.fetch(deps.settings.text('hcaptcha_verify_url'), {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: form.toString(),
      signal: AbortSignal.timeout(TIMEOUT_MS),
    })
    const bytes = await readCapped(response, MAX_ANSWER_BYTES)
    if (response.status !== 200 || bytes === undefined) throw new Error(`the captcha service answered ${response.status}`)
    return answer.parse(JSON.parse(new TextDecoder().decode(bytes)))
  } catch (cause) {
    throw new AppError('captcha_unavailable', { cause })
  }
}

/** The name of this site: of its configured address, else of the request's. */
export function siteHostname(deps: Pick<Deps, 'settings'>, request: Request): string {
  const base = deps.settings.text('base_url')
  return new URL(base === '' ? request.url : base).hostname
}
