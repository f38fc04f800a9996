/** How long a browser may keep what a preflight said: the longest that Firefox takes (fetch.spec.whatwg.org, 4.9). */
const MAX_AGE_SECONDS = '86400'
/** A list of header names as a browser writes it; an SDK sends some twenty. */
const HEADER_NAMES = /^[\w-]+(?:\s*,\s*[\w-]+)*$/
const MAX_HEADER_NAMES_CHARS = 2_000
const LIMITS = ['requests', 'tokens'].flatMap((unit) =>
  ['limit', 'remaining', 'reset'].flatMap((what) => [`x-ratelimit-${what}-${unit}`, `anthropic-ratelimit-${unit}-${what}`]),
)
/** What SDKs in a browser want to read of an answer, beside its body. */
const EXPOSED = ['x-tollgate-request-id', 'x-tollgate-cost', 'x-tollgate-dropped', 'retry-after', ...LIMITS].join(', ')

/**
 * The answer to a browser that asks whether a page of another site may call the gateway. Any may: a call is let in by the key that
 * the page sends itself, never by a cookie, so that `*` lends nobody's rights. The dashboard's own addresses answer none of this.
 */
export function preflight(headers: Headers): Response {
  const names = headers.get('access-control-request-headers') ?? ''
  const asked = names.length <= MAX_HEADER_NAMES_CHARS && HEADER_NAMES.test(names)
  return new Response(null, {
    status: 204,
    headers: {
      'access-control-allow-methods': 'GET, POST, DELETE',
      // Named one by one: `*` does not stand for `authorization`.
      ...(asked && { 'access-control-allow-headers': names }),
      'access-control-max-age': MAX_AGE_SECONDS,
      vary: 'access-control-request-headers',
    },
  })
}

/** Lets the page that made the call read its answer. */
export function readable(headers: Headers): void {
  headers.set('access-control-allow-origin', '*')
  headers.set('access-control-expose-headers', EXPOSED)
}
