/**
 * The credential of a request (contract.md 1.4): the `Authorization` header if there is one, and only in its two-word
 * Bearer form; else `x-api-key`; else what `fromQuery` gives, which only the Gemini addresses pass (W07).
 */
export function credentialOf(headers: Headers, fromQuery?: string | null): string | undefined {
  const authorization = headers.get('authorization')
  if (authorization !== null) {
    const [scheme, value, rest] = authorization.trim().split(/\s+/)
    return scheme?.toLowerCase() === 'bearer' && value !== undefined && rest === undefined ? value : undefined
  }
  const credential = headers.get('x-api-key') ?? fromQuery
  return credential === null || credential === undefined || credential === '' ? undefined : credential
}

/** True for an API key, false for a session. */
export function isApiKey(credential: string): boolean {
  return credential.startsWith('sk-')
}
