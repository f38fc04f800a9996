import { timingSafeEqual } from 'node:crypto'
import { isLoopback } from '../../lib/client-ip.ts'
import { deriveKey } from '../../lib/secret-box.ts'

const COOKIE = 'tollgate_setup'
/** Time to fill in one form. */
const COOKIE_SECONDS = 3_600

/** The token of the one-time link: derived, so that every process of an installation prints and accepts the same. */
export function setupToken(jwtSecret: string): string {
  return deriveKey(jwtSecret, 'setup-link').toString('base64url')
}

/** The path to open in a browser. */
export function setupPath(jwtSecret: string): string {
  return `/setup?token=${setupToken(jwtSecret)}`
}

/** The `set-cookie` of a right link, or undefined when the token is wrong. */
export function setupCookie(jwtSecret: string, token: string, secure: boolean): string | undefined {
  if (!same(token, setupToken(jwtSecret))) return undefined
  return `${COOKIE}=${cookieValue(jwtSecret)}; Path=/api/setup; Max-Age=${COOKIE_SECONDS}; HttpOnly; SameSite=Strict${secure ? '; Secure' : ''}`
}

/** Takes the cookie away again. */
export const clearedSetupCookie = `${COOKIE}=; Path=/api/setup; Max-Age=0; HttpOnly; SameSite=Strict`

/** Whether a request may do the setup: from this very machine, or with the link's cookie. */
export function maySetUp(jwtSecret: string, request: Request, ip: string): boolean {
  const cookies = request.headers.get('cookie') ?? ''
  const value = cookies
    .split(';')
    .map((cookie) => cookie.trim())
    .find((cookie) => cookie.startsWith(`${COOKIE}=`))
    ?.slice(COOKIE.length + 1)
  return (value !== undefined && same(value, cookieValue(jwtSecret))) || isLocal(request, ip)
}

/**
 * From this machine, by the socket and by every sign of the contrary: a proxy on the same host connects from loopback
 * for everybody, and a foreign page in a local browser brings its own host name or origin.
 */
export function isLocal(request: Request, ip: string): boolean {
  if (!isLoopback(ip)) return false
  if (['forwarded', 'x-forwarded-for', 'x-forwarded-host', 'x-real-ip', 'via'].some((name) => request.headers.has(name))) return false
  const origin = request.headers.get('origin')
  return isLocalHost(new URL(request.url)) && (origin === null || (URL.canParse(origin) && isLocalHost(new URL(origin))))
}

function isLocalHost({ hostname }: URL): boolean {
  return hostname === 'localhost' || isLoopback(hostname.replace(/^\[|\]$/g, ''))
}

function cookieValue(jwtSecret: string): string {
  return deriveKey(jwtSecret, 'setup-cookie').toString('base64url')
}

function same(given: string, expected: string): boolean {
  const left = Buffer.from(given)
  const right = Buffer.from(expected)
  return left.length === right.length && timingSafeEqual(left, right)
}
