/** A name or address with an optional port, as RFC 9110 7.2 has it; what user agents send is never more. */
const HOST = /^(?:[\w.-]{1,253}|\[[\da-fA-F:.]{2,45}\])(?::\d{1,5})?$/

/**
 * The address of a request, or undefined where its Host cannot be one: missing, several, with a path or a name and password in it.
 * Whoever reads such a one reads another address than the next does.
 */
export function addressOf(request: Pick<Request, 'url' | 'headers'>): URL | undefined {
  const host = request.headers.get('host')
  if (host !== null && !HOST.test(host)) return undefined
  return URL.canParse(request.url) ? new URL(request.url) : undefined
}

/** Where a request wanted to go that named no usable host: what the shape of its answer depends on. */
export function pathOf({ url }: Pick<Request, 'url'>): URL {
  const address = new URL('http://unknown.invalid')
  address.pathname = /^(?:[a-z]+:\/\/[^/]*)?(\/[^?#]*)/i.exec(url)?.[1] ?? '/'
  return address
}
