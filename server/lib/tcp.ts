import { connect } from 'node:net'
import type { LiveSettings } from './live-settings.ts'
import { guardedAddress } from './outbound.ts'

/**
 * Connects and hangs up, to the very address that was checked.
 * @throws OutboundBlocked when the address is not allowed; whatever the network throws; the signal's reason
 */
export async function tryConnect(settings: LiveSettings, host: string, port: number, signal: AbortSignal): Promise<void> {
  const { address } = await guardedAddress(settings, host, port)
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
