import { lookup } from 'node:dns/promises'
import { isIP } from 'node:net'
import ipaddr from 'ipaddr.js'
import { bare, inList, isListed, parseAllowList, portOf, type AllowList } from './allow-list.ts'
import type { Clock } from './clock.ts'
import type { LiveSettings } from './live-settings.ts'
import { unpacked } from './unpack.ts'

/** Why an outbound call was not made; the message is for the owner, not for customers. */
export class OutboundBlocked extends Error {
  override readonly name = 'OutboundBlocked'
}

export interface OutboundRequest {
  method?: string
  headers?: Record<string, string>
  body?: string | Uint8Array
  signal?: AbortSignal
}

/** The one way out (promises.md rule 6): address checked at connect time, no redirects followed, no ambient headers. */
export interface GuardedFetch {
  /**
   * @throws OutboundBlocked when the address is not allowed
   * @throws whatever the network throws (refused, reset, DNS, TLS)
   */
  (url: string, request?: OutboundRequest): Promise<Response>
}

/** A checked name keeps its address this long: DNS is not asked for each call, and a change is seen soon. */
const ADDRESS_TTL_MS = 30_000
/** A name server that does not answer must not hold a call. */
const DNS_TIMEOUT_MS = 3_000
/** Names kept at most; more than any site has upstreams. */
const MAX_NAMES = 1_000

interface Target {
  address: string
  until: number
}

/** Every address of a name, as the system resolves it. */
export type Resolve = (host: string) => Promise<readonly { address: string }[]>

const systemResolve: Resolve = (host) => lookup(host, { all: true })

/**
 * Addresses that look public and are not: the platform's own endpoint inside an Azure network
 * (learn.microsoft.com/azure/virtual-network/what-is-ip-address-168-63-129-16).
 */
const NOT_PUBLIC = new Set(['168.63.129.16'])

/**
 * Builds the guarded fetch. The name is resolved here, the address checked, and the connection made to that very
 * address (TLS still verifies the name), so that a second DNS answer cannot lead elsewhere (rebinding, W89).
 */
export function guardedFetch(settings: LiveSettings, clock: Clock, resolveName: Resolve = systemResolve): GuardedFetch {
  let rules: Rules = { list: parseAllowList(''), guarded: true }
  let version = -1
  return checkedFetch(clock, resolveName, () => {
    if (version !== settings.version) {
      const guarded = settings.bool('ssrf_protection_enabled') && !settings.bool('ssrf_allow_private_networks')
      rules = { list: parseAllowList(settings.text('ssrf_allowed_hosts')), guarded }
      version = settings.version
    }
    return rules
  })
}

/**
 * The guarded fetch for addresses that a customer named: public ones only, whatever the owner allows himself. His own hosts
 * (`ssrf_allowed_hosts`) hold what is not the customer's to read.
 * @param alsoReached in the form of `ssrf_allowed_hosts`; for tests, whose servers are on this machine
 */
export function publicFetch(clock: Clock, alsoReached = '', resolveName: Resolve = systemResolve): GuardedFetch {
  const rules: Rules = { list: { ...parseAllowList(alsoReached), advice: '; a customer named it' }, guarded: true }
  return checkedFetch(clock, resolveName, () => rules)
}

interface Rules {
  list: AllowList
  guarded: boolean
}

/** @param rulesNow the same object until the rules change */
function checkedFetch(clock: Clock, resolveName: Resolve, rulesNow: () => Rules): GuardedFetch {
  const names = new Map<string, Target>()
  let last: Rules | undefined
  return async (url, request = {}) => {
    const target = parseTarget(url)
    const rules = rulesNow()
    if (rules !== last) names.clear()
    last = rules
    const { list, guarded } = rules
    const host = bare(target.hostname)
    const trusted = !guarded || isListed(target, list)
    let address = host
    if (isIP(host) === 0) {
      // With the port, also where the scheme implies it: the owner may trust one port of a name and no other.
      const place = `${host}:${portOf(target)}`
      const known = names.get(place)
      if (known && known.until > clock.monotonic()) address = known.address
      else {
        address = await resolve(host, trusted, list, resolveName)
        if (names.size >= MAX_NAMES) names.clear()
        names.set(place, { address, until: clock.monotonic() + ADDRESS_TTL_MS })
      }
    } else if (!trusted) check(host, host, list)
    return send(target, address, request)
  }
}

