import ipaddr from 'ipaddr.js'

/** An address range, or undefined when the text is neither an address nor a CIDR range. */
export type Range = readonly [ipaddr.IPv4 | ipaddr.IPv6, number]

/** Reads `10.0.0.0/8`, `::1`, `192.0.2.7`. */
export function parseRange(text: string): Range | undefined {
  const trimmed = text.trim()
  if (ipaddr.isValidCIDR(trimmed)) return ipaddr.parseCIDR(trimmed)
  if (!ipaddr.isValid(trimmed)) return undefined
  const address = ipaddr.parse(trimmed)
  return [address, address.kind() === 'ipv4' ? 32 : 128]
}

/** True when the address lies in one of the ranges; an IPv4-mapped IPv6 address counts as IPv4. */
export function inRanges(address: string, ranges: readonly Range[]): boolean {
  if (ranges.length === 0 || !ipaddr.isValid(address)) return false
  const parsed = ipaddr.process(address)
  return ranges.some(([range, bits]) => parsed.kind() === range.kind() && parsed.match([range, bits] as never))
}

/**
 * The client's address: the socket's, unless the socket is a trusted proxy; then the last hop of `X-Forwarded-For`
 * that no trusted proxy is (W02). Anything a client invents in front of that is ignored.
 */
export function clientIp(socketAddress: string, forwardedFor: string | null, trusted: readonly Range[]): string {
  const socket = plain(socketAddress)
  if (forwardedFor === null || trusted.length === 0 || !inRanges(socket, trusted)) return socket
  let first = socket
  for (const text of forwardedFor.split(',').toReversed()) {
    const hop = text.trim()
    if (!ipaddr.isValid(hop)) return socket
    first = plain(hop)
    if (!inRanges(hop, trusted)) break
  }
  return first
}

/** True for 127.0.0.0/8 and ::1. */
export function isLoopback(address: string): boolean {
  return ipaddr.isValid(address) && ipaddr.process(address).range() === 'loopback'
}

function plain(address: string): string {
  return address.startsWith('::ffff:') && ipaddr.isValid(address) ? ipaddr.process(address).toString() : address
}

/** Groups of an IPv6 address that name the network of one household (/64). */
const NETWORK_GROUPS = 4

/** The network of a caller on the public internet: an IPv4 address, an IPv6 /64. "" for every other address: those say nothing of who calls. */
export function publicNetwork(address: string): string {
  if (!ipaddr.isValid(address)) return ''
  const parsed = ipaddr.process(address)
  if (parsed.range() !== 'unicast') return ''
  if (!(parsed instanceof ipaddr.IPv6)) return parsed.toString()
  return `${parsed.parts
    .slice(0, NETWORK_GROUPS)
    .map((part) => part.toString(16))
    .join(':')}::/64`
}
