import { expect, test } from 'bun:test'
import { createServer, type AddressInfo } from 'node:net'
import { LiveSettings } from './live-settings.ts'
import { OutboundBlocked } from './outbound.ts'
import { guardedConnect } from './tcp.ts'

const owned = new LiveSettings()
owned.replace(new Map([['ssrf_allowed_hosts', '127.0.0.1']]))
const never = new AbortController().signal

test('a connection is made to an allowed address, hung up at once, and refused where nobody listens', async () => {
  const ends: Promise<void>[] = []
  const server = createServer((socket) => {
    ends.push(new Promise((resolve) => socket.once('close', () => resolve())))
    socket.resume()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await guardedConnect(owned)('127.0.0.1', port, never)
  await new Promise<void>((resolve) => server.close(() => resolve()))
  expect(ends).toHaveLength(1)
  await Promise.all(ends)
  expect(await guardedConnect(owned)('127.0.0.1', port, never).catch((error: unknown) => error)).toBeInstanceOf(Error)
})

test('no connection is made to a forbidden address, nor for somebody who has left', async () => {
  const connect = guardedConnect(new LiveSettings(), () => Promise.resolve([{ address: '127.0.0.1' }]))
  expect(await connect('inside.example', 80, never).catch((error: unknown) => error)).toBeInstanceOf(OutboundBlocked)
  const gone = new Error('gone')
  expect(await guardedConnect(owned)('127.0.0.1', 9, AbortSignal.abort(gone)).catch((error: unknown) => error)).toBe(gone)
})

test('who leaves while the connection is being made is told so at once, and the connection is given up', async () => {
  const server = createServer((socket) => socket.resume())
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const leaver = new AbortController()
  const gone = new Error('gone')
  const made = guardedConnect(owned)('127.0.0.1', port, leaver.signal).catch((error: unknown) => error)
  // The address is checked in a few microtasks; the answer of the network cannot come before them.
  for (let n = 0; n < 50; n += 1) await Promise.resolve()
  leaver.abort(gone)
  expect(await made).toBe(gone)
  // Ends only once no connection is open.
  await new Promise<void>((resolve) => server.close(() => resolve()))
})
