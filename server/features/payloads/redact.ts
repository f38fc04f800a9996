/** What credentials look like; each begins with something fixed, so that no text takes more than one pass. */
const CREDENTIALS = [
  // A private key, also with its lines as they stand in JSON.
  /-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----.*?-----END [A-Z ]{0,30}PRIVATE KEY-----/gs,
  // A JSON Web Token (RFC 7519: its header begins with `{"`).
  /\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]+/g,
  // Keys by the prefixes their makers give them, so that scanners find them: OpenAI and ours, Google, GitHub, GitLab, AWS, Slack, Hugging Face, Groq, xAI, Stripe.
  /\b(?:sk-|rk_|sk_|pk_|AIza|gh[pousr]_|github_pat_|glpat-|AKIA|ASIA|xox[abeoprs]-|hf_|gsk_|xai-|whsec_)[\w-]{12,}/g,
  /\bBearer\s+[\w.~+/=-]{16,}/gi,
] as const

/** A picture, a sound or a file in the middle of text: from so many characters on it is no word. */
const BASE64 = /[A-Za-z0-9+/_-]{512,}={0,2}/g

/** A text without what must not be kept of it: credentials, and media, of which only the size is told. */
export function redact(text: string): string {
  let kept = text.replace(BASE64, ({ length }) => `[${length} characters of base64]`)
  for (const credential of CREDENTIALS) kept = kept.replace(credential, '[secret]')
  return kept
}
