import type { CheckType } from '../../../contract/api/status.ts'
import { AppError } from '../../../contract/errors.ts'
import { bare, portOf } from '../../lib/allow-list.ts'
import type { LiveSettings } from '../../lib/live-settings.ts'
import { guardedAddress, OutboundBlocked } from '../../lib/outbound.ts'

/** Where a check goes. */
export type Target =
  | { type: 'http'; url: string }
  | { type: 'tcp'; host: string; port: number }
  | { type: 'model'; channelId: number; model: string }

/** Reads a target; undefined when it is none of its kind. HTTP is an absolute URL; TCP `host:port` or such a URL; a model `channel://number/name`. */
export function targetOf(type: CheckType, text: string): Target | undefined {
  if (type === 'model' || type === 'canary') {
    const [, id, model] = /^channel:\/\/([1-9]\d{0,14})\/(.{1,200})$/.exec(text) ?? []
    return id === undefined || model === undefined ? undefined : { type: 'model', channelId: Number(id), model }
  }
  const url = urlOf(text)
  if (type === 'http') return url && { type: 'http', url: url.href }
  if (url) return { type: 'tcp', ...placeOf(url) }
  const place = urlOf(`http://${text}`)
  const [, port] = /^[^/?#]+:(\d{1,5})$/.exec(text) ?? []
  return place && port !== undefined && Number(port) > 0 ? { type: 'tcp', host: bare(place.hostname), port: Number(port) } : undefined
}

function placeOf(url: URL): { host: string; port: number } {
  return { host: bare(url.hostname), port: Number(portOf(url)) }
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
  const { host, port } = target.type === 'tcp' ? target : placeOf(new URL(target.url))
  try {
    await guardedAddress(settings, host, port)
  } catch (cause) {
    if (cause instanceof OutboundBlocked) throw new AppError('monitor_target_unsafe', { param: 'target_url', cause })
  }
}
