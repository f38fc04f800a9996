/** Headers of every answer (W01); the policy for whatever is not a page of ours. */
const COMMON: Record<string, string> = {
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'same-origin',
  'cross-origin-opener-policy': 'same-origin',
  'permissions-policy': 'camera=(), geolocation=(), microphone=(), payment=(), usb=()',
}
const NO_PAGE = "default-src 'none'; frame-ancestors 'none'"
/** One year; only told over TLS, where it has a meaning. */
const HSTS = 'max-age=31536000'
const CAPTCHA_HOSTS = ' https://hcaptcha.com https://*.hcaptcha.com'

/** Those of an answer that no browser shows as a page: what is left matters where somebody opens its address all the same. */
export function secureData(headers: Headers, overTls: boolean): void {
  headers.set('x-content-type-options', 'nosniff')
  headers.set('x-frame-options', 'DENY')
  headers.set('referrer-policy', 'same-origin')
  headers.set('content-security-policy', NO_PAGE)
  if (overTls) headers.set('strict-transport-security', HSTS)
}

/** Whether the client came over TLS, here or at a proxy before us. Whoever says so falsely tells it of his own answer only. */
export function isTls(url: string, headers: Headers): boolean {
  return url.startsWith('https:') || headers.get('x-forwarded-proto')?.split(',')[0]?.trim() === 'https'
}

/** Adds what is missing; a page has set its own policy before. */
export function secure(headers: Headers, overTls: boolean): void {
  for (const [name, value] of Object.entries(COMMON)) if (!headers.has(name)) headers.set(name, value)
  if (!headers.has('content-security-policy')) headers.set('content-security-policy', NO_PAGE)
  if (overTls) headers.set('strict-transport-security', HSTS)
}

export interface PagePolicy {
  nonce: string
  /** The owner's home page frame, an absolute URL or "". */
  homeFrame: string
  captcha: boolean
}

/** The policy of the console's page (console.md 4.7): no foreign script, style, font, connection or frame. */
export function pagePolicy({ nonce, homeFrame, captcha }: PagePolicy): string {
  const foreign = captcha ? CAPTCHA_HOSTS : ''
  const frame = URL.canParse(homeFrame) && new URL(homeFrame).origin !== 'null' ? ` ${new URL(homeFrame).origin}` : ''
  return [
    "default-src 'none'",
    `script-src 'self'${foreign}`,
    `style-src 'self' 'nonce-${nonce}'${foreign}`,
    "img-src 'self' data: blob: https:",
    "font-src 'self'",
    `connect-src 'self'${foreign}`,
    `frame-src 'self'${frame}${foreign}`,
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
    "object-src 'none'",
  ].join('; ')
}
