import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { randomToken, sha256Hex } from '../lib/ids.ts'
import { pagePolicy } from './security.ts'
import { words } from '../../contract/words.ts'

/** What the page brings along, so that it need not ask twice before its first paint (console.md 4.7). */
export interface Boot {
  settings: Record<string, unknown>
  setup_required: boolean
  build: string
}

type Bytes = Uint8Array<ArrayBuffer>

interface Asset {
  bytes: Bytes
  type: string
  etag: string
  gzip: Bytes | undefined
}

const TYPES = words<string>({
  html: 'text/html; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
  svg: 'image/svg+xml',
  json: 'application/json',
  png: 'image/png',
  ico: 'image/x-icon',
  webp: 'image/webp',
  woff2: 'font/woff2',
  txt: 'text/plain; charset=utf-8',
  webmanifest: 'application/manifest+json',
})
const TEXT = /^(text\/|application\/(json|manifest)|image\/svg)/
const NONCE_BYTES = 16
/** Names of files below /assets carry the hash of their content. */
const IMMUTABLE = 'public, max-age=31536000, immutable'
/** Other files keep their name over versions: asked for again after this, with the tag. */
const SHORT = 'public, max-age=300'

const NOT_BUILT = `<!doctype html><html lang="en"><meta charset="utf-8"><title>Tollgate</title>
<h1>The console is not built</h1>
<p>The gateway and its API are running. Run <code>npm run build</code> and start again to get the console.</p>
<p>控制台尚未构建：请运行 <code>npm run build</code> 后重新启动。</p></html>
`

/** The console's files, read once into memory: a few megabytes, and no path of a request ever reaches the disk. */
export class Spa {
  readonly #assets = new Map<string, Asset>()
  readonly #index: string | undefined
  /** Tells pages of one build from another's. */
  readonly build: string

  /** `folder` is where Vite builds to; it may be missing. */
  constructor(folder: string) {
    const index = join(folder, 'index.html')
    this.#index = existsSync(index) ? readFileSync(index, 'utf8') : undefined
    this.build = this.#index === undefined ? '' : sha256Hex(this.#index).slice(0, 12)
    if (this.#index !== undefined) this.#read(folder, '')
  }

  /** A file of the console, a 404 below /assets, or undefined: then the page itself is the answer. */
  file(pathname: string, headers: Headers): Response | undefined {
    const asset = this.#assets.get(pathname)
    if (asset === undefined) return pathname.startsWith('/assets/') ? Response.json({ error: 'Not found' }, { status: 404 }) : undefined
    const answer: Record<string, string> = {
      'content-type': asset.type,
      etag: asset.etag,
      'cache-control': pathname.startsWith('/assets/') ? IMMUTABLE : SHORT,
      vary: 'accept-encoding',
    }
    if (headers.get('if-none-match') === asset.etag) return new Response(null, { status: 304, headers: answer })
    if (!TEXT.test(asset.type) || !/\bgzip\b/.test(headers.get('accept-encoding') ?? ''))
      return new Response(asset.bytes, { headers: answer })
    asset.gzip ??= new Uint8Array(gzipSync(asset.bytes))
    return new Response(asset.gzip, { headers: { ...answer, 'content-encoding': 'gzip' } })
  }

  /** The page with its own nonce and the boot data; never stored by anybody. */
  page(boot: Omit<Boot, 'build'>): Response {
    if (this.#index === undefined)
      return new Response(NOT_BUILT, { status: 503, headers: { 'content-type': 'text/html; charset=utf-8', 'cache-control': 'no-store' } })
    const nonce = randomToken(NONCE_BYTES)
    const data = scriptJson({ ...boot, build: this.build } satisfies Boot)
    // Functions, not texts: `$&` in a setting must not be a pattern of `replace`.
    const html = this.#index.replaceAll('__CSP_NONCE__', () => nonce).replace('__BOOT__', () => data)
    const { home_iframe_url: homeFrame, password_hcaptcha_enabled: captcha } = boot.settings
    return new Response(html, {
      headers: {
        'content-type': 'text/html; charset=utf-8',
        'cache-control': 'no-store',
        'content-security-policy': pagePolicy({
          nonce,
          homeFrame: typeof homeFrame === 'string' ? homeFrame : '',
          captcha: captcha === true,
        }),
      },
    })
  }

  #read(folder: string, below: string): void {
    for (const entry of readdirSync(join(folder, below), { withFileTypes: true })) {
      const name = `${below}/${entry.name}`
      // `.vite` holds the build's own notes.
      if (entry.name.startsWith('.') || name === '/index.html') continue
      if (entry.isDirectory()) this.#read(folder, name)
      else if (entry.isFile()) {
        const bytes = new Uint8Array(readFileSync(join(folder, name)))
        const type = TYPES[entry.name.slice(entry.name.lastIndexOf('.') + 1)] ?? 'application/octet-stream'
        this.#assets.set(name, { bytes, type, etag: `"${tagOf(bytes)}"`, gzip: undefined })
      }
    }
  }
}

function tagOf(bytes: Bytes): string {
  return createHash('sha256').update(bytes).digest('base64url').slice(0, 22)
}

/** JSON that cannot end the script element it stands in, nor begin a comment in it. */
export function scriptJson(value: unknown): string {
  return JSON.stringify(value).replace(/[<>&\u2028\u2029]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`)
}
