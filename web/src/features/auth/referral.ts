/** Under the name the contract's other client uses (contract.md 3.6). */
const KEY = 'referral_code'

/** Keeps the code of a link such as `/?ref=CODE` until somebody registers. */
export function rememberReferral(): void {
  const code = new URLSearchParams(location.search).get('ref')
  if (code !== null && /^[A-Za-z0-9-]{1,40}$/.test(code)) localStorage.setItem(KEY, code)
}

/** The code this browser was invited with, or "". */
export function referralCode(): string {
  return localStorage.getItem(KEY) ?? ''
}

/** Once somebody has registered with it. */
export function forgetReferral(): void {
  localStorage.removeItem(KEY)
}
