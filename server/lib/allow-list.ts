import { isIP } from 'node:net'
import ipaddr from 'ipaddr.js'
import { parseRange, type Range } from './client-ip.ts'

/** The owner's exceptions from the outbound guard, as the setting `ssrf_allowed_hosts` writes them. */
export interface AllowList {
  /** Added to a refusal, for whoever can change it. */
  readonly advice: string
  /** `host` (every port) and `host:port`, IPv6 addresses in brackets, each as a URL would write it. */
  readonly hosts: ReadonlySet<string>
  /** `.example.com` of `*.example.com`. */
  readonly suffixes: readonly string[]
  readonly ranges: readonly Range[]
}

/**
 * Reads `host`, `host:port`, `[v6]:port`, `*.example.com` and CIDR ranges, separated by blanks, commas or semicolons. Hosts are
 * kept in the form of a parsed URL, so that another spelling is the same host and no address can pass for another one's
 * address and port (`::1:80` is an address, `[::1]:80` a port of one). What is none of these means nothing.
 */
export function parseAllowList(text: string): AllowList {
  const hosts = new Set<string>()
  const suffixes: string[] = []
  const ranges: Range[] = []
  for (const raw of text.split(/[\s,;，；]+/)) {
    const entry = raw.toLowerCase()
    if (entry === '') continue
    if (entry.startsWith('*.')) suffixes.push(entry.slice(1))
    else if (entry.includes('/')) {
      const range = parseRange(entry)
      if (range) ranges.push(range)
    } else {
      const host = hostEntry(entry)
      if (host !== undefined) hosts.add(host)
    }
  }
  return { advice: '; allow it in ssrf_allowed_hosts if it is meant', hosts, suffixes, ranges }
}

/** Whether the list names this target by its host, alone or with exactly its port. */
export function isListed(target: URL, list: AllowList): boolean {
  const host = withoutDot(target.hostname)
  if (list.hosts.has(host) || list.hosts.has(`${host}:${portOf(target)}`)) return true
  return isIP(bare(host)) === 0 && list.suffixes.some((suffix) => host.endsWith(suffix))
}

/** Whether an address is in a range of the list. */
export function inList(address: string, list: AllowList): boolean {
  const parsed = ipaddr.process(address)
  return list.ranges.some(([range, bits]) => range.kind() === parsed.kind() && parsed.match([range, bits] as never))
}

/** The port a connection to this URL is made to, also where it is its scheme's own. */
export function portOf(target: URL): string {
  return target.port || (target.protocol === 'https:' ? '443' : '80')
}

/** The host of a URL for a connection: `[::1]` -> `::1`, and a trailing dot of a name away. */
export function bare(hostname: string): string {
  return hostname.startsWith('[') ? hostname.slice(1, -1) : withoutDot(hostname)
}

function withoutDot(hostname: string): string {
  return hostname.replace(/\.$/, '')
}

/** `host` or `host:port` in the form of a URL; undefined when it is neither. */
function hostEntry(entry: string): string | undefined {
  if (isIP(entry) === 6) return new URL(`http://[${entry}]`).hostname
  const [, host = '', port] = /^(\[[0-9a-f:.]+\]|[^:[\]@/?#\\]+)(?::(\d{1,5}))?$/.exec(entry) ?? []
  if (host === '' || !URL.canParse(`http://${host}`)) return undefined
  const { hostname } = new URL(`http://${host}`)
  return port === undefined ? withoutDot(hostname) : `${withoutDot(hostname)}:${Number(port)}`
}
