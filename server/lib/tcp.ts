import { connect } from 'node:net'
import type { LiveSettings } from './live-settings.ts'
import { guardedAddress, type Resolve } from './outbound.ts'

/**
 * Connects to see that somebody takes it, and hangs up.
 * @throws OutboundBlocked when the address is not allowed; whatever the network throws; the signal's reason
 */
export type TryConnect = (host: string, port: number, signal: AbortSignal) => Promise<void>

/** Builds what connects without HTTP: to the very address that was checked (server/lib/outbound.ts). */
export function guardedConnect(settings: LiveSettings, resolveName?: Resolve): TryConnect {
  return async (host, port, signal) => {
    const { address } = await guardedAddress(settings, host, port, resolveName)
    signal.throwIfAborted()
    await new Promise<void>((resolve, reject) => {
      const socket = connect({ host: address, port })
      const gaveUp = (): void => {
        socket.destroy()
        reject(signal.reason as Error)
      }
      signal.addEventListener('abort', gaveUp, { once: true })
      socket.once('connect', () => {
        signal.removeEventListener('abort', gaveUp)
        socket.destroy()
        resolve()
      })
      socket.once('error', (error) => {
        signal.removeEventListener('abort', gaveUp)
        reject(error)
      })
    })
  }
}
