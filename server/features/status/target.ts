import type { CheckType } from '../../../contract/api/status.ts'
import { AppError } from '../../../contract/errors.ts'
import type { LiveSettings } from '../../lib/live-settings.ts'
import { guardedAddress, OutboundBlocked } from '../../lib/outbound.ts'

/** Where a check goes. */
export type Target =
  | { type: 'http'; url: string }
  | { type: 'tcp'; host: string; port: number }
  | { type: 'model'; channelId: number; model: string }

/** Ports of the schemes a TCP target may be written with (contract.md 3.5). */
const PORTS: Record<string, number> = { 'http:': 80, 'https:': 443 }

/** Reads a target; undefined when it is none of its kind. HTTP is an absolute URL; TCP `host:port` or such a URL; a model `channel://number/name`. */
export function targetOf(type: CheckType, text: string): Target | undefined {
  if (type === 'model' || type === 'canary') {
    const [, id, model] = /^channel:\/\/([1-9]\d{0,14})\/(.{1,200})$/.exec(text) ?? []
    return id === undefined || model === undefined ? undefined : { type: 'model', channelId: Number(id), model }
  }
  const url = urlOf(text)
  if (type === 'http') return url && { type: 'http', url: url.href }
  const place = url ?? urlOf(`http://${text}`)
  if (!place) return undefined
  // A default port leaves no trace in a URL that was written with it.
  const port = place.port === '' ? (url ? PORTS[url.protocol] : text.endsWith(':80') ? 80 : undefined) : Number(place.port)
  const bare = url !== undefined || (place.pathname === '/' && place.search === '' && place.hash === '')
  return port === undefined || port === 0 || !bare ? undefined : { type: 'tcp', host: place.hostname.replace(/^\[|\]$/g, ''), port }
}

function urlOf(text: string): URL | undefined {
  if (!/^https?:\/\//i.test(text) || !URL.canParse(text)) return undefined
  const url = new URL(text)
  return url.hostname === '' || url.username !== '' || url.password !== '' ? undefined : url
}

/**
 * Refuses what cannot be checked or may not be reached. A name that does not resolve now is kept: the check will say so, and
 * where a name leads is looked at again at each connection.
 * @throws AppError monitor_target_unsafe
 */
export async function checkTarget(settings: LiveSettings, type: CheckType, text: string): Promise<void> {
  const target = targetOf(type, text)
  if (!target) throw new AppError('monitor_target_unsafe', { param: 'target_url' })
  if (target.type === 'model') return
  const { host, port } = target.type === 'tcp' ? target : placeOf(target.url)
  try {
    await guardedAddress(settings, host, port)
  } catch (cause) {
    if (cause instanceof OutboundBlocked) throw new AppError('monitor_target_unsafe', { param: 'target_url', cause })
  }
}

function placeOf(text: string): { host: string; port: number } {
  const { protocol, hostname, port } = new URL(text)
  return { host: hostname.replace(/^\[|\]$/g, ''), port: Number(port) || (PORTS[protocol] ?? 443) }
}
