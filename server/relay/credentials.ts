/**
 * The credential of a gateway request. Each place is looked at in turn, so that a malformed `Authorization` does not hide
 * the key beside it (W69); `?key=` counts only where the caller says so, on the Gemini routes (W07).
 */
export function bearerOf(headers: Headers, query: URLSearchParams | undefined): string | undefined {
  const authorization = headers.get('authorization')
  if (authorization !== null) {
    const token = /^Bearer\s+(\S+)$/i.exec(authorization.trim())?.[1]
    if (token !== undefined) return token
  }
  return headers.get('x-api-key') ?? headers.get('x-goog-api-key') ?? headers.get('api-key') ?? query?.get('key') ?? undefined
}