function parseTarget(url: string): URL {
  if (!URL.canParse(url)) throw new OutboundBlocked('the URL is not valid')
  const target = new URL(url)
  if (target.protocol !== 'http:' && target.protocol !== 'https:') throw new OutboundBlocked(`scheme ${target.protocol} is not allowed`)
  if (target.username !== '' || target.password !== '') throw new OutboundBlocked('a URL with user information is not allowed')
  return target
}

/**
 * The address a connection that is no HTTP request (mail) may be made to, by the same rules.
 * `listed`: the owner names the host as one of his own, so that it may also be spoken to without encryption (additions.md).
 * @throws OutboundBlocked when the address is not allowed
 */
export async function guardedAddress(
  settings: LiveSettings,
  hostname: string,
  port: number,
  resolveName: Resolve = systemResolve,
): Promise<{ address: string; listed: boolean }> {
  const target = parseTarget(`http://${hostname.includes(':') ? `[${hostname}]` : hostname}:${port}`)
  const list = parseAllowList(settings.text('ssrf_allowed_hosts'))
  const guarded = settings.bool('ssrf_protection_enabled') && !settings.bool('ssrf_allow_private_networks')
  const host = bare(target.hostname)
  const named = isListed(target, list)
  if (isIP(host) !== 0) {
    if (guarded && !named) check(host, host, list)
    return { address: host, listed: named || inList(host, list) }
  }
  const address = await resolve(host, !guarded || named, list, resolveName)
  return { address, listed: named || inList(address, list) }
}

/** Whether the owner lists this host as one of his own: then plain http is allowed where it else is not (additions.md). */
export function isListedHost(settings: LiveSettings, url: URL): boolean {
  const list = parseAllowList(settings.text('ssrf_allowed_hosts'))
  const host = bare(url.hostname)
  return isListed(url, list) || (isIP(host) !== 0 && inList(host, list))
}

async function resolve(host: string, trusted: boolean, list: AllowList, resolveName: Resolve): Promise<string> {
  if (!trusted && (host === 'localhost' || host.endsWith('.localhost'))) throw new OutboundBlocked(`${host} is a local name`)
  let timer: ReturnType<typeof setTimeout> | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer from DNS for ${host} within ${DNS_TIMEOUT_MS} ms`)), DNS_TIMEOUT_MS)
  })
  try {
    const found = await Promise.race([resolveName(host), late])
    const first = found[0]
    if (first === undefined) throw new Error(`${host} has no address`)
    // One forbidden address among several is a trap (mixed A records): all must be fine.
    if (!trusted) for (const { address } of found) check(host, address, list)
    return first.address
  } finally {
    clearTimeout(timer)
  }
}

/** Only global unicast is allowed: private, loopback, link-local, CGNAT, multicast, mapped and reserved ranges are not. */
function check(host: string, address: string, list: AllowList): void {
  const parsed = ipaddr.process(address)
  const range = isPublic(parsed) ? undefined : parsed.range()
  if (range === undefined) return
  if (inList(address, list)) return
  throw new OutboundBlocked(`${host} is at ${address}, a ${range === 'unicast' ? 'reserved' : range} address${list.advice}`)
}

/** Of IPv6 only 2000::/3 is given out (iana.org, IPv6 address space): the rest of what parses as unicast, `::127.0.0.1` too, is not. */
function isPublic(address: ipaddr.IPv4 | ipaddr.IPv6): boolean {
  if (address.range() !== 'unicast' || NOT_PUBLIC.has(address.toString())) return false
  return address instanceof ipaddr.IPv4 || ((address.parts[0] ?? 0) & 0xe000) === 0x2000
}

async function send(target: URL, address: string, request: OutboundRequest): Promise<Response> {
  const host = bare(target.hostname)
  const pinned =
    address === host
      ? target.href
      : target.href.replace(
          target.host,
          `${address.includes(':') ? `[${address}]` : address}${target.port === '' ? '' : `:${target.port}`}`,
        )
  // Nothing packed is asked for: plain answers cost no unpacking and come as they are written, and bombs stay small.
  const headers: Record<string, string> = { 'accept-encoding': 'identity', ...request.headers }
  if (address !== host) headers['host'] = target.host
  const init: RequestInit & { tls?: { serverName: string }; decompress: boolean } = {
    method: request.method ?? 'GET',
    redirect: 'manual',
    headers,
    decompress: false,
  }
  if (request.body !== undefined) init.body = request.body as BodyInit
  if (request.signal) init.signal = request.signal
  if (address !== host && target.protocol === 'https:') init.tls = { serverName: host }
  return unpacked(await fetch(pinned, init))
}
